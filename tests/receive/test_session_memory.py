"""Many connections: memory stays flat, and nobody blocks the others for ever."""

import zlib

import pytest

from beats_signer.receive.clocks import Clock
from beats_signer.receive.patience import PROGRESS_BYTES, SILENCE_SECONDS, Patience
from beats_signer.receive.state import SessionState
from lumberjack import Limits
from lumberjack.builders import build_compressed, build_json, build_window_head
from tests.receive.world import Peer, World, window_of

MIB = 1 << 20


def large_window(size: int) -> bytes:
    """Return a window of one event of about *size* bytes."""
    return window_of(1, size=size)


def bomb(events: int, size: int, *, announced: int) -> bytes:
    """Return a small window that becomes large when it is inflated."""
    frames = b"".join(
        build_json(2, number, bytes(size)) for number in range(1, events + 1)
    )
    content = build_compressed(2, zlib.compress(frames, 9))
    return build_window_head(2, announced) + content


def test_what_a_connection_holds_is_given_back_with_its_receipt(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(100), window_of(3)[:30])
    assert world.budget.used_bytes > 100 * 12 + 24

    world.signing.store(0)
    assert 0 < world.budget.used_bytes < 500
    peer.send(window_of(3)[30:])
    world.signing.store(1)
    assert world.budget.used_bytes == 0


def test_a_window_counts_until_it_is_stored_even_when_its_sender_is_gone(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(large_window(MIB))
    peer.reset()
    assert world.budget.used_bytes > MIB

    world.signing.store(0)
    assert world.budget.used_bytes == 0


def test_senders_that_come_back_again_and_again_cannot_pile_up_windows() -> None:
    world = World(memory_bytes=10 * MIB)
    for _ in range(100):
        peer = world.connect()
        peer.send(*[large_window(MIB)] * 4)
        peer.reset()

    assert world.budget.used_bytes < 12 * MIB
    assert len(world.signing.windows) <= 10


def test_everybody_stops_when_one_spends_the_budget() -> None:
    world = World(memory_bytes=MIB)
    peers = [world.connect(f"192.0.2.{number}") for number in range(1, 6)]
    peers[0].send(large_window(2 * MIB))
    assert [peer.is_read for peer in peers] == [False] * 5

    world.signing.store(0)
    assert [peer.is_read for peer in peers] == [True] * 5


def test_a_new_connection_is_not_read_while_the_budget_is_spent() -> None:
    world = World(memory_bytes=MIB)
    world.connect().send(large_window(2 * MIB))
    late = world.connect("192.0.2.2")
    late.send(window_of(1))
    assert len(world.signing.windows) == 1

    world.signing.store(0)
    assert len(world.signing.windows) == 2


def test_two_senders_within_their_windows_do_not_block_each_other() -> None:
    world = World(memory_bytes=3 * MIB)
    window = large_window(2 * MIB)
    one, other = world.connect("192.0.2.1"), world.connect("192.0.2.2")
    for start in range(0, len(window), 200_000):
        one.send(window[start : start + 200_000])
        other.send(window[start : start + 200_000])
        assert world.budget.used_bytes < 5 * MIB
    world.signing.store_all()

    assert [len(peer.answers) for peer in (one, other)] == [1, 1]


def test_a_window_larger_than_all_memory_still_gets_through() -> None:
    world = World(memory_bytes=MIB)
    peer = world.connect()
    peer.send(large_window(3 * MIB))

    assert world.signing.store_all() == 1
    assert peer.is_read


def test_twenty_senders_of_large_windows_all_get_through() -> None:
    world = World(memory_bytes=5 * MIB)
    window = large_window(2 * MIB)
    peers = [world.connect(f"192.0.2.{number}") for number in range(20)]
    for start in range(0, len(window), 100_000):
        for peer in peers:
            peer.send(window[start : start + 100_000])
            assert world.budget.used_bytes < 7 * MIB + 300_000
    for _ in peers:
        world.signing.store_all()

    assert [len(peer.answers) for peer in peers] == [1] * 20


def test_a_bomb_is_held_to_the_budget_by_one_window() -> None:
    limits = Limits(window_bytes=8 * MIB)
    world = World(memory_bytes=4 * MIB, limits=limits)
    peers = [world.connect(f"192.0.2.{number}") for number in range(10)]
    for peer in peers:
        peer.send(bomb(7, MIB, announced=7) * 4)

    assert world.budget.used_bytes < 4 * MIB + 8 * MIB
    assert len(world.signing.windows) == 1
    while world.signing.store_all():
        assert world.budget.used_bytes < 4 * MIB + 8 * MIB


def test_an_unfinished_bomb_is_held_to_the_budget_by_one_window() -> None:
    limits = Limits(window_bytes=8 * MIB)
    world = World(memory_bytes=4 * MIB, limits=limits)
    peers = [world.connect(f"192.0.2.{number}") for number in range(10)]
    for peer in peers:
        peer.send(bomb(7, MIB, announced=8))

    assert world.budget.used_bytes < 4 * MIB + 8 * MIB + 300_000


def test_many_windows_in_one_compressed_frame_count_before_they_are_taken() -> None:
    world = World(Patience(read_ahead_windows=1))
    frames = (build_window_head(2, 1) + build_json(2, 1, bytes(MIB))) * 4
    peer = world.connect()
    peer.send(build_compressed(2, zlib.compress(frames, 9)))

    assert len(world.signing.windows) == 1
    assert world.budget.used_bytes > 4 * MIB


def stalled(world: World, count: int) -> list[Peer]:
    """Return senders that fill the memory with windows they never complete."""
    peers = [world.connect(f"192.0.2.{number}") for number in range(count)]
    for peer in peers:
        peer.send(large_window(MIB)[: MIB // 2])
    return peers


def test_two_hundred_stalled_senders_stay_within_the_budget() -> None:
    world = World(memory_bytes=10 * MIB)
    stalled(world, 200)

    assert world.budget.used_bytes <= 11 * MIB


def test_a_silent_sender_that_blocks_the_others_is_closed() -> None:
    world = World(memory_bytes=MIB)
    peers = stalled(world, 3)
    assert [peer.is_read for peer in peers].count(True) == 1

    world.timers.advance(SILENCE_SECONDS)
    lines = world.lines("warning")
    assert {line["event"] for line in lines} == {Clock.SILENCE.value}
    assert (lines[0]["announced"], lines[0]["received"]) == (1, 0)


def test_a_silent_sender_that_blocks_nobody_has_its_window_s_time() -> None:
    world = World(memory_bytes=MIB)
    peer = world.connect()
    peer.send(large_window(2 * MIB)[:MIB])

    world.timers.advance(59)
    assert world.lines("warning") == []
    world.timers.advance(2)
    assert [line["event"] for line in world.lines("warning")] == [Clock.WINDOW.value]


def test_an_excepted_sender_that_goes_on_is_not_closed() -> None:
    world = World(Patience(window_seconds=3600), memory_bytes=MIB)
    window = large_window(2 * MIB)
    peer = world.connect("192.0.2.99")
    peer.send(window[: 3 * MIB // 4])
    stalled(world, 1)
    for start in range(3 * MIB // 4, len(window), PROGRESS_BYTES):
        world.timers.advance(SILENCE_SECONDS - 1)
        peer.send(window[start : start + PROGRESS_BYTES])

    assert world.signing.store_all() == 1
    assert len(peer.answers) == 1


def test_an_excepted_sender_that_dribbles_is_closed() -> None:
    world = World(memory_bytes=MIB)
    world.connect("192.0.2.98")
    peer = world.connect("192.0.2.99")
    peer.send(large_window(2 * MIB)[:MIB])
    for _ in range(4):
        world.timers.advance(1)
        peer.send(b"0")

    assert peer.network.calls[0] == "write_eof"
    assert [line["event"] for line in world.lines("warning")] == [Clock.SILENCE.value]


def test_a_sender_is_not_held_up_by_others_that_have_sent_nothing() -> None:
    world = World(memory_bytes=MIB)
    stalled(world, 2)
    peer = world.connect("192.0.2.99")
    window = large_window(MIB // 4)
    peer.send(window[: len(window) // 2])

    peer.send(window[len(window) // 2 :])
    world.timers.advance(SILENCE_SECONDS)
    assert world.signing.store_all() == 1


def test_windows_that_were_read_already_are_not_held_up_by_silent_senders() -> None:
    world = World(memory_bytes=MIB)
    world.connect("192.0.2.98").send(large_window(2 * MIB)[: 8 * MIB // 10])
    peer = world.connect("192.0.2.99")
    peer.send(large_window(100_000) * 2)

    assert len(world.signing.windows) == 2


def test_all_senders_that_block_memory_are_closed_together() -> None:
    world = World(memory_bytes=10 * MIB)
    stalled(world, 60)

    world.timers.advance(SILENCE_SECONDS)
    assert len(world.lines("warning")) >= 17


def test_an_honest_sender_gets_through_between_stalled_ones() -> None:
    world = World(memory_bytes=10 * MIB)
    stalled(world, 100)
    honest = world.connect("198.51.100.1")
    honest.network.arrive(window_of(2048, size=500) * 3)

    seconds = 0
    while len(honest.answers) < 3:
        world.timers.advance(1)
        world.signing.store_all()
        seconds += 1
    assert seconds <= (100 / 17 + 1) * SILENCE_SECONDS


def test_a_sender_with_something_unread_is_not_blamed_for_its_silence() -> None:
    world = World(memory_bytes=MIB)
    waiting = world.connect("192.0.2.98")
    window = large_window(100_000)
    waiting.send(window[:50_000])
    stalled(world, 3)
    waiting.send(window[50_000:])
    assert waiting.state is SessionState.PAUSED

    world.timers.advance(4 * SILENCE_SECONDS)
    assert world.signing.store_all() == 1
    assert waiting.answers[-1] == b"2A\0\0\0\1"


def test_a_sender_is_not_blamed_while_windows_wait_for_the_store() -> None:
    world = World(memory_bytes=MIB)
    silent, busy = world.connect("192.0.2.98"), world.connect("192.0.2.99")
    silent.send(window_of(3)[:-1])
    busy.send(large_window(2 * MIB))
    assert silent.state is SessionState.PAUSED

    world.timers.advance(100 * SILENCE_SECONDS)
    assert world.lines("warning") == []


def test_a_window_that_may_stay_unfinished_is_taken_when_memory_is_short() -> None:
    world = World(memory_bytes=MIB)
    bare = world.connect("192.0.2.98")
    frame = window_of(1, version=1, size=MIB // 2)[6:]
    bare.send(b"1W\0\0\0\x0a" + frame)
    stalled(world, 2)

    world.timers.advance(2 * SILENCE_SECONDS)
    assert [window.entries for window in world.signing.windows] == [1]
    assert bare.network.calls == [] and world.signing.store_all() == 1
    assert bare.answers == []


def test_byte_per_second_senders_are_closed_one_window_s_time_after_they_began() -> (
    None
):
    world = World(memory_bytes=MIB)
    peers = [world.connect(f"192.0.2.{number}") for number in range(50)]
    window = window_of(1000)
    for at in range(70):
        for peer in peers:
            peer.network.arrive(window[at : at + 1])
        world.timers.advance(1)
        assert world.budget.used_bytes < MIB

    assert world.sessions == []


@pytest.mark.parametrize("read_ahead", [1, 4])
def test_a_sender_that_never_waits_for_acks_cannot_fill_the_memory(
    read_ahead: int,
) -> None:
    world = World(Patience(read_ahead_windows=read_ahead))
    peer = world.connect()
    peer.network.arrive(large_window(100_000) * 1000)
    world.timers.run()

    assert len(world.signing.windows) == read_ahead
    assert world.budget.used_bytes < (read_ahead + 6) * 100_000 + 256_000
