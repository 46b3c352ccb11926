"""What cannot be read is undecided, and never missing; what is young is pending."""

from collections.abc import Generator, Mapping
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest

from beats_signer.chain.findings import Document
from beats_signer.chain.times import SECOND
from beats_signer.errors import SourceError
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Answer, Client
from beats_signer.store.elasticsearch.read.pages import Pages, Search
from beats_signer.store.elasticsearch.read.questions import Asking, decode
from beats_signer.verify.report import Report, Verdict
from tests.elasticsearch.access import Access
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.verify.signer import events
from tests.verify.stored import Stored, new_world
from tests.verify.test_elasticsearch_damage import edit, found
from tests.verify.verifying import NOW, information, wrong

DAY = 86_400 * SECOND

FAULTS = {
    "a shard failed": Fault.partial(),
    "the answer is cut": Fault.cut(applied=None, after=40),
    "there is no answer": Fault.cut(),
    "the answer is garbled": Fault.garbled(),
    "busy": Fault.refused(429),
    "no memory": Fault.refused(429, "circuit_breaking_exception"),
    "unavailable": Fault.refused(503, "search_phase_execution_exception"),
    "a proxy answers": Fault.page(502),
    "no rights": Fault.refused(403, "security_exception"),
    "no key": Fault.refused(401, "security_exception"),
    "nothing there": Fault.refused(404, "index_not_found_exception"),
    "the point in time is lost": Fault.refused(404, "search_context_missing_exception"),
    "a bad request": Fault.refused(400, "search_phase_execution_exception"),
    "an internal error": Fault.refused(500, "null_pointer_exception"),
}
PASSING = [
    "a shard failed",
    "the answer is cut",
    "there is no answer",
    "the answer is garbled",
    "busy",
    "no memory",
    "unavailable",
    "a proxy answers",
    "the point in time is lost",
]


def verify(stored: Stored) -> Report:
    """Return the report, also when nothing could be read."""
    try:
        return stored.verify()
    except SourceError as error:
        report = Report("", NOW)
        report.undecided.append(str(error))
        return report


HIT = [
    ("search", FAULTS),
    *[
        (operation, [name for name, fault in FAULTS.items() if not fault.torn])
        for operation in ("point", "get")
    ],
]
"""What may strike which operation; only a search has shards that may fail."""


@pytest.mark.parametrize(
    ("operation", "fault"),
    [(operation, fault) for operation, faults in HIT for fault in faults],
)
def test_what_cannot_be_read_is_undecided(
    fake: Fake, stored: Stored, operation: str, fault: str
) -> None:
    fake.fail(FAULTS[fault], None, on=operation)

    report = verify(stored)

    assert report.verdict is Verdict.UNDECIDED
    assert wrong(report) == information(report) == []
    assert all(fake.url in why for why in report.undecided)


@pytest.mark.parametrize("after", [0, 1, 3, 6, 9])
@pytest.mark.parametrize("fault", PASSING)
def test_what_fails_for_a_moment_is_asked_again(
    fake: Fake, stored: Stored, fault: str, after: int
) -> None:
    fake.fail(FAULTS[fault], on="search", after=after)

    report = stored.verify()

    assert report.verdict is Verdict.VERIFIED
    assert report.entries == 17


@pytest.mark.parametrize("after", range(1, 10, 2))
def test_reading_that_ends_in_the_middle_finds_nothing_missing(
    fake: Fake, stored: Stored, after: int
) -> None:
    fake.fail(Fault.refused(500), None, on="search", after=after)

    report = stored.verify()

    assert report.verdict is Verdict.UNDECIDED
    assert wrong(report) == []


def test_what_a_closed_index_holds_is_not_called_missing(anywhere: Stored) -> None:
    anywhere.client.indices.rollover(alias=anywhere.target)
    closed = anywhere.find(anywhere.chain, 7).index
    anywhere.client.indices.close(index=closed)

    report = verify(anywhere)

    assert report.verdict is Verdict.UNDECIDED
    assert f"the index {closed} is closed" in report.undecided[0]
    assert wrong(report) == []


def test_a_closed_index_of_somebody_else_does_not_matter(anywhere: Stored) -> None:
    other = f"other-{anywhere.world.tenant}"
    anywhere.client.index(index=other, document={"a": 1})
    anywhere.client.indices.close(index=other)

    assert verify(anywhere).verdict is Verdict.VERIFIED


def test_a_server_that_does_not_answer_in_time_decides_nothing(
    fake: Fake, stored: Stored
) -> None:
    stored.timeout_seconds = 0.2
    fake.fail(Fault.timed_out(), None, on="search")

    assert verify(stored).verdict is Verdict.UNDECIDED


def test_a_server_that_is_not_there_decides_nothing(stored: Stored) -> None:
    stored.access = Access("http://127.0.0.1:1")

    assert verify(stored).verdict is Verdict.UNDECIDED


def test_a_cluster_without_the_signer_decides_nothing(fake: Fake) -> None:
    with fake.access.connect() as client:
        report = verify(Stored(fake.access, client, new_world()))

    assert report.verdict is Verdict.UNDECIDED
    assert "holds no catalogue of signer-" in report.undecided[0]


def hits(stored: Stored, pages: Pages) -> list[list[str]]:
    return [[hit.id for hit in page] for page in pages]


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_reading_goes_on_where_it_was_when_the_point_in_time_is_lost(
    fake: Fake, stored: Stored, lost: int
) -> None:
    fake.fail(FAULTS["the point in time is lost"], on="search", after=lost)
    query = {"term": {"chain": stored.world.catalogue.hashes[0].hex()[:32]}}
    search = Search("beats-signer-seals-*", query, "seal")
    with closing(stored.open()) as source:
        pages = Pages(source.asking, search, page_bytes=3000, first_size=2)
        found = hits(stored, pages)

    numbers = [int(name[-12:]) for page in found for name in page]
    assert numbers == list(range(len(stored.world.catalogue.texts)))


def test_pages_shrink_when_the_server_has_no_memory_for_them(
    fake: Fake, stored: Stored
) -> None:
    fake.fail(FAULTS["no memory"], 2, on="search")
    search = Search("beats-signer-seals-*", {"match_all": {}}, "seal")
    with closing(stored.open()) as source:
        list(Pages(source.asking, search, first_size=16))

    sizes = [one.json()["size"] for one in fake.requests if one.operation == "search"]
    assert sizes[:3] == [16, 8, 4]


def test_every_point_in_time_is_closed(fake: Fake, stored: Stored) -> None:
    stored.verify()
    with closing(stored.open()) as source:
        reading = source.read(stored.chain.origin)
        assert isinstance(reading, Generator)
        next(reading)
        reading.close()

    points = [one.method for one in fake.requests if one.path.endswith("/_pit")]
    assert points.count("POST") == points.count("DELETE") > 0


def test_entries_of_a_young_seal_are_pending(stored: Stored) -> None:
    stored.delete(stored.find(stored.chain, 14))
    now = stored.chain.time + 60 * SECOND

    report = stored.verify(now)

    assert wrong(report) == []
    assert information(report) == ["pending entries in audit: entry 14 of seal 5"]
    assert report.verdict is Verdict.VERIFIED
    assert wrong(stored.verify()) == ["missing entries in audit: entry 14 of seal 5"]


def test_entries_whose_seal_is_on_its_way_are_pending(stored: Stored) -> None:
    stored.chain.events(events(15, 2))
    stored.store()
    stored.delete(stored.find_seal(stored.chain, 6))

    report = stored.verify(stored.world.catalogue.time + 60 * SECOND)

    assert wrong(report) == []
    assert information(report) == ["pending unsealed in audit: entries 15-16"]
    assert wrong(stored.verify()) == ["foreign entries in audit: entries 15-16"]


def test_seals_that_have_overtaken_others_are_pending(stored: Stored) -> None:
    for at in range(15, 21, 3):
        stored.chain.events(events(at, 3))
    stored.store()
    stored.delete(stored.find_seal(stored.chain, 6))

    report = stored.verify(stored.chain.time + 60 * SECOND)

    assert wrong(report) == []
    assert "pending seals in audit: seals 6-7" in information(report)
    assert "missing seals in audit: entries 15-17 of seal 6" in wrong(stored.verify())


def test_seals_that_no_search_shows_yet_are_read_all_the_same(
    stored: Stored,
) -> None:
    """A head of a chain may be visible in the catalogue before its seals are."""
    stored.chain.events(events(15, 2))
    stored.world.head(stored.chain)
    stored.write_all()

    report = stored.verify(stored.world.catalogue.time + 60 * SECOND)

    assert wrong(report) == []
    assert "pending entries in audit: entries 15-16 of seal 6" in information(report)


def test_expired_entries_are_told_from_missing_ones(unstored: Stored) -> None:
    world = unstored.world
    chain = world.chain("short", settings={"retention_days": 1})
    chain.events(events(0, 2))
    world.catalogue.seal("heartbeat", time=NOW + 3 * DAY)
    unstored.store()
    unstored.delete(unstored.find(chain, 0))

    report = unstored.verify(NOW + 3 * DAY)

    assert wrong(report) == []
    assert "expired entries in short: entry 0 of seal 1" in information(report)
    assert wrong(unstored.verify(NOW - 3600 * SECOND)) != []


def test_documents_of_other_signers_are_counted_and_not_judged(
    fake: Fake, stored: Stored
) -> None:
    with fake.access.connect() as client:
        other = Stored(fake.access, client, new_world())
        other.set_up()
        other.store()
        other.change(other.find(other.chain, 7), edit(payload="{}"))
    stored.options["indices"] = "*"

    report = stored.verify()

    assert wrong(report) == []
    assert f"{17 + 8} documents of other signers" in report.not_checked


def test_unsigned_documents_are_foreign_where_everything_is_signed(
    stored: Stored,
) -> None:
    unsigned = Document(stored.find(stored.chain, 0).index, "unsigned")
    stored.write(unsigned, {"@timestamp": "2026-11-23T09:00:00Z", "message": "?"})
    assert wrong(stored.verify()) == []

    stored.options["own"] = (stored.target,)
    assert found(stored.verify()) == [("foreign unsigned in catalogue", (unsigned,))]


class Forgetful(BlockingClient):
    """Lets the server forget the point in time before some of the searches."""

    def __init__(self, client: Client, before: set[int]) -> None:
        super().__init__(client)
        self._before = before
        self._searches = 0

    def start(
        self,
        method: str,
        path: str,
        body: Any = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Future[Answer]:
        """Send a request."""
        if path == "/_search":
            if self._searches in self._before:
                point = {"id": body["pit"]["id"]}
                super().start("DELETE", "/_pit", point).result()
            self._searches += 1
        return super().start(method, path, body, parameters)


@pytest.mark.parametrize("before", [{1}, {2, 3}, {1, 2, 3, 4}])
def test_a_server_that_forgets_points_in_time_is_read_to_the_end(
    anywhere: Stored, before: set[int]
) -> None:
    client = Forgetful(Client(anywhere.access.url), before)
    asking = Asking(client, anywhere.access.url, anywhere.pause)
    query = {"term": {"beats_signer.chain": anywhere.chain.hashes[0].hex()[:32]}}
    target = f"*{anywhere.world.tenant}*"
    search = Search(target, query, "beats_signer.index")
    with closing(client):
        pages = Pages(asking, search, page_bytes=1200, first_size=2)
        found = [decode(hit.sort, list[int])[0] for page in pages for hit in page]

    assert found == list(range(15))


def test_a_chain_whose_listing_is_on_its_way_is_pending(unstored: Stored) -> None:
    world = unstored.world
    founded = world.catalogue.entries
    world.chain("late").events(events(0, 3))
    unstored.store()
    unstored.delete(unstored.find(world.catalogue, founded))

    report = unstored.verify(world.catalogue.time + 60 * SECOND)

    assert wrong(report) == []
    assert "pending listing in late" in information(report)
    assert "unproven listing in late" in wrong(unstored.verify())
