"""What a receiver must make of each stream under fixtures/wire.

The streams are made by tools/make_wire_fixtures.py, which also explains their
names. Facts of the receivers' own tests that are not about the wire are tested
elsewhere: 15 (consumer fails, idle close, many connections), 19, 20, 22-24, 26
and 45 with the receiving side; 16-18, 21 and 25 with the event documents and
sessions; 34 with TLS but for the hello on a plain port; so are the rows of the
table about time: slow windows, keep-alives, silence beyond `window_open`.
"""

from dataclasses import dataclass

from lumberjack import Batch, Limits, Reason

__all__ = ["RECEIVERS", "Fact", "block", "delivered", "refused", "window"]


@dataclass(frozen=True, slots=True)
class Fact:
    """The outcome of one stream."""

    batches: tuple[Batch, ...] = ()
    """What is delivered, and acknowledged, while the peer is connected."""

    error: tuple[Reason, str] | None = None
    """Why the connection is closed, type and message."""

    is_open: bool = False
    """Whether the peer owes more bytes at the end of the stream."""

    left: tuple[Batch, ...] = ()
    """What a clean close adds: delivered, never acknowledged."""

    limits: Limits = Limits()  # noqa: RUF009 (a frozen value)


def window(
    version: int,
    sequence: int,
    *payloads: bytes,
    forms: bytes = b"J",
    size: int | None = None,
) -> Batch:
    """Return a batch; one form stands for all, ``size`` marks an unfinished one."""
    return Batch(
        version=version,
        size=len(payloads) if size is None else size,
        sequence=sequence,
        forms=forms * len(payloads) if len(forms) == 1 else forms,
        payloads=payloads,
        payload_bytes=sum(map(len, payloads)),
        acknowledged=size is None,
    )


def delivered(payload: bytes) -> Fact:
    """Return the outcome of one event in one version 2 window."""
    return Fact((window(2, 1, payload),))


def refused(reason: Reason, message: str, *batches: Batch) -> Fact:
    """Return the outcome of a violation, after what was complete before it."""
    return Fact(batches, (reason, message))


def _places(count: int) -> list[bytes]:
    return [b'{"n":%d}' % place for place in range(count)]


def _lines(count: int) -> list[bytes]:
    return [b"%d" % place for place in range(count)]


def block(*items: bytes) -> bytes:
    """Return a pairs block of keys and values in turn."""
    sized = b"".join(len(item).to_bytes(4, "big") + item for item in items)
    return (len(items) // 2).to_bytes(4, "big") + sized


_ACCENTS = "é ç ï À Ç Ï 国際".encode()
_PAIR = block(b"line", b"a", b"n", b"1")
_J1 = window(2, 1, b"{}")
_L1 = window(1, 1, b"a", forms=b"L")
_TEN = window(2, 10, *_places(10))

RECEIVERS: dict[str, Fact] = {
    "01-json-bare": Fact((window(2, 20, *_places(20)),)),
    "02-json-compressed": Fact((window(2, 20, *_places(20)),)),
    "03-data-bare": Fact((window(1, 20, *[_PAIR] * 20, forms=b"D"),)),
    "03-data-compressed": Fact((window(1, 20, *[_PAIR] * 20, forms=b"D"),)),
    "04-json-accents": Fact(
        (
            window(
                2,
                20,
                *(b'{"%b":%d,"m":"%b"}' % (_ACCENTS, n, _ACCENTS) for n in range(20)),
            ),
        )
    ),
    "05-data-accents": Fact(
        (window(1, 1, block(_ACCENTS, _ACCENTS, b"n", b"0"), forms=b"D"),)
    ),
    "06-random-bytes": refused(
        Reason.BAD_VERSION, "version byte 0xfe is neither '1' nor '2'"
    ),
    "07-empty-window-v1": Fact((window(1, 0),)),
    "07-empty-window-v2": Fact((window(2, 0),)),
    "07-empty-window-empty-compressed": Fact((window(2, 0),)),
    "08-json-length-minus-one": refused(
        Reason.JSON_LENGTH, "invalid json length 4294967295"
    ),
    "08-json-length-zero": refused(Reason.JSON_LENGTH, "invalid json length 0"),
    "09-pairs-minus-one": refused(Reason.PAIRS, "invalid number of fields 4294967295"),
    "09-pairs-zero": refused(Reason.PAIRS, "invalid number of fields 0"),
    "10-stream-cut": refused(
        Reason.INFLATE, "compressed frame of 9 bytes ends before its zlib stream"
    ),
    "10-content-cut": refused(
        Reason.TRUNCATED,
        "insufficient bytes in compressed content: the last 6 of 6 are no whole frame",
    ),
    "10-content-cut-in-payload": refused(
        Reason.TRUNCATED,
        "insufficient bytes in compressed content:"
        " the last 11 of 11 are no whole frame",
    ),
    "11-any-start": Fact((window(2, 190_416, *_places(5)),)),
    "12-two-of-two": Fact((window(2, 9, *_places(2)),)),
    "12-one-of-two": Fact(is_open=True),
    "13-order-kept": Fact((window(2, 4096, *_places(4096)),)),
    "14-version-one": Fact((_L1,)),
    "14-version-two": Fact((_J1,)),
    "14-version-three": refused(
        Reason.BAD_VERSION, "version byte 0x33 is neither '1' nor '2'"
    ),
    "27-window-at-limit": Fact((_J1,), limits=Limits(window_events=1)),
    "27-window-above-limit": Fact(
        error=(Reason.LIMIT, "window of 101 events exceeds the limit of 100"),
        limits=Limits(window_events=100),
    ),
    "28-bad-version": refused(
        Reason.BAD_VERSION, "version byte 0x58 is neither '1' nor '2'"
    ),
    "28-bad-type": refused(Reason.BAD_TYPE, "type byte 0x58 is none of W, C, J, D"),
    "28-bad-version-and-type": refused(
        Reason.BAD_VERSION, "version byte 0x58 is neither '1' nor '2'"
    ),
    "29-large-window-then-end": Fact(is_open=True),
    "30-one-ack-per-window": Fact((window(1, 107, *_lines(7), forms=b"L"),)),
    "31-sequence-wraps": Fact((window(1, 50, *_lines(100), forms=b"L"),)),
    "32-any-start-single-and-many": Fact(
        (
            window(1, 7_000_000, *_lines(1), forms=b"L"),
            window(1, 7_000_003, *_lines(3), forms=b"L"),
        )
    ),
    "33-multi-byte": Fact(
        (
            window(
                1,
                2,
                _ACCENTS,
                '{"a": {"b": [1, 2.5, null, "国際"]}}'.encode(),
                forms=b"LJ",
            ),
        )
    ),
    "34-tls-hello": refused(
        Reason.TLS_ON_PLAIN,
        r"the peer speaks TLS on a plain listener: it began with b'\x16\x03'",
    ),
    "35-no-partial-acks": Fact((_TEN,)),
    "36-data-frame": Fact((window(1, 1, _PAIR, forms=b"D"),)),
    "37-invalid-json": Fact((window(2, 1, b"{ not valid json "),)),
    "37-text-for-zlib": refused(
        Reason.INFLATE, "compressed frame of 16 bytes is no zlib stream"
    ),
    "38-window-in-window": refused(
        Reason.WINDOW_OPEN,
        "window of 5 events announced while 1 of 2 events are missing",
    ),
    "38-window-in-window-compressed": refused(
        Reason.WINDOW_OPEN,
        "window of 5 events announced while 1 of 2 events are missing",
    ),
    "39-nested": refused(
        Reason.NESTED, "compressed frame of 23 bytes inside a compressed frame"
    ),
    "39-thousand-frames": Fact((window(1, 1000, *_lines(1000), forms=b"L"),)),
    "40-json-above-limit": refused(
        Reason.LIMIT, "json payload of 33554433 bytes exceeds the limit of 33554432"
    ),
    "40-pairs-above-limit": refused(
        Reason.LIMIT, "data frame of 1025 pairs exceeds the limit of 1024"
    ),
    "40-item-above-limit": refused(
        Reason.LIMIT, "key or value of 33554433 bytes exceeds the limit of 33554432"
    ),
    "42-two-windows": Fact((_L1, window(1, 2, *_lines(2), forms=b"L"))),
    "42-numbers-run-on": Fact(
        (
            window(2, 2, *_lines(2), forms=b"L"),
            window(2, 4, *_lines(2), forms=b"L"),
        )
    ),
    "42-one-of-four": Fact(is_open=True),
    "42-two-compressed": Fact((window(2, 4, *_lines(2) * 2, forms=b"L"),)),
    "42-window-in-compressed": Fact((window(2, 2, *_lines(2), forms=b"L"),)),
    "43-five-and-two": Fact((window(2, 5, *_places(5)), window(2, 2, *_places(2)))),
    "44-complete-then-open": Fact((window(2, 2, *_places(2)),), is_open=True),
}
