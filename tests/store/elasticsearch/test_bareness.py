"""When bare documents are more than an exception, somebody hears of it."""

import pytest

from beats_signer.store.elasticsearch.write.bareness import Bareness
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Outcome
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import Log, opened, to_write

ORIGIN = "signer-1/acme/syslog/20261123T090000Z"


@pytest.mark.parametrize(
    ("entries", "bare", "is_problem"),
    [(100, 0, False), (100, 4, False), (100, 5, True), (1, 1, True), (0, 0, False)],
)
def test_a_share_of_bare_documents_is_a_problem(
    entries: int, bare: int, is_problem: bool
) -> None:
    bareness = Bareness(ORIGIN, 0.05)

    assert bareness.add(entries, bare) is is_problem
    assert bareness.is_problem is is_problem


def test_a_problem_begins_once_and_ends_by_itself() -> None:
    bareness = Bareness(ORIGIN, 0.05)

    assert bareness.add(1000, 100)
    assert not bareness.add(1000, 100)
    for _ in range(20):
        assert not bareness.add(1000, 0)
    assert not bareness.is_problem
    assert bareness.add(10_000, 600)


def test_the_problem_says_how_much_and_what_to_do() -> None:
    bareness = Bareness(ORIGIN, 0.05)
    bareness.add(200, 20)
    problem = bareness.problem()

    assert problem.symptom == (
        f"{ORIGIN}: 20 of the newest 200 events are stored without their fields"
    )
    assert "recover" in problem.action


async def test_a_store_tells_of_it_once(fake: Fake) -> None:
    fake.judge(Outcome.dropped(), lambda action: b'"index":1,' in action.source)
    log, chain = Log([]), Chain()
    async with opened(fake, log=log) as store:
        await store.append(to_write(store, chain.events([b"{}"])))
        assert store.problems() == []
        await store.append(to_write(store, chain.events([b"{}"])))
        await store.append(to_write(store, chain.events([b"{}"])))
        (problem,) = store.problems()

    assert "1 of the newest 3 events" in problem.symptom
    assert [one["level"] for one in log.events] == ["error"]
    assert "1 of the newest 2 events" in log.events[0]["event"]
