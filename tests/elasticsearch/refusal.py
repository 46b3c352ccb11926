"""Say no as the server does."""

from typing import Any

__all__ = ["Refusal"]


class Refusal(Exception):
    """What the fake server answers instead of doing what was asked."""

    def __init__(self, status: int, kind: str, reason: str, index: str = "") -> None:
        super().__init__(f"{status} {kind}: {reason}")
        self.status = status
        self._whole: dict[str, Any] | None = None
        self._error = {"type": kind, "reason": reason}
        if index:
            self._error["index"] = index

    @classmethod
    def empty(cls, status: int) -> "Refusal":
        """Say no without a word."""
        refusal = cls(status, "", "")
        refusal._whole = {}
        return refusal

    @classmethod
    def unknown(cls, path: str, method: str) -> "Refusal":
        """Say that no path is like this; the error is a string then."""
        reason = f"no handler found for uri [{path}] and method [{method}]"
        refusal = cls(400, "", reason)
        refusal._whole = {"error": reason}
        return refusal

    def cause(self) -> dict[str, Any]:
        """Return the error as it stands in an item of a bulk answer."""
        return dict(self._error)

    def answer(self) -> dict[str, Any]:
        """Return the error as a whole answer."""
        if self._whole is not None:
            return self._whole
        return {"error": {"root_cause": [self._error], **self._error}} | {
            "status": self.status
        }
