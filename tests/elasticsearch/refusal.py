"""Say no as the server does."""

from typing import Any

__all__ = ["Refusal"]


class Refusal(Exception):
    """What the fake server answers instead of doing what was asked."""

    def __init__(self, status: int, kind: str, reason: str, index: str = "") -> None:
        super().__init__(f"{status} {kind}: {reason}")
        self.status = status
        self._error = {"type": kind, "reason": reason}
        if index:
            self._error["index"] = index

    def cause(self) -> dict[str, Any]:
        """Return the error as it stands in an item of a bulk answer."""
        return dict(self._error)

    def answer(self) -> dict[str, Any]:
        """Return the error as a whole answer."""
        return {"error": {"root_cause": [self._error], **self._error}} | {
            "status": self.status
        }
