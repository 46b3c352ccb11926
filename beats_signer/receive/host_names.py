"""Compare what events say of their host with who sent them.

It costs the decoding of two fields for each event, about 1.4 microseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from beats_signer.sign.fields import FieldReader, Value, Values
from lumberjack import Batch

__all__ = ["HostNames", "Mismatch"]

_FIELDS = ("host.name", "agent.name")
_SHOWN_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Events of one window that name another host than their sender."""

    events: int
    field: str
    """Where the first of them does so."""
    name: str
    """What stands there."""

    def __str__(self) -> str:
        """Say what is wrong with the first one."""
        return f"{self.field} is {self.name[:_SHOWN_CHARACTERS]!r}"


class HostNames:
    """Looks into events; one for all senders."""

    def __init__(self) -> None:
        self._reader = FieldReader(_FIELDS)

    def compare(self, sender: str, batch: Batch) -> Mismatch | None:
        """Return which events of a window do not agree with their sender's name.

        An event agrees when ``host.name`` and ``agent.name`` are the name, or one
        is the first label of the other. What is missing agrees.
        """
        read = self._reader.read
        own = frozenset(_spellings(sender))
        judged: dict[Values, tuple[str, str] | None] = {}
        events, first = 0, None
        for form, payload in zip(batch.forms, batch.payloads, strict=True):
            values = read(form, payload)
            if values not in judged:
                judged[values] = _find_other(own, values)
            other = judged[values]
            if other is not None:
                events += 1
                first = first or other
        return Mismatch(events, *first) if first else None


def _find_other(own: frozenset[str], values: Values) -> tuple[str, str] | None:
    """Return the first field that names somebody else, and whom."""
    for field, value in zip(_FIELDS, values, strict=True):
        for name in _texts(value):
            if not _agrees(own, name.casefold()):
                return field, name
    return None


def _texts(value: Value) -> tuple[str, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _agrees(own: frozenset[str], name: str) -> bool:
    if name in own:
        return True
    # A short name stands for every name that begins with it, and the other way.
    first, dot, _ = name.partition(".")
    return first in own if dot else any(one.partition(".")[0] == name for one in own)


def _spellings(sender: str) -> Iterator[str]:
    """Yield the names that a sender may use; that of a URI is its last part."""
    name = sender.casefold()
    yield name
    if "://" in name:
        yield name.rstrip("/").rpartition("/")[2]
