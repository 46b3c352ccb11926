"""Write the byte streams under fixtures/wire, one file for each fact of the wire.

The bytes are made here with `struct` alone, not with the package under test.
What a receiver must make of each stream stands in tests/lumberjack/facts.py,
under the stream's name. A number is that of a fact which other receivers' own tests
hold; `row` marks what was measured on two receivers side by side, `rule` what only
this project decides.

Usage: python tools/make_wire_fixtures.py [FOLDER]
"""

import json
import struct
import sys
import zlib
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent.parent / "fixtures" / "wire"


def window(version: int, count: int) -> bytes:
    """Build a `W` frame."""
    return struct.pack(">BBL", 0x30 + version, ord("W"), count)


def event(version: int, sequence: int, payload: bytes = b"{}") -> bytes:
    """Build a `J` frame."""
    head = struct.pack(">BBLL", 0x30 + version, ord("J"), sequence, len(payload))
    return head + payload


def data(version: int, sequence: int, *pairs: tuple[bytes, bytes]) -> bytes:
    """Build a `D` frame; without pairs it has the one pair ``line``: ``a``."""
    pairs = pairs or ((b"line", b"a"),)
    frame = struct.pack(">BBLL", 0x30 + version, ord("D"), sequence, len(pairs))
    for item in (item for pair in pairs for item in pair):
        frame += struct.pack(">L", len(item)) + item
    return frame


def stored(content: bytes) -> bytes:
    """Build a zlib stream of stored blocks, whose bytes depend on no zlib."""
    stream = b"\x78\x01"
    blocks = [content[at : at + 0xFFFF] for at in range(0, len(content), 0xFFFF)]
    for number, block in enumerate(blocks or [b""], 1):
        last = number >= len(blocks)
        stream += struct.pack("<BHH", last, len(block), 0xFFFF ^ len(block)) + block
    return stream + struct.pack(">L", zlib.adler32(content))


def framed(version: int, stream: bytes) -> bytes:
    """Build a `C` frame around any bytes."""
    return struct.pack(">BBL", 0x30 + version, ord("C"), len(stream)) + stream


def packed(version: int, *frames: bytes) -> bytes:
    """Build a `C` frame around frames."""
    return framed(version, stored(b"".join(frames)))


def events(version: int, first: int, count: int) -> bytes:
    """Build `J` frames numbered from ``first``, each of which says its place."""
    return b"".join(
        event(version, first + place, b'{"n":%d}' % place) for place in range(count)
    )


def lines(version: int, first: int, count: int) -> bytes:
    """Build `D` frames numbered from ``first``; 1 follows 4294967295."""
    return b"".join(
        data(version, (first + place - 1) % 0xFFFFFFFF + 1, (b"line", b"%d" % place))
        for place in range(count)
    )


ACCENTS = "é ç ï À Ç Ï 国際".encode()
PAIR = ((b"line", b"a"), (b"n", b"1"))
NESTED = json.dumps({"a": {"b": [1, 2.5, None, "国際"]}}, ensure_ascii=False).encode()
W1 = window(2, 1)


def number(text: str, value: int) -> bytes:
    """Build the first 10 bytes of a `J` or `D` frame with any last number."""
    return text.encode() + struct.pack(">LL", 1, value)


FACTS = {
    "01-json-bare": window(2, 20) + events(2, 1, 20),
    "02-json-compressed": window(2, 20) + packed(2, events(2, 1, 20)),
    "03-data-bare": window(1, 20) + b"".join(data(1, n + 1, *PAIR) for n in range(20)),
    "03-data-compressed": window(1, 20)
    + packed(1, *(data(1, n + 1, *PAIR) for n in range(20))),
    "04-json-accents": window(2, 20)
    + b"".join(
        event(2, n + 1, b'{"%b":%d,"m":"%b"}' % (ACCENTS, n, ACCENTS))
        for n in range(20)
    ),
    "05-data-accents": window(1, 1) + data(1, 1, (ACCENTS, ACCENTS), (b"n", b"0")),
    "06-random-bytes": Random(6).randbytes(10_000),
    "07-empty-window-v1": window(1, 0),
    "07-empty-window-v2": window(2, 0),
    "07-empty-window-empty-compressed": window(2, 0) + packed(2),
    "08-json-length-minus-one": W1 + number("2J", 0xFFFFFFFF),
    "08-json-length-zero": W1 + number("2J", 0),
    "09-pairs-minus-one": window(1, 1) + number("1D", 0xFFFFFFFF),
    "09-pairs-zero": window(1, 1) + number("1D", 0),
    "10-stream-cut": W1 + framed(2, bytes.fromhex("789c33f26260606004")),
    "10-content-cut": W1 + packed(2, event(2, 1)[:6]),
    "10-content-cut-in-payload": W1 + packed(2, event(2, 1)[:-1]),
    "11-any-start": window(2, 5) + events(2, 190_412, 5),
    "12-two-of-two": window(2, 2) + events(2, 8, 2),
    "12-one-of-two": window(2, 2) + events(2, 8, 1),
    "13-order-kept": window(2, 4096) + packed(2, events(2, 1, 4096)),
    "14-version-one": window(1, 1) + data(1, 1),
    "14-version-two": W1 + event(2, 1),
    "14-version-three": window(3, 1),
    "27-window-at-limit": W1 + event(2, 1),
    "27-window-above-limit": window(2, 101),
    "28-bad-version": b"XW\x00\x00\x00\x01",
    "28-bad-type": b"2X\x00\x00\x00\x01",
    "28-bad-version-and-type": b"XY\x00\x00\x00\x01",
    "29-large-window-then-end": window(2, 50_000),
    "30-one-ack-per-window": window(1, 7) + packed(1, lines(1, 101, 7)),
    "31-sequence-wraps": window(1, 100) + packed(1, lines(1, 0xFFFFFFFF - 49, 100)),
    "32-any-start-single-and-many": window(1, 1)
    + packed(1, lines(1, 7_000_000, 1))
    + window(1, 3)
    + packed(1, lines(1, 7_000_001, 3)),
    "33-multi-byte": window(1, 2)
    + data(1, 1, (b"line", ACCENTS))
    + event(1, 2, NESTED),
    "34-tls-hello": bytes.fromhex("16030102000100"),
    "35-no-partial-acks": window(2, 10) + events(2, 1, 10),
    "36-data-frame": window(1, 1) + data(1, 1, *PAIR),
    "37-invalid-json": W1 + event(2, 1, b"{ not valid json "),
    "37-text-for-zlib": W1 + framed(2, b"this is not zlib"),
    "38-window-in-window": window(1, 2) + data(1, 1) + window(1, 5),
    "38-window-in-window-compressed": packed(1, window(1, 2), data(1, 1), window(1, 5)),
    "39-nested": W1 + packed(2, packed(2, event(2, 1))),
    "39-thousand-frames": window(1, 1000) + packed(1, lines(1, 1, 1000)),
    "40-json-above-limit": W1 + number("2J", (32 << 20) + 1),
    "40-pairs-above-limit": window(1, 1) + number("1D", 1025),
    "40-item-above-limit": window(1, 1) + number("1D", 1) + b"\x02\x00\x00\x01",
    "42-two-windows": window(1, 1) + data(1, 1) + window(1, 2) + lines(1, 1, 2),
    "42-numbers-run-on": window(2, 2) + lines(2, 1, 2) + window(2, 2) + lines(2, 3, 2),
    "42-one-of-four": window(2, 4) + lines(2, 1, 1),
    "42-two-compressed": window(2, 4)
    + packed(2, lines(2, 1, 2))
    + packed(2, lines(2, 3, 2)),
    "42-window-in-compressed": packed(2, window(2, 2), lines(2, 1, 2)),
    "43-five-and-two": window(2, 5)
    + packed(2, events(2, 1, 5))
    + window(2, 2)
    + packed(2, events(2, 1, 2)),
    "44-complete-then-open": window(2, 2)
    + events(2, 1, 2)
    + window(2, 1000)
    + events(2, 1, 3),
}

ROWS = {
    "row-numbers-run-on": window(2, 2) + events(2, 26, 2),
    "row-from-zero": window(2, 2) + events(2, 0, 2),
    "row-falling": window(2, 2) + event(2, 2) + event(2, 1),
    "row-all-one": window(2, 3) + event(2, 1) * 3,
    "row-wrap": window(1, 2) + packed(1, lines(1, 0xFFFFFFFF, 2)),
    "row-all-compressed": packed(2, window(2, 2), events(2, 1, 2)),
    "row-two-compressed": window(2, 4)
    + packed(2, events(2, 1, 2))
    + packed(2, events(2, 3, 2)),
    "row-nested": W1 + packed(2, packed(2, event(2, 1))),
    "row-empty": window(2, 0),
    "row-empty-compressed-window": window(2, 0) + packed(2) + W1 + event(2, 1),
    "row-empty-window": window(2, 0) + W1 + event(2, 1),
    "row-empty-v1": window(1, 0),
    "row-empty-v1-compressed": window(1, 0) + packed(1),
    "row-no-window": event(2, 1),
    "row-window-early": window(2, 3) + event(2, 1) + W1 + event(2, 1),
    "row-surplus": W1 + event(2, 1) + event(2, 2),
    "row-surplus-compressed": W1
    + packed(2, event(2, 1), event(2, 2))
    + W1
    + event(2, 1),
    "row-json-v1": window(1, 1) + event(1, 1),
    "row-data-v2": W1 + data(2, 1),
    "row-data-v1": window(1, 1) + data(1, 1),
    "row-json": W1 + event(2, 1),
    "row-json-empty": W1 + event(2, 1, b""),
    "row-json-huge": W1 + number("2J", 0x7FFFFFFF) + b"{}{",
    "row-json-minus-one": W1 + number("2J", 0xFFFFFFFF),
    "row-compressed-empty": W1 + framed(2, b""),
    "row-json-array": W1 + event(2, 1, b"[1,2]"),
    "row-json-number": W1 + event(2, 1, b"5"),
    "row-json-null": W1 + event(2, 1, b"null"),
    "row-json-bom": W1 + event(2, 1, b"\xef\xbb\xbf{}"),
    "row-json-same-key-twice": W1 + event(2, 1, b'{"a":1,"a":2}'),
    "row-json-junk-behind": W1 + event(2, 1, b'{"a":1}xyz'),
    "row-json-no-utf8": W1 + event(2, 1, b'{"a":"\xff\xfe"}'),
    "row-json-nan": W1 + event(2, 1, b'{"a":NaN}'),
    "row-pairs-zero": window(1, 1) + number("1D", 0),
    "row-zlib-junk-behind": W1 + framed(2, stored(event(2, 1)) + b"junk"),
    "row-zlib-no-checksum": W1 + framed(2, stored(event(2, 1))[:-4]),
    "row-window-10001": window(2, 10_001),
    "row-version-three": b"3W\x00\x00\x00\x01",
    "row-type-x": b"2X\x00\x00\x00\x01",
    "row-type-ack": b"2A\x00\x00\x00\x01",
    "row-http": b"GET / HTTP/1.1\r\n",
    "row-tls": b"\x16\x03\x01",
    "row-silence-in-window": window(2, 2) + event(2, 1),
    "row-silence-in-frame": b"2",
}

RULES = {
    "rule-bare-goes-on": window(1, 2) + lines(1, 1, 5) + data(1, 6)[:-1],
    "rule-bare-then-compressed": window(1, 1) + data(1, 1) + packed(1, data(1, 2)),
    "rule-bare-then-json": window(1, 2) + data(1, 1) + event(1, 2) + data(1, 3),
    "rule-bare-then-empty": window(1, 1) + data(1, 1) + window(1, 0) + data(1, 2),
    "rule-bare-then-window": window(1, 1)
    + lines(1, 1, 1)
    + window(1, 2)
    + lines(1, 2, 3),
    "rule-bare-window-early": window(1, 2) + lines(1, 1, 3) + window(1, 2),
    "rule-bare-v2": window(2, 1) + data(2, 1) + data(2, 2),
    "rule-data-without-window": data(1, 1),
    "rule-compressed-without-window": packed(2, event(2, 1)),
    "rule-empty-compressed": packed(2) + W1 + packed(2) + event(2, 1) + packed(2),
    "rule-complete-then-violation": W1 + event(2, 1) + b"XW",
    "rule-violation-in-window": window(2, 2) + event(2, 1) + b"2X",
    "rule-violation-in-compressed": packed(2, W1, event(2, 1), b"2X"),
    "rule-windows-in-compressed": packed(
        2, W1, event(2, 1), W1, event(2, 2), window(1, 0)
    ),
    "rule-crossed": window(1, 3) + event(2, 1) + data(2, 2) + event(1, 3),
    "rule-line-twice": window(1, 1) + data(1, 1, (b"line", b"a"), (b"line", b"b")),
    "rule-line-upper": window(1, 1) + data(1, 1, (b"LINE", b"a")),
    "rule-json-like-line": window(1, 1) + event(1, 1, data(1, 1)[6:]),
    "rule-line-empty": window(1, 1) + packed(1, data(1, 1, (b"line", b""))),
    "rule-key-empty": window(1, 1) + data(1, 1, (b"", b"")),
    "rule-gzip": W1
    + framed(2, bytes.fromhex("1f8b0800000000000003ab050043bfa6a302000000")),
    "rule-zlib-bad-checksum": W1 + framed(2, stored(event(2, 1))[:-1] + b"?"),
    "rule-compressed-above-limit": W1 + b"2C" + struct.pack(">L", (64 << 20) + 1),
    "rule-http-post": b"POST /_bulk HTTP/1.1\r\n",
    "rule-http-answer": b"HTTP/1.1 400 Bad Request\r\n",
    "rule-json-text": b'{"message":"x"}\n',
    "rule-syslog": b"<34>1 2026-11-23T09:00:00Z",
    "rule-almost-http": b"GETX",
    "rule-http-later": W1 + event(2, 1) + b"GET / HTTP/1.1\r\n",
    "rule-http-compressed": packed(2, b"GET / HTTP/1.1\r\n"),
}


def main(folder: Path = FOLDER) -> None:
    """Write every stream; files of other names are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, stream in {**FACTS, **ROWS, **RULES}.items():
        (folder / f"{name}.bin").write_bytes(stream)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
