"""From windows to the contents of a seal."""

import os
from collections.abc import Sequence

import pytest

from beats_signer.chain.body import BODY_BYTES, EventsBody
from beats_signer.chain.merkle import leaf_hash
from beats_signer.sign.draft import Draft
from beats_signer.sign.drafting import Drafting
from beats_signer.sign.window import Acknowledged, Lost, Notice, Source, Window
from tests.fakes.times import START
from tests.sign.senders import build_window


def window(
    payload: bytes, opened: int, number: int = 1, *, sender: str = "web-1"
) -> Window:
    """Return a window of a connection that was *opened* then; it came right after."""
    name = f"c-{opened}"
    source = Source(sender, None, "10.0.0.1", f"10.0.0.1:{opened}", name, opened)
    return build_window(source, number, (payload,), START, opened + number)


@pytest.fixture
def drafting() -> Drafting:
    return Drafting(4, (), 0, os.urandom)


def draft(drafting: Drafting, *items: Window | Notice, number: int = 5) -> Draft:
    contents, _ = drafting.draft(items, number, 100 * number)
    assert contents is not None
    return contents


def shown(contents: Draft) -> list[tuple[str, int, int | None]]:
    """Return connection, events and ``same`` of each record."""
    return [(one.connection, one.events, one.same) for one in contents.windows]


def test_entries_stand_in_the_order_of_their_windows(drafting: Drafting) -> None:
    contents = draft(drafting, window(b"1", 10), window(b"2", 20))
    assert list(contents.entries.payloads) == [b"1", b"2"]
    assert contents.leaves == [leaf_hash(b"J", b"1"), leaf_hash(b"J", b"2")]
    assert shown(contents) == [("c-10", 1, None), ("c-20", 1, None)]


def test_what_may_come_again_is_journaled_with_its_place(drafting: Drafting) -> None:
    contents = draft(drafting, window(b"1", 10), window(b"2", 20))
    places = [(one.owner, one.first, one.seal) for one in contents.effects.windows]
    assert places == [(("c-10", 1), 500, 5), (("c-20", 1), 501, 5)]


def test_a_repeated_window_is_not_sealed_and_waits_for_the_earlier_seal(
    drafting: Drafting,
) -> None:
    draft(drafting, window(b"1", 10), number=5)
    contents, waits = drafting.draft([window(b"1", 20), window(b"2", 30)], 6, 600)
    assert waits == (5, 6)
    assert contents is not None
    assert list(contents.entries.payloads) == [b"2"]
    assert shown(contents) == [("c-20", 0, 500), ("c-30", 1, None)]


def test_repeated_windows_alone_make_no_seal_and_are_recorded_in_the_next(
    drafting: Drafting,
) -> None:
    draft(drafting, window(b"1", 10), number=5)
    assert drafting.draft([window(b"1", 20)], 6, 600) == (None, (5,))
    contents = draft(drafting, window(b"2", 30), number=6)
    assert shown(contents) == [("c-20", 0, 500), ("c-30", 1, None)]
    assert shown(draft(drafting, window(b"3", 40), number=7)) == [("c-40", 1, None)]


def test_a_copy_within_one_seal_is_recorded_in_the_next(drafting: Drafting) -> None:
    contents, waits = drafting.draft([window(b"1", 10), window(b"1", 20)], 5, 500)
    assert waits == (5, 5)
    assert contents is not None
    assert list(contents.entries.payloads) == [b"1"]
    assert shown(contents) == [("c-10", 1, None)]
    following = draft(drafting, window(b"2", 30), number=6)
    assert shown(following) == [("c-20", 0, 500), ("c-30", 1, None)]


def test_what_was_known_when_a_window_came_decides(drafting: Drafting) -> None:
    draft(drafting, window(b"1", 10), number=5)
    again = window(b"1", 20)
    contents, _ = drafting.draft([again, Acknowledged("c-10", 1)], 6, 600)
    assert contents is None


def test_a_window_that_comes_after_the_ack_is_sealed(drafting: Drafting) -> None:
    draft(drafting, window(b"1", 10), number=5)
    contents = draft(drafting, Acknowledged("c-10", 1), window(b"1", 20), number=6)
    assert shown(contents) == [("c-20", 1, None)]


def test_only_the_first_read_ahead_windows_of_a_connection_can_be_repeats(
    drafting: Drafting,
) -> None:
    for number in (1, 2):
        draft(drafting, window(b"%d" % number, 10 * number), number=number)
    contents = draft(drafting, window(b"1", 30, 4), window(b"2", 30, 5), number=6)
    assert shown(contents) == [("c-30", 0, 100), ("c-30", 1, None)]


def test_news_of_a_connection_whose_windows_were_sealed_is_kept_in_order(
    drafting: Drafting,
) -> None:
    draft(drafting, window(b"1", 10), Lost("c-10", START))
    assert drafting.tidy(START + 25 * 3600 * 10**9) == [("c-10", 1)]


def test_an_erasable_chain_has_a_salt_of_its_own_for_each_entry() -> None:
    drafting = Drafting(4, (), 16, os.urandom)
    contents = draft(drafting, window(b"1", 10), window(b"2", 20))
    salts = contents.entries.salts
    assert salts is not None
    assert [len(salt) for salt in salts] == [16, 16]
    assert salts[0] != salts[1]
    assert contents.leaves == [
        leaf_hash(b"J", payload, salt)
        for payload, salt in zip((b"1", b"2"), salts, strict=True)
    ]


def test_a_copy_is_recognised_in_an_erasable_chain_too() -> None:
    drafting = Drafting(4, (), 16, os.urandom)
    draft(drafting, window(b"1", 10))
    assert drafting.draft([window(b"1", 20)], 6, 600) == (None, (5,))


def repeat(drafting: Drafting, times: int, sender: str) -> Sequence[Draft]:
    """Send one window again and again, each time on a new connection without ack."""
    drafts: list[Draft] = []
    for opened in range(100, 100 + 10 * times, 10):
        contents, _ = drafting.draft(
            [Lost(f"c-{opened - 10}", START), window(b"1", opened, sender=sender)],
            6 + len(drafts),
            600 + len(drafts),
        )
        if contents is not None:
            drafts.append(contents)
    return drafts


def test_no_sender_can_make_a_body_too_large_by_repeating_a_window(
    drafting: Drafting,
) -> None:
    sender = "\U0001f600" * 255
    draft(drafting, window(b"1", 90, sender=sender))
    drafts = repeat(drafting, 3000, sender)
    assert len(drafts) > 1
    assert max(len(one.body.encode()) for one in drafts) < 2 << 20


def test_the_largest_body_that_the_bounds_allow_is_a_body(drafting: Drafting) -> None:
    sender = "\U0001f600" * 255
    draft(drafting, window(b"1", 90, sender=sender))
    repeat(drafting, 600, sender)
    items = [window(b"%d" % n, 100_000 + 10 * n, sender=sender) for n in range(3300)]
    assert sum(item.record_bytes for item in items) < (6 << 20)

    contents = draft(drafting, *items, number=7)

    assert (4 << 20) < len(contents.body.encode()) < BODY_BYTES
    assert len(EventsBody.parse(contents.body).windows) == 3900


@pytest.mark.parametrize(
    "sender", ["a", '"' * 255, "\\" * 255, "\U0001f600" * 255, "é" * 255]
)
def test_a_record_is_never_larger_than_its_bound(
    drafting: Drafting, sender: str
) -> None:
    one = window(b"1", 10**15, sender=sender)
    contents = draft(drafting, one)
    assert len(contents.body.encode()) <= one.record_bytes
