"""The outcomes of fixtures/wire that were measured or decided, see facts.py.

A row is a line of the table of two receivers run side by side; where they differ
protocol/README.md says what is taken. A rule is decided by this project alone.
"""

from lumberjack import Reason
from tests.lumberjack.facts import Fact, block, delivered, refused, window

__all__ = ["ROWS", "RULES"]

_TWO = (b'{"n":0}', b'{"n":1}')
_ONE = delivered(b"{}")
_EMPTY = Fact((window(2, 0),))
_EMPTY_V1 = Fact((window(1, 0),))
_NO_ZLIB = "is no zlib stream"

ROWS: dict[str, Fact] = {
    "row-numbers-run-on": Fact((window(2, 27, *_TWO),)),
    "row-from-zero": Fact((window(2, 1, *_TWO),)),
    "row-falling": Fact((window(2, 1, b"{}", b"{}"),)),
    "row-all-one": Fact((window(2, 1, b"{}", b"{}", b"{}"),)),
    "row-wrap": Fact((window(1, 1, b"0", b"1", forms=b"L"),)),
    "row-all-compressed": Fact((window(2, 2, *_TWO),)),
    "row-two-compressed": Fact((window(2, 4, *_TWO, *_TWO),)),
    "row-nested": refused(
        Reason.NESTED, "compressed frame of 23 bytes inside a compressed frame"
    ),
    "row-empty": _EMPTY,
    "row-empty-compressed-window": Fact((window(2, 0), window(2, 1, b"{}"))),
    "row-empty-window": Fact((window(2, 0), window(2, 1, b"{}"))),
    "row-empty-v1": _EMPTY_V1,
    "row-empty-v1-compressed": _EMPTY_V1,
    "row-no-window": refused(
        Reason.NO_WINDOW, "json frame of sequence 1 before any window"
    ),
    "row-window-early": refused(
        Reason.WINDOW_OPEN,
        "window of 1 events announced while 2 of 3 events are missing",
    ),
    "row-surplus": refused(
        Reason.SURPLUS,
        "json frame of sequence 2 beyond the window of 1 events",
        window(2, 1, b"{}"),
    ),
    "row-surplus-compressed": refused(
        Reason.SURPLUS, "json frame of sequence 2 beyond the window of 1 events"
    ),
    "row-json-v1": Fact((window(1, 1, b"{}"),)),
    "row-data-v2": Fact((window(2, 1, b"a", forms=b"L"),)),
    "row-data-v1": Fact((window(1, 1, b"a", forms=b"L"),)),
    "row-json": _ONE,
    "row-json-empty": refused(Reason.JSON_LENGTH, "invalid json length 0"),
    "row-json-huge": refused(
        Reason.LIMIT, "json payload of 2147483647 bytes exceeds the limit of 33554432"
    ),
    "row-json-minus-one": refused(Reason.JSON_LENGTH, "invalid json length 4294967295"),
    "row-compressed-empty": refused(Reason.INFLATE, "compressed frame of 0 bytes"),
    "row-json-array": delivered(b"[1,2]"),
    "row-json-number": delivered(b"5"),
    "row-json-null": delivered(b"null"),
    "row-json-bom": delivered(b"\xef\xbb\xbf{}"),
    "row-json-same-key-twice": delivered(b'{"a":1,"a":2}'),
    "row-json-junk-behind": delivered(b'{"a":1}xyz'),
    "row-json-no-utf8": delivered(b'{"a":"\xff\xfe"}'),
    "row-json-nan": delivered(b'{"a":NaN}'),
    "row-pairs-zero": refused(Reason.PAIRS, "invalid number of fields 0"),
    "row-zlib-junk-behind": refused(
        Reason.INFLATE,
        "compressed frame of 27 bytes holds 4 bytes behind its zlib stream",
    ),
    "row-zlib-no-checksum": refused(
        Reason.INFLATE, "compressed frame of 19 bytes ends before its zlib stream"
    ),
    "row-window-10001": Fact(is_open=True),
    "row-version-three": refused(
        Reason.BAD_VERSION, "version byte 0x33 is neither '1' nor '2'"
    ),
    "row-type-x": refused(Reason.BAD_TYPE, "type byte 0x58 is none of W, C, J, D"),
    "row-type-ack": refused(Reason.BAD_TYPE, "type byte 0x41 is none of W, C, J, D"),
    "row-http": refused(Reason.HTTP, "the peer speaks HTTP: it began with b'GET '"),
    "row-tls": refused(
        Reason.TLS_ON_PLAIN,
        r"the peer speaks TLS on a plain listener: it began with b'\x16\x03'",
    ),
    "row-silence-in-window": Fact(is_open=True),
    "row-silence-in-frame": Fact(is_open=True),
}

RULES: dict[str, Fact] = {
    "rule-bare-goes-on": Fact(
        (
            window(1, 2, b"0", b"1", forms=b"L"),
            window(1, 4, b"2", b"3", forms=b"L"),
        ),
        is_open=True,
        left=(window(1, 5, b"4", forms=b"L", size=2),),
    ),
    "rule-bare-then-compressed": refused(
        Reason.SURPLUS,
        "data frame of sequence 2 beyond the window of 1 events",
        window(1, 1, b"a", forms=b"L"),
    ),
    "rule-bare-then-json": refused(
        Reason.SURPLUS,
        "data frame of sequence 3 beyond the window of 2 events",
        window(1, 2, b"a", b"{}", forms=b"LJ"),
    ),
    "rule-bare-then-empty": refused(
        Reason.SURPLUS,
        "data frame of sequence 2 beyond the window of 0 events",
        window(1, 1, b"a", forms=b"L"),
        window(1, 0),
    ),
    "rule-bare-then-window": Fact(
        (
            window(1, 1, b"0", forms=b"L"),
            window(1, 3, b"0", b"1", forms=b"L"),
        ),
        is_open=True,
        left=(window(1, 4, b"2", forms=b"L", size=2),),
    ),
    "rule-bare-window-early": refused(
        Reason.WINDOW_OPEN,
        "window of 2 events announced while 1 of 2 events are missing",
        window(1, 2, b"0", b"1", forms=b"L"),
    ),
    "rule-bare-v2": refused(
        Reason.SURPLUS,
        "data frame of sequence 2 beyond the window of 1 events",
        window(2, 1, b"a", forms=b"L"),
    ),
    "rule-data-without-window": refused(
        Reason.NO_WINDOW, "data frame of sequence 1 before any window"
    ),
    "rule-compressed-without-window": refused(
        Reason.NO_WINDOW, "json frame of sequence 1 before any window"
    ),
    "rule-empty-compressed": _ONE,
    "rule-complete-then-violation": refused(
        Reason.BAD_VERSION,
        "version byte 0x58 is neither '1' nor '2'",
        window(2, 1, b"{}"),
    ),
    "rule-violation-in-window": refused(
        Reason.BAD_TYPE, "type byte 0x58 is none of W, C, J, D"
    ),
    "rule-violation-in-compressed": refused(
        Reason.BAD_TYPE, "type byte 0x58 is none of W, C, J, D"
    ),
    "rule-windows-in-compressed": Fact(
        (window(2, 1, b"{}"), window(2, 2, b"{}"), window(1, 0))
    ),
    "rule-crossed": Fact((window(1, 3, b"{}", b"a", b"{}", forms=b"JLJ"),)),
    "rule-line-twice": Fact(
        (window(1, 1, block(b"line", b"a", b"line", b"b"), forms=b"D"),)
    ),
    "rule-line-upper": Fact((window(1, 1, block(b"LINE", b"a"), forms=b"D"),)),
    "rule-json-like-line": Fact((window(1, 1, block(b"line", b"a")),)),
    "rule-line-empty": Fact((window(1, 1, b"", forms=b"L"),)),
    "rule-key-empty": Fact((window(1, 1, block(b"", b""), forms=b"D"),)),
    "rule-gzip": refused(Reason.INFLATE, f"compressed frame of 21 bytes {_NO_ZLIB}"),
    "rule-zlib-bad-checksum": refused(
        Reason.INFLATE, f"compressed frame of 23 bytes {_NO_ZLIB}"
    ),
    "rule-compressed-above-limit": refused(
        Reason.LIMIT, "compressed frame of 67108865 bytes exceeds the limit of 67108864"
    ),
    "rule-http-post": refused(
        Reason.HTTP, "the peer speaks HTTP: it began with b'POST '"
    ),
    "rule-http-answer": refused(
        Reason.HTTP, "the peer speaks HTTP: it began with b'HTTP'"
    ),
    "rule-json-text": refused(
        Reason.JSON_TEXT, "the peer speaks JSON text without frames: it began with b'{'"
    ),
    "rule-syslog": refused(Reason.SYSLOG, "the peer speaks syslog: it began with b'<'"),
    "rule-almost-http": refused(
        Reason.BAD_VERSION, "version byte 0x47 is neither '1' nor '2'"
    ),
    "rule-http-later": refused(
        Reason.BAD_VERSION,
        "version byte 0x47 is neither '1' nor '2'",
        window(2, 1, b"{}"),
    ),
    "rule-http-compressed": refused(
        Reason.BAD_VERSION, "version byte 0x47 is neither '1' nor '2'"
    ),
}
