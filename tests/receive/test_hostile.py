"""Bad streams end their connection at once, hold no memory and hurt nobody else."""

import struct
import tracemalloc
import zlib

import pytest

from beats_signer.receive.patience import Patience
from beats_signer.receive.state import SessionState
from lumberjack import Connection, LimitError, Limits, Reason
from tests.receive.world import World, window_of

KEEPALIVE = b"2A\0\0\0\0"
MIB = 1 << 20


def frame(kind: bytes, *numbers: int, content: bytes = b"") -> bytes:
    return b"2" + kind + struct.pack(f">{len(numbers)}I", *numbers) + content


def compressed(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return frame(b"C", len(packed), content=packed)


WINDOW = frame(b"W", 2)
EVENT = frame(b"J", 1, 2, content=b"{}")

HOSTILE = {
    "premature window": (WINDOW + EVENT + WINDOW, Reason.WINDOW_OPEN),
    "unknown frame": (WINDOW + b"2X", Reason.BAD_TYPE),
    "bad version": (b"3W\0\0\0\1", Reason.BAD_VERSION),
    "garbage": (bytes(range(200, 256)) * 40, Reason.BAD_VERSION),
    "length of 2 GiB": (WINDOW + frame(b"J", 1, 2**31 - 1), Reason.LIMIT),
    "window of 2^32": (frame(b"W", 2**32 - 1), Reason.LIMIT),
    "compressed 4 GiB": (WINDOW + frame(b"C", 2**32 - 1), Reason.LIMIT),
    "pairs of 2^31": (WINDOW + frame(b"D", 1, 2**31 - 1), Reason.LIMIT),
    "nested": (WINDOW + compressed(compressed(EVENT)), Reason.NESTED),
    "bomb": (WINDOW + compressed(bytes(64 * MIB)), Reason.LIMIT),
    "not zlib": (WINDOW + frame(b"C", 9, content=b"plaintext"), Reason.INFLATE),
    "surplus": (frame(b"W", 1) + compressed(EVENT * 2), Reason.SURPLUS),
}


@pytest.mark.parametrize(("stream", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_stream_ends_its_connection_before_any_time_has_passed(
    world: World, stream: bytes, reason: Reason
) -> None:
    honest, hostile = world.connect(), world.connect("192.0.2.66")
    hostile.send(stream)

    assert hostile.state is SessionState.LINGERING
    assert hostile.answers == []
    assert hostile.network.calls == ["write_eof"]
    counted = {why: count for why, count in world.terms.tallies.protocol_errors.items()}
    assert {why for why, count in counted.items() if count} == {reason}
    assert counted[reason] == 1
    assert world.budget.used_bytes == 0
    honest.send(window_of(1))
    world.signing.store(0)
    assert honest.answers == [b"2A\0\0\0\1"]


@pytest.mark.parametrize(
    "name", ["length of 2 GiB", "window of 2^32", "compressed 4 GiB", "pairs of 2^31"]
)
def test_an_announced_size_costs_no_memory(name: str) -> None:
    stream, _ = HOSTILE[name]
    connection = Connection(Limits())
    tracemalloc.start()
    try:
        connection.receive_data(stream)
        with pytest.raises(LimitError):
            connection.next_batch()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MIB // 4


def test_five_hundred_that_wait_all_get_a_sign_of_life_every_five_seconds() -> None:
    world = World()
    senders = [world.connect(f"192.0.2.{number}") for number in range(200)] + [
        world.connect("198.51.100.1") for _ in range(300)
    ]
    for sender in senders:
        sender.send(window_of(2))
    for second in range(1, 31):
        world.timers.advance(1)
        assert all(
            sender.answers == [KEEPALIVE] * (second // 5) for sender in senders
        ), second


def test_bytes_now_and_then_hold_no_more_than_they_are() -> None:
    world = World(Patience(window_seconds=60))
    slow = [world.connect(f"192.0.2.{number}") for number in range(50)]
    stream = window_of(4, size=100)
    for second in range(59):
        for sender in slow:
            sender.send(stream[second : second + 1])
        world.timers.advance(1)
    assert all(sender.state is SessionState.READING for sender in slow)
    assert world.budget.used_bytes <= 50 * 60
    world.timers.advance(2)

    assert all(sender.state is not SessionState.READING for sender in slow)
    assert world.budget.used_bytes == 0
