"""What goes into one seal, and what happens to what nobody waits for."""

import pytest

from beats_signer.chain.seal import Kind
from beats_signer.errors import StoreError
from beats_signer.sign.pace import Pace
from beats_signer.sign.waiting import Waiting
from beats_signer.sign.window import (
    Acknowledged,
    Control,
    Item,
    Lost,
    Records,
    Source,
    Window,
)
from tests.sign.senders import build_window

AT = 1_795_424_400_000_000_000


def window(
    events: int = 1, *, connection: str = "c-1", size: int = 10, sender: str = "a"
) -> Window:
    source = Source(sender, None, "10.0.0.1", "10.0.0.1:1", connection, 1)
    return build_window(source, 1, (bytes(size),) * events, AT, 2)


def waiting(*items: Item, **pace: int) -> Waiting:
    queue = Waiting(Pace(**pace))
    for item in items:
        queue.append(item)
    return queue


async def test_all_windows_that_wait_are_taken_together() -> None:
    items = window(3), window(5), window(2)
    queue = waiting(*items)
    assert queue.take().items == items
    assert len(queue) == 0


@pytest.mark.parametrize(
    ("pace", "events"),
    [
        pytest.param({"max_entries": 8}, [3, 5], id="exactly full of entries"),
        pytest.param({"max_entries": 7}, [3], id="one entry too many"),
        pytest.param({"max_bytes": 80}, [3, 5], id="exactly full of bytes"),
        pytest.param({"max_bytes": 79}, [3], id="one byte too many"),
        pytest.param({"max_entries": 1}, [3], id="a window that is larger alone"),
        pytest.param({"max_bytes": 1}, [3], id="a window that has more bytes alone"),
    ],
)
async def test_a_seal_is_bounded_by_entries_and_bytes(
    pace: dict[str, int], events: list[int]
) -> None:
    queue = waiting(window(3), window(5), window(2), **pace)
    taken = [item.entries for item in queue.take().items if isinstance(item, Window)]
    assert taken == events
    assert len(queue) == 3 - len(events)


async def test_no_setting_makes_a_seal_of_more_entries_than_the_format_allows() -> None:
    queue = waiting(window(65_536), window(1), max_entries=1 << 20)
    assert len(queue.take().items) == 1


async def test_the_records_of_a_seal_fit_into_its_body() -> None:
    sender = "\U0001f600" * 255
    queue = waiting(*(window(sender=sender) for _ in range(9000)))
    group = queue.take().items
    assert 3000 < len(group) < 9000
    assert sum(isinstance(item, Window) and item.record_bytes for item in group) < (
        6 << 20
    )


@pytest.mark.parametrize(
    ("items", "taken"),
    [
        pytest.param([window(), Control(Kind.CONFIG, "{}")], 1, id="window, control"),
        pytest.param([Control(Kind.HEARTBEAT, "{}")] * 2, 1, id="two controls"),
        pytest.param([Records((b"1",)), Records((b"2",))], 2, id="two records"),
        pytest.param(
            [Records((b"1",)), Control(Kind.HEARTBEAT, "{}")], 1, id="record, control"
        ),
    ],
)
async def test_a_seal_has_items_of_one_kind(items: list[Item], taken: int) -> None:
    queue = waiting(*items)
    assert queue.take().items == tuple(items[:taken])


async def test_news_keep_their_place_between_windows() -> None:
    first, second = window(), window()
    queue = waiting(first)
    queue.note(Acknowledged("c-9", 1))
    queue.append(second)
    assert queue.take().items == (first, Acknowledged("c-9", 1), second)


async def test_news_alone_are_nothing_to_seal() -> None:
    queue = waiting()
    queue.note(Acknowledged("c-9", 1))
    assert len(queue) == 0
    assert queue.take_notices() == [Acknowledged("c-9", 1)]
    assert queue.take_notices() == []


async def test_news_behind_a_window_wait_for_it() -> None:
    queue = waiting(window())
    queue.note(Acknowledged("c-9", 1))
    assert queue.take_notices() == []


async def test_the_windows_of_a_lost_connection_are_sealed_and_its_end_is_told() -> (
    None
):
    queue = waiting(window())
    queue.lost("c-1", AT, drop=False)
    assert queue.take().items == (window(), Lost("c-1", AT))


async def test_the_windows_of_a_lost_connection_can_be_given_up() -> None:
    queue = waiting()
    other = queue.append(window(connection="c-2"))
    receipt = queue.append(window())
    queue.lost("c-1", AT, drop=True)

    assert receipt.cancelled()
    assert not other.done()
    assert queue.take().items == (window(connection="c-2"),)


async def test_a_window_that_was_given_up_before_is_dropped_with_its_connection() -> (
    None
):
    queue = waiting()
    given_up = queue.append(window())
    other = queue.append(window(2))
    given_up.set_exception(StoreError("given up"))

    queue.lost("c-1", AT, drop=False)

    assert isinstance(given_up.exception(), StoreError)
    assert not other.done()
    assert len(queue) == 1
    assert queue.take().items == (window(2), Lost("c-1", AT))


async def test_connections_of_which_nothing_was_sealed_leave_no_trace() -> None:
    queue = waiting(window())
    queue.lost("c-1", AT, drop=True)
    assert queue.take_notices() == []


async def test_the_end_of_a_connection_is_told_when_something_of_it_was_sealed() -> (
    None
):
    queue = waiting(window())
    queue.take()
    queue.append(window())
    queue.lost("c-1", AT, drop=True)
    assert queue.take_notices() == [Lost("c-1", AT)]


async def test_clearing_returns_the_receipts_of_all_that_waited() -> None:
    queue = waiting()
    receipts = [queue.append(window()), queue.append(window())]
    queue.note(Acknowledged("c-9", 1))
    assert queue.clear() == receipts
    assert len(queue) == 0
    assert queue.take_notices() == []
