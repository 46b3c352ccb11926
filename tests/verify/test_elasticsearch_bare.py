"""Events without visible fields: only the catalogue says that this is right."""

from typing import Any

import pytest

from beats_signer.chain.findings import Document
from beats_signer.verify.report import Report, Verdict
from beats_signer.verify.run import Verification
from beats_signer.verify.text import write_report
from tests.verify.signer import events
from tests.verify.stored import Stored
from tests.verify.test_elasticsearch_damage import found
from tests.verify.verifying import NOW, wrong

pytestmark = pytest.mark.usefixtures("shared")


def bare(source: dict[str, Any]) -> None:
    """Make of a document what is stored when no mapping accepts its fields."""
    signed, time = source["beats_signer"], source["@timestamp"]
    source.clear()
    source |= {
        "beats_signer": signed,
        "@timestamp": time,
        "error": {"type": "document_parsing_exception", "message": "no"},
        "tags": ["_beats_signer_bare"],
    }


def minimal(source: dict[str, Any]) -> None:
    """Make of a document what is stored when not even that is accepted."""
    bare(source)
    del source["error"], source["tags"]


def list_bare(stored: Stored, *indexes: int) -> None:
    """Let the catalogue list entries of the first chain as bare."""
    record = {"kind": "bare", "origin": stored.chain.origin, "indexes": indexes}
    stored.world.catalogue.records(record)


@pytest.mark.parametrize("how", [bare, minimal])
def test_a_bare_document_that_is_listed_is_counted(stored: Stored, how: Any) -> None:
    list_bare(stored, 6, 7)
    stored.store()
    stored.change(stored.find(stored.chain, 7), how)

    report = stored.verify()

    assert wrong(report) == []
    assert (report.verdict, report.bare, report.entries) == (Verdict.VERIFIED, 1, 17)
    assert "1 rightly without them" in next(write_report(report))


@pytest.mark.parametrize("how", [bare, minimal])
def test_a_bare_document_that_nobody_lists_is_drift(stored: Stored, how: Any) -> None:
    list_bare(stored, 6, 8)
    stored.store()
    document = stored.change(stored.find(stored.chain, 7), how)

    report = stored.verify()

    assert found(report) == [("drift bare in audit: entry 7 of seal 3", (document,))]
    assert report.bare == 0


def test_many_bare_documents_that_nobody_lists_are_one_finding(
    stored: Stored,
) -> None:
    for index in range(3, 9):
        stored.change(stored.find(stored.chain, index), bare)

    ((finding, documents),) = found(stored.verify())

    assert finding == "drift bare in audit: entries 3-8 of seals 2-3"
    assert len(documents) == 6


def test_a_bare_document_behind_the_newest_head_is_left_open(stored: Stored) -> None:
    stored.chain.events(events(15, 2))
    stored.store()
    stored.change(stored.find(stored.chain, 16), bare)

    report = stored.verify()

    assert wrong(report) == []
    assert any("whether 1 documents may" in left for left in report.not_checked)


def test_a_bare_document_with_other_fields_is_ordinary_drift(stored: Stored) -> None:
    list_bare(stored, 7)
    stored.store()

    def change(source: dict[str, Any]) -> None:
        bare(source)
        source["message"] = "?"

    document: Document = stored.change(stored.find(stored.chain, 7), change)

    assert found(stored.verify()) == [
        ("drift fields in audit: entry 7 of seal 3", (document,))
    ]


@pytest.mark.parametrize("only", [(), ("audit",)], ids=["all", "one chain"])
def test_what_the_catalogue_lists_meanwhile_is_no_drift(
    stored: Stored, only: tuple[str, ...]
) -> None:
    stored.change(stored.find(stored.chain, 7), bare)
    report = Report("", NOW)

    def grow(origin: str, count: int) -> None:
        if origin == stored.chain.origin and len(stored.world.catalogue.texts) == 9:
            list_bare(stored, 7)
            stored.store()

    source = stored.open()
    Verification(
        source,
        stored.world.trust,
        report,
        now=NOW,
        only=[stored.chain.origin] if only else (),
        on_entries=grow,
    ).run()
    source.close()

    assert wrong(report) == []
    assert report.bare == 1


def test_a_copy_that_is_bare_is_judged_as_well(stored: Stored) -> None:
    own = stored.find(stored.chain, 7)
    source = stored.read(own)
    bare(source)
    copy = Document(own.index, "copy")
    stored.write(copy, source)

    assert found(stored.verify()) == [
        ("drift bare in audit: entry 7 of seal 3", (copy,))
    ]
