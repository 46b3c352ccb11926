"""Several who share the work on Elasticsearch find what one finds, and where."""

from concurrent.futures import Future
from contextlib import closing

import pytest

from beats_signer.chain.findings import Document
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.whole import Whole
from beats_signer.verify.workers import SealRange
from tests.elasticsearch.fake import Fake
from tests.verify.dividing import Others, divided
from tests.verify.signer import World, events
from tests.verify.stored import Stored
from tests.verify.verifying import NOW, wrong

pytestmark = pytest.mark.usefixtures("shared")


def test_entries_are_read_once_by_others_and_not_again(
    fake: Fake, stored: Stored
) -> None:
    stored.is_divided = False
    stored.verify()
    alone = found_entries(fake)
    fake.requests.clear()

    stored.is_divided = True
    report = stored.verify()

    assert wrong(report) == []
    assert len(found_entries(fake)) > len(alone)


def found_entries(fake: Fake) -> list[bytes]:
    """Return the searches for entries."""
    return [
        one.body
        for one in fake.requests
        if one.operation == "search" and b"beats_signer.index" in one.body
    ]


def test_one_altered_document_is_found_by_several(anywhere: Stored) -> None:
    anywhere.is_divided = True
    document = anywhere.find(anywhere.chain, 7)
    anywhere.change(document, lambda source: source.update(message="?"))

    assert wrong(anywhere.verify()) == ["drift fields in audit: entry 7 of seal 3"]


@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_document_that_is_found_by_another_index_than_its_own_is_found(
    stored: Stored, number: int
) -> None:
    """It stands where one of them reads, and claims to be where another does."""
    own = stored.find(stored.chain, 7)
    source = stored.read(own) | {"beats_signer.index": number}
    stored.write(Document(own.index, "added"), source)

    assert wrong(stored.verify())


def test_a_chain_that_grows_while_others_look_raises_no_alarm(stored: Stored) -> None:
    chain = stored.chain

    class Growing(Others):
        def start(self, part: SealRange) -> Future[dict[bytes, Whole]]:
            answer = super().start(part)
            chain.events(events(chain.entries, 2), time=NOW)
            stored.store()
            return answer

    report = Report("", NOW)
    others = Growing(stored.open)
    with closing(stored.open()) as source, divided(source, others) as division:
        verification = Verification(
            source, stored.world.trust, report, now=NOW, division=division
        )
        verification.run()

    assert wrong(report) == []
    assert report.entries >= 17
    assert {one.kind.value for one in report.information} <= {"pending"}


@pytest.mark.parametrize("deleted", [1, 2, 3])
def test_documents_of_unproven_entries_are_named(stored: Stored, deleted: int) -> None:
    world = World(f"other-{stored.world.signer}", stored.world.tenant)
    chain = world.chain("audit")
    for at in range(5):
        chain.events(events(3 * at, 3))
    stored.world = world
    stored.store()
    stored.delete(stored.find_seal(chain, deleted))
    stored.delete(stored.find_seal(chain, deleted + 1))

    unproven = [
        one for one in stored.verify().open_findings if one.kind.value == "unproven"
    ]

    assert unproven
