"""What a test may make of one request, or of one item of a bulk."""

from dataclasses import dataclass

__all__ = ["Fault", "Outcome"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of one request instead of its ordinary answer.

    Part of it may be carried out all the same: ``applied`` is the number of
    actions of a bulk, from its beginning, ``None`` all of them (and for any
    other request: whether it is carried out, 0 or ``None``).
    """

    applied: int | None = 0
    status: int = 200
    body: bytes | None = None
    """Answered in place of the real answer."""
    content_type: str = "application/json"
    content_encoding: str | None = None
    """What the body is said to be compressed with; it is sent as it is."""
    location: str | None = None
    """Where a redirection points to."""
    cut_after: int | None = None
    """Bytes of the answer after which the connection breaks; 0: no answer at all."""
    silent: bool = False
    """Nothing is answered until the client gives up."""
    omitted: int = 0
    """Items left out at the end of the answer of a bulk."""
    torn: bool = False
    """Say in the answer of a search that a shard failed and time ran out."""

    @classmethod
    def refused(
        cls, status: int, kind: str = "es_rejected_execution_exception"
    ) -> "Fault":
        """Refuse the whole request, with nothing done."""
        return cls(
            status=status,
            body=b'{"error":{"type":"%s","reason":"as scripted"},"status":%d}'
            % (kind.encode(), status),
        )

    @classmethod
    def page(cls, status: int) -> "Fault":
        """Answer as a proxy does that reaches nobody."""
        return cls(status=status, body=b"<html>no</html>", content_type="text/html")

    @classmethod
    def timed_out(cls, applied: int | None = 0) -> "Fault":
        """Never answer."""
        return cls(applied=applied, silent=True)

    @classmethod
    def cut(cls, applied: int | None = 0, after: int = 0) -> "Fault":
        """Break the connection, perhaps in the middle of the answer."""
        return cls(applied=applied, cut_after=after)

    @classmethod
    def garbled(cls, applied: int | None = None) -> "Fault":
        """Answer 200 with what is no JSON."""
        return cls(applied=applied, body=b'{"took":1,"errors":false,"items":[{"cre')

    @classmethod
    def short(cls, omitted: int = 1) -> "Fault":
        """Do all, and answer with too few items."""
        return cls(applied=None, omitted=omitted)

    @classmethod
    def partial(cls) -> "Fault":
        """Answer a search and say that a shard failed and time ran out."""
        return cls(applied=None, torn=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one item of a bulk instead of its ordinary outcome."""

    status: int
    kind: str | None = None
    """Type of the error, or ``None``: no error."""
    result: str | None = None
    failure_store: str | None = None
    applied: bool = False
    """Whether the document is stored all the same."""
    reason: str = "as scripted"

    @classmethod
    def rejected(
        cls, status: int = 429, kind: str = "es_rejected_execution_exception"
    ) -> "Outcome":
        """Refuse this item."""
        return cls(status, kind)

    @classmethod
    def dropped(cls) -> "Outcome":
        """Let a ``drop`` processor take it."""
        return cls(200, result="noop")

    @classmethod
    def redirected(cls) -> "Outcome":
        """Let the failure store take it."""
        return cls(201, result="created", failure_store="used")
