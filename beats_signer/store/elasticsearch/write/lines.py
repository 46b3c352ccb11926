"""Render a seal and its entries as the lines of bulk requests.

This is the hot path: each entry is spliced from bytes that are there already,
and what is the same for many entries is rendered once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from beats_signer.chain.encoding import encode_base64
from beats_signer.chain.origin import signer_of
from beats_signer.chain.times import format_time
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.document import shape
from beats_signer.store.elasticsearch.places import (
    DEFAULT_TARGET,
    ID_CHARACTERS,
    default_target,
    ids_of,
    seal_id,
    seals_index,
)

__all__ = [
    "SENDER_FIELD",
    "build_entry_lines",
    "build_seal_lines",
    "build_sender_member",
]

SENDER_FIELD: Final = "beats_signer_sender"
"""Visible field, on request, with name and address of the sender."""

_ENCODE = msgspec.json.encode
_LONG_BYTES: Final = 1 << 20
"""A longer text is base64 when most of it would be escapes, of six bytes for one:
else events of some megabytes could be larger than a server takes."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Entries that stand one after the other and came in one window."""

    start: int
    stop: int
    sender: str
    received: int
    peer: str | None = None


def build_entry_lines(
    sealed: Sealed, *, target: str = DEFAULT_TARGET, has_sender_fields: bool = False
) -> list[bytes]:
    """Return action and document of every entry, in order.

    ``target`` names the default place of the chain, as in ``default_target``.
    """
    ids = ids_of(sealed.chain, sealed.seal.first, sealed.record.leaves)
    actions = _Actions(sealed, target)
    lines: list[bytes] = []
    for run in _runs(sealed):
        lines += _run_lines(sealed, run, ids, actions, has_sender_fields)
    return lines


def build_seal_lines(sealed: Sealed) -> list[bytes]:
    """Return action and document of the seal."""
    seal, record = sealed.seal, sealed.record
    name = seal_id(sealed.chain, seal.number)
    action = {"create": {"_index": seals_index(seal.time), "_id": name}}
    document = {
        "chain": sealed.chain.hex()[:32],
        "origin": seal.origin,
        "seal": seal.number,
        "kind": seal.kind.value,
        "first": seal.first,
        "count": seal.count,
        "time": format_time(seal.time),
        "note": record.note,
        "body": record.body,
        "leaves": encode_base64(record.leaves),
    }
    return [_ENCODE(action) + b"\n", _ENCODE(document) + b"\n"]


def _run_lines(
    sealed: Sealed, run: _Run, ids: bytes, actions: "_Actions", has_sender_fields: bool
) -> list[bytes]:
    entries, first = sealed.entries, sealed.seal.first
    forms, payloads, salts = entries.forms, entries.payloads, entries.salts
    head = b'{"beats_signer":{"chain":"%b","index":' % sealed.chain.hex()[:32].encode()
    middles = _middles(sealed, run)
    close = b"},"
    if has_sender_fields:
        close += build_sender_member(run.sender, run.peer) + b","
    received = _ENCODE(format_time(run.received))
    destinations = sealed.destinations
    destination, action = None, actions.of(None)
    lines: list[bytes] = []
    add = lines.append
    for position in range(run.start, run.stop):
        form, payload = forms[position], payloads[position]
        text: str | None
        try:
            text = payload.decode()
            written = _ENCODE(text)
        except UnicodeDecodeError:
            text = None
            value = _in_base64(payload)
        else:
            value = b'":' + written
            if len(written) > _LONG_BYTES and len(written) > 3 * len(payload):
                value = _in_base64(payload)
        if salts is not None:
            value += b',"salt":"%b"' % encode_base64(salts[position]).encode()
        if destinations is not None and destinations[position] is not destination:
            destination = destinations[position]
            action = actions.of(destination)
        at = position * ID_CHARACTERS
        add(b'%b%b"}}\n' % (action, ids[at : at + ID_CHARACTERS]))
        shaped = shape(form, payload, text, received)
        index = first + position
        add(b"%b%d%b%b%b%b\n" % (head, index, middles[form], value, close, shaped))
    return lines


def _in_base64(payload: bytes) -> bytes:
    return b'_base64":"%b"' % encode_base64(payload).encode()


def _middles(sealed: Sealed, run: _Run) -> dict[int, bytes]:
    """Return what stands between index and payload, by form."""
    number, sender = sealed.seal.number, _ENCODE(run.sender)
    return {
        form: b',"seal":%d,"form":"%c","sender":%b,"payload' % (number, form, sender)
        for form in set(sealed.entries.forms[run.start : run.stop])
    }


def build_sender_member(name: str, peer: str | None) -> bytes:
    """Return the member that shows who sent an event: name, and address of a peer."""
    sender = {"name": name}
    if peer is not None:
        sender["address"] = peer.rpartition(":")[0].strip("[]")
    return b'"%b":%b' % (SENDER_FIELD.encode(), _ENCODE(sender))


class _Actions:
    """The action lines of a seal's entries, up to the ``_id``."""

    def __init__(self, sealed: Sealed, target: str) -> None:
        self._default = Destination(default_target(sealed.seal.origin, target))
        self._known: dict[Destination | None, bytes] = {}

    def of(self, destination: Destination | None) -> bytes:
        """Return the start of the action of an entry that goes there."""
        known = self._known.get(destination)
        if known is None:
            place = destination or self._default
            pipeline = b""
            if place.pipeline is not None:
                pipeline = b'"pipeline":%b,' % _ENCODE(place.pipeline)
            target = _ENCODE(place.target)
            known = b'{"create":{"_index":%b,%b"_id":"' % (target, pipeline)
            self._known[destination] = known
        return known


def _runs(sealed: Sealed) -> Iterator[_Run]:
    """Yield the entries by window; without windows they are the signer's own."""
    start = 0
    for window in sealed.windows:
        stop = start + window.events
        if window.events:
            yield _Run(start, stop, window.sender, window.received, window.peer)
        start = stop
    if start < sealed.seal.count:
        sender = signer_of(sealed.seal.origin)
        yield _Run(start, sealed.seal.count, sender, sealed.seal.time)
