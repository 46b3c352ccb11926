"""Judge whether a server takes the largest event that a sender may send; all pure.

One that it never takes, not even as a bare document, would hold up its chain until
somebody raises the server's limit. That is no reason not to start: nothing is lost,
the status names the event, and most senders never come near. An event is four
thirds of its payload at most then: in base64.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict

__all__ = ["NODE_PATHS", "Node", "judge_event_size", "read_nodes"]

NODE_PATHS: Final = "nodes.*.version,nodes.*.roles,nodes.*.jvm.mem.heap_max_in_bytes"
"""What has to be told of each node, as a ``filter_path``."""

_BODY: Final = "http.max_content_length"
_MEMORY: Final = "indexing_pressure.memory."
_AROUND_BYTES: Final = 16 << 10
"""More than a document, its action and the server's own count add to a payload."""
_INDEXING: Final = {"data", "data_content", "data_hot", "ingest", "index"}
"""Roles, one of which a node has that gets events; one without roles passes on."""
_UNITS: Final = {"b": 0, "kb": 10, "mb": 20, "gb": 30, "tb": 40, "pb": 50}
_SPELLED = re.compile(r"(\d+(?:\.\d+)?)(%|[kmgtp]?b)").fullmatch


@dataclass(frozen=True, slots=True)
class Node:
    """A node that may receive or index events."""

    major: int
    heap_bytes: int

    def limits(self) -> Iterator[tuple[str, int]]:
        """Yield settings, and how often each counts the bytes of a document.

        From version 9 on, the node that indexes counts four times what it has to
        parse, beside the once of the node that received it.
        """
        yield "coordinating.limit", 1
        yield "primary.limit", 1 if self.major < 9 else 5
        if self.major >= 9:
            yield "max_operation_size", 1


@dataclass(frozen=True, slots=True)
class _Bound:
    """What one setting lets through."""

    setting: str
    document_bytes: float
    factor: float = 1
    """Bytes of the setting, or of the heap, that each byte of a document takes."""
    is_share: bool = False


def read_nodes(told: Mapping[str, Any]) -> list[Node]:
    """Return the nodes of an answer that may receive or index events."""
    return [
        Node(int(one["version"].partition(".")[0]), heap)
        for one in told.get("nodes", {}).values()
        if (heap := one.get("jvm", {}).get("mem", {}).get("heap_max_in_bytes"))
        and (not one.get("roles") or _INDEXING.intersection(one["roles"]))
    ]


def judge_event_size(
    settings: Mapping[str, Any], nodes: Sequence[Node], event_bytes: int
) -> Verdict:
    """Judge the settings and nodes of a server; what is not shown is left out."""
    bounds = list(_bounds(settings, nodes))
    if not bounds:
        return _verdict(Mark.UNKNOWN, "its limits are not shown to us", _SEE)
    needed = math.ceil(event_bytes / 3) * 4 + _AROUND_BYTES
    least = min(bounds, key=lambda bound: bound.document_bytes)
    largest = max(int(least.document_bytes - _AROUND_BYTES) // 4 * 3, 0)
    takes = f"takes events of up to {largest} bytes"
    if needed <= least.document_bytes:
        if nodes:
            return _verdict(Mark.OK, takes)
        return _verdict(
            Mark.UNKNOWN, f"{takes}, if its memory does: that is not shown to us", _SEE
        )
    what = f"{_MEMORY}{least.setting}" if least.setting != _BODY else _BODY
    whole = math.ceil(needed * least.factor)
    remedy = (
        f"raise the heap of Elasticsearch to {whole} bytes, of which {what} is a share"
        if least.is_share
        else f"raise {what} of Elasticsearch to {whole}b"
    )
    return _verdict(
        Mark.NOTICE,
        f"{takes}, by {what}; one of {event_bytes}, which a sender may send, would "
        "hold up its chain for ever",
        f"Set limits.json_bytes and limits.pairs_bytes to {largest} at most, or "
        f"{remedy}.",
    )


_SEE: Final = (
    "See that http.max_content_length is twice limits.json_bytes; and that the heap "
    "is 20 times that, of version 9 on 70 times."
)


def _verdict(mark: Mark, message: str, hint: str = "") -> Verdict:
    return Verdict(mark, "event-size", "server", message, hint)


def _bounds(settings: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[_Bound]:
    if (body := _read(settings.get(_BODY))) is not None and body[1] != "%":
        yield _Bound(_BODY, body[0])
    for node in nodes:
        for name, factor in node.limits():
            limit = _read(settings.get(f"{_MEMORY}{name}"))
            if limit is None:
                continue
            amount, unit = limit
            if unit == "%":
                share = amount / 100
                room = node.heap_bytes * share / factor
                yield _Bound(name, room, factor / share, is_share=True)
            else:
                yield _Bound(name, amount / factor, factor)


def _read(spelled: object) -> tuple[float, str] | None:
    """Return a size in bytes, or in percent; ``None`` for what is no size."""
    found = _SPELLED(str(spelled).strip().lower())
    if found is None or not float(found[1]):
        return None
    number, unit = float(found[1]), found[2]
    return (number, unit) if unit == "%" else (number * 2 ** _UNITS[unit], "b")
