"""Every request to the server is counted by what came of it, and every item."""

from collections import Counter

import pytest

from beats_signer.store.tally import StoreTally
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault, Outcome
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import append, opened, to_write


class Observations:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def observe(self, amount: float) -> None:
        self.seconds.append(amount)


async def counted(fake: Fake) -> StoreTally:
    """Store three events and return what was counted."""
    seen = Observations()
    tally = StoreTally(seen.observe)
    sealed = Chain().events([b'{"n":%d}' % n for n in range(3)])
    async with opened(fake, timeout_seconds=0.5, tally=tally) as store:
        await append(store, to_write(store, sealed))
    assert len(seen.seconds) == tally.requests.total()
    assert min(seen.seconds) >= 0
    assert tally.in_flight == 0
    return tally


async def test_a_request_that_stores_everything_counts_once(fake: Fake) -> None:
    tally = await counted(fake)

    assert tally.requests == Counter(stored=1)
    assert tally.items == Counter(stored=4)
    assert tally.limit == 4


async def test_items_are_counted_by_what_became_of_each(fake: Fake) -> None:
    fake.judge(Outcome.dropped(), lambda action: action.document.get("n") == 1)

    tally = await counted(fake)

    assert tally.requests == Counter(partial=1, stored=1)
    assert tally.items == Counter(stored=4, rejected=1)


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        (Fault.page(503), "busy"),
        (Fault.page(401), "refused"),
        (Fault.timed_out(), "unanswered"),
        (Fault.cut(), "unanswered"),
        (Fault.short(), "unanswered"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_request_without_outcomes_counts_by_the_reason(
    fake: Fake, fault: Fault, result: str
) -> None:
    fake.fail(fault)

    tally = await counted(fake)

    assert tally.requests[result] == 1
    assert tally.requests["stored"] + tally.requests["partial"] == 1
