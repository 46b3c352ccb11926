"""Render a seal and its entries as bulk requests, ready to send.

The bytes of a write are its requests as an array of msgpack. They are sent as
they stand; only what was not stored at once is taken apart again. The seal is
the last item of the last request.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, cast

import msgspec
from isal import isal_zlib
from msgspec import Struct

from beats_signer.chain.encoding import encode_base64
from beats_signer.chain.origin import signer_of
from beats_signer.chain.times import format_time
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.document import shape
from beats_signer.store.elasticsearch.places import default_target, seals_index

__all__ = [
    "BodyError",
    "Part",
    "build_body",
    "build_part",
    "id_of",
    "ids_of",
    "open_part",
    "seal_id",
    "split_body",
]

_MAGIC: Final = b"bulk\x01"
_GZIP: Final = 31
"""``wbits`` of the gzip format."""
_LEVEL: Final = 1
_ID_BYTES: Final = 21
_ID_CHARACTERS: Final = 28
_ENTRY_BYTES: Final = 300
"""About what a document has besides the payload, which it holds twice."""

_IsalError = cast(type[Exception], isal_zlib.error)
"""Its stub declares an instance where the library has a class."""
_ENCODE = msgspec.json.encode


class BodyError(Exception):
    """The bytes are not those of a write to Elasticsearch; the message says why."""


class Part(Struct, frozen=True, array_like=True):
    """One bulk request of a write."""

    count: int
    """Items in it."""
    size: int
    """Bytes of its lines."""
    data: bytes
    """Its lines, as gzip."""
    chosen: tuple[int, ...] = ()
    """Which of its items have a target or pipeline that their sender named."""


_PARTS = msgspec.msgpack.Decoder(list[Part])


@dataclass(frozen=True, slots=True)
class _Run:
    """Entries that stand one after the other and came in one window."""

    start: int
    stop: int
    sender: str
    received: int


def build_body(sealed: Sealed, part_bytes: int) -> bytes:
    """Return the bytes of a write whose requests have about ``part_bytes`` each."""
    lines = _entry_lines(sealed) + _seal_lines(sealed)
    sizes = [len(payload) * 2 + _ENTRY_BYTES for payload in sealed.entries.payloads]
    stops = [*_stops(sizes, part_bytes), len(sizes) + 1]
    parts = [
        build_part(lines[start * 2 : stop * 2], _chosen(sealed, start, stop))
        for start, stop in pairwise([0, *stops])
    ]
    return _MAGIC + msgspec.msgpack.encode(parts)


def build_part(lines: Sequence[bytes], chosen: tuple[int, ...] = ()) -> Part:
    """Return the request of some lines, which each end in a line feed."""
    joined = b"".join(lines)
    data = isal_zlib.compress(joined, _LEVEL, _GZIP)
    return Part(len(lines) // 2, len(joined), data, chosen)


def split_body(body: bytes) -> list[Part]:
    """Return the requests of a write.

    Raises:
        BodyError: The bytes were not made by ``build_body``.
    """
    if not body.startswith(_MAGIC):
        raise BodyError("they were made for another kind of store")
    try:
        return _PARTS.decode(memoryview(body)[len(_MAGIC) :])
    except msgspec.MsgspecError as error:
        raise BodyError(f"they are damaged: {error}") from error


def open_part(part: Part) -> list[bytes]:
    """Return the lines of a request: action, document, and so on.

    Raises:
        BodyError: They are not what the part says.
    """
    inflater = isal_zlib.decompressobj(_GZIP)
    try:
        raw = inflater.decompress(part.data, part.size + 1)
    except _IsalError as error:
        raise BodyError(f"request does not inflate: {error}") from error
    *lines, rest = raw.split(b"\n")
    if len(raw) != part.size or len(lines) != 2 * part.count or rest:
        raise BodyError(f"request of {part.count} items has {len(lines)} lines")
    return [line + b"\n" for line in lines]


def ids_of(chain: bytes, first: int, leaves: bytes) -> bytes:
    """Return the ``_id`` of entries that follow each other, 28 characters each."""
    prefix = chain[:8]
    count = len(leaves) // 32
    joined = b"".join(
        [
            prefix + (first + n).to_bytes(6, "big") + leaves[n * 32 : n * 32 + 7]
            for n in range(count)
        ]
    )
    return urlsafe_b64encode(joined)


def id_of(chain: bytes, index: int, leaf: bytes) -> str:
    """Return the ``_id`` of one entry."""
    return ids_of(chain, index, leaf).decode()


def seal_id(chain: bytes, number: int) -> str:
    """Return the ``_id`` of a seal."""
    return f"{chain.hex()[:32]}-{number:012d}"


def _entry_lines(sealed: Sealed) -> list[bytes]:
    """Return action and document of every entry; this is the hot path."""
    seal, entries = sealed.seal, sealed.entries
    ids = ids_of(sealed.chain, seal.first, sealed.record.leaves)
    actions = _Actions(sealed)
    chain = sealed.chain.hex()[:32].encode()
    head = b'{"beats_signer":{"chain":"%b","index":' % chain
    forms, payloads, salts = entries.forms, entries.payloads, entries.salts
    lines: list[bytes] = []
    add = lines.append
    for run in _runs(sealed):
        received = _ENCODE(format_time(run.received))
        sender = _ENCODE(run.sender)
        middles = {
            form: b',"seal":%d,"form":"%c","sender":%b,"payload'
            % (seal.number, form, sender)
            for form in set(forms[run.start : run.stop])
        }
        action = actions.default
        for position in range(run.start, run.stop):
            form, payload = forms[position], payloads[position]
            try:
                text: str | None = payload.decode()
                value = b'":' + _ENCODE(text)
            except UnicodeDecodeError:
                text = None
                value = b'_base64":"%b"' % encode_base64(payload).encode()
            if salts is not None:
                value += b',"salt":"%b"' % encode_base64(salts[position]).encode()
            if actions.each is not None:
                action = actions.of(actions.each[position])
            at = position * _ID_CHARACTERS
            add(b'%b%b"}}\n' % (action, ids[at : at + _ID_CHARACTERS]))
            add(
                b"%b%d%b%b},%b\n"
                % (
                    head,
                    seal.first + position,
                    middles[form],
                    value,
                    shape(form, payload, text, received),
                )
            )
    return lines


class _Actions:
    """The action lines of a seal's entries, up to the ``_id``."""

    def __init__(self, sealed: Sealed) -> None:
        self.each = sealed.destinations
        self._known: dict[Destination | None, bytes] = {}
        self._target = default_target(sealed.seal.origin)
        self.default = self.of(None)

    def of(self, destination: Destination | None) -> bytes:
        known = self._known.get(destination)
        if known is None:
            place = destination or Destination(self._target)
            pipeline = b""
            if place.pipeline is not None:
                pipeline = b'"pipeline":%b,' % _ENCODE(place.pipeline)
            known = b'{"create":{"_index":%b,%b"_id":"' % (
                _ENCODE(place.target),
                pipeline,
            )
            self._known[destination] = known
        return known


def _runs(sealed: Sealed) -> Iterator[_Run]:
    """Yield the entries by window; without windows they are the signer's own."""
    start = 0
    for window in sealed.windows:
        if window.events:
            yield _Run(start, start + window.events, window.sender, window.received)
            start += window.events
    if start < sealed.seal.count:
        sender = signer_of(sealed.seal.origin)
        yield _Run(start, sealed.seal.count, sender, sealed.seal.time)


def _seal_lines(sealed: Sealed) -> list[bytes]:
    seal, record = sealed.seal, sealed.record
    action = {
        "create": {
            "_index": seals_index(seal.time),
            "_id": seal_id(sealed.chain, seal.number),
        }
    }
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


def _stops(sizes: Sequence[int], most: int) -> Iterator[int]:
    """Yield where each request but the last ends, for items of these sizes."""
    base = total = 0
    for position, size in enumerate(sizes):
        if total + size - base > most and total > base:
            yield position
            base = total
        total += size


def _chosen(sealed: Sealed, start: int, stop: int) -> tuple[int, ...]:
    if sealed.destinations is None:
        return ()
    destinations = sealed.destinations[start:stop]
    return tuple(
        position
        for position, destination in enumerate(destinations)
        if destination is not None and destination.is_chosen_by_sender
    )
