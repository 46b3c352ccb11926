"""Whatever is done to documents is named, with the document, and nothing else is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from beats_signer.chain.findings import Document
from beats_signer.verify.report import Report
from tests.verify.signer import events
from tests.verify.stored import Stored
from tests.verify.verifying import information, name, wrong

pytestmark = pytest.mark.usefixtures("shared")

Source = dict[str, Any]


def found(report: Report) -> list[tuple[str, tuple[Document, ...]]]:
    """Return what is wrong, each with the documents that it names."""
    return [(name(one), one.documents) for one in report.open_findings]


def edit(**members: Any) -> Callable[[Source], None]:
    """Return a change of members of the signed object; ``None`` takes one away."""

    def change(source: Source) -> None:
        source["beats_signer"] |= members
        for key, value in members.items():
            if value is None:
                del source["beats_signer"][key]

    return change


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (edit(payload='{"message": "line 7 "}'), "modified entry"),
        (edit(payload=None), "modified unreadable"),
        (edit(payload=None, payload_base64="?"), "modified unreadable"),
        (edit(payload=["a", "b"]), "modified unreadable"),
        (edit(payload_base64="AAAA"), "modified unreadable"),
        (edit(form="L"), "modified entry"),
        (edit(form=None), "modified unreadable"),
        (edit(salt="AAAAAAAAAAAAAAAAAAAAAA=="), "modified entry"),
        (edit(seal=4), "drift fields"),
        (edit(sender="web-2"), "drift fields"),
        (edit(note="added"), "drift fields"),
        (lambda source: source.update(message="line 8"), "drift fields"),
        (lambda source: source.update(level="warn"), "drift fields"),
        (lambda source: source.update(tags=["seen"]), "drift fields"),
        (lambda source: source.pop("message"), "drift bare"),
    ],
)
def test_an_altered_document_is_found(
    stored: Stored, change: Callable[[Source], object], finding: str
) -> None:
    document = stored.change(stored.find(stored.chain, 7), change)

    assert found(stored.verify()) == [
        (f"{finding} in audit: entry 7 of seal 3", (document,))
    ]


def test_a_deleted_document_is_missing_under_the_name_that_it_had(
    stored: Stored,
) -> None:
    document = stored.delete(stored.find(stored.chain, 7))

    assert found(stored.verify()) == [
        ("missing entries in audit: entry 7 of seal 3", (Document("", document.id),))
    ]


def test_swapped_payloads_are_found_in_both_places(stored: Stored) -> None:
    one, other = stored.find(stored.chain, 6), stored.find(stored.chain, 8)
    sources = stored.read(one), stored.read(other)
    stored.write(one, swapped(sources[0], sources[1]))
    stored.write(other, swapped(sources[1], sources[0]))

    report = stored.verify()

    assert found(report) == [
        ("modified entry in audit: entry 6 of seal 3", (one,)),
        ("modified entry in audit: entry 8 of seal 3", (other,)),
    ]
    assert "it was sealed as entry 8" in report.open_findings[0].message


def swapped(source: Source, other: Source) -> Source:
    """Return a document that has the fields of another, under its own index."""
    signed = other["beats_signer"] | {"index": source["beats_signer"]["index"]}
    return other | {"beats_signer": signed}


def test_swapped_indexes_are_found_in_both_places(stored: Stored) -> None:
    one, other = stored.find(stored.chain, 6), stored.find(stored.chain, 8)
    stored.change(one, edit(index=8))
    stored.change(other, edit(index=6))

    assert found(stored.verify()) == [
        ("modified entry in audit: entry 6 of seal 3", (other,)),
        ("modified entry in audit: entry 8 of seal 3", (one,)),
    ]


@pytest.mark.parametrize("copied", [6, 8])
def test_a_document_that_claims_the_index_of_another_is_foreign(
    stored: Stored, copied: int
) -> None:
    """It does not matter whether the server gives it before or after the entry."""
    own = stored.find(stored.chain, 7)
    source = stored.read(stored.find(stored.chain, copied))
    source["beats_signer"]["index"] = 7
    for prefix in ("!", "~"):
        stored.write(Document(own.index, f"{prefix}foreign"), source)

    findings = found(stored.verify())

    named = [document.id for _, documents in findings for document in documents]
    assert sorted(named) == ["!foreign", "~foreign"]
    assert {finding for finding, _ in findings} == {
        "foreign second in audit: entry 7 of seal 3"
    }


def test_a_copy_is_told_and_is_not_wrong(stored: Stored) -> None:
    own = stored.find(stored.chain, 7)
    copy = Document(own.index, "copy")
    stored.write(copy, stored.read(own))

    report = stored.verify()

    assert wrong(report) == []
    assert information(report) == ["duplicate copy in audit: entry 7 of seal 3"]
    assert report.information[0].documents[0].id in {copy.id, own.id}
    assert report.entries == 17


def test_a_copy_that_shows_something_else_drifts(stored: Stored) -> None:
    own = stored.find(stored.chain, 7)
    copy = Document(own.index, "copy")
    stored.write(copy, stored.read(own) | {"message": "line 8"})

    assert found(stored.verify()) == [
        ("drift fields in audit: entry 7 of seal 3", (copy,))
    ]


def test_a_copy_takes_the_place_of_a_damaged_entry(stored: Stored) -> None:
    own = stored.find(stored.chain, 7)
    stored.write(Document(own.index, "copy"), stored.read(own))
    stored.change(own, edit(payload="{}"))

    assert found(stored.verify()) == [
        ("foreign second in audit: entry 7 of seal 3", (own,))
    ]


def test_a_document_behind_the_last_entry_is_foreign(stored: Stored) -> None:
    last = stored.find(stored.chain, 14)
    added = Document(last.index, "added")
    source = stored.read(last)
    source["beats_signer"] |= {"index": 15, "payload": "{}"}
    stored.write(added, source)

    assert found(stored.verify()) == [("foreign entries in audit: entry 15", (added,))]


@pytest.mark.parametrize(
    ("member", "value"),
    [("index", -1), ("index", None), ("chain", "0" * 32), ("chain", None)],
)
def test_a_document_of_no_entry_is_foreign(
    stored: Stored, member: str, value: object
) -> None:
    own = stored.find(stored.chain, 7)
    added = Document(own.index, "added")
    source = stored.read(own)
    edit(**{member: value})(source)
    stored.write(added, source)

    assert found(stored.verify()) == [("foreign chain in catalogue", (added,))]


def test_a_chain_that_is_taken_out_of_its_name_is_missing_and_foreign(
    stored: Stored,
) -> None:
    document = stored.change(stored.find(stored.chain, 7), edit(chain="f" * 32))

    assert found(stored.verify()) == [
        ("foreign chain in catalogue", (document,)),
        ("missing entries in audit: entry 7 of seal 3", (Document("", document.id),)),
    ]


def test_a_record_of_the_catalogue_that_is_altered_is_found(stored: Stored) -> None:
    catalogue = stored.world.catalogue
    document = stored.find(catalogue, 3)
    record = json.loads(stored.read(document)["beats_signer"]["payload"])
    record["size"] = 2
    stored.change(document, edit(payload=json.dumps(record)))

    assert found(stored.verify()) == [
        ("modified entry in catalogue: entry 3 of seal 4", (document,))
    ]


def test_a_whole_chain_that_is_deleted_is_missing(stored: Stored) -> None:
    name = stored.chain.hashes[0].hex()[:32]
    for index, query in (
        (stored.target, {"match_all": {}}),
        ("beats-signer-seals-*", {"term": {"chain": name}}),
    ):
        hits = stored.client.search(index=index, query=query, size=100)["hits"]["hits"]
        for hit in hits:
            stored.delete(Document(hit["_index"], hit["_id"]))

    assert wrong(stored.verify()) == ["missing chain in audit"]


def erase(source: Source) -> None:
    """Take everything away that an erasure takes."""
    for key in ("payload", "salt"):
        del source["beats_signer"][key]
    del source["message"]


@pytest.mark.parametrize(
    ("listed", "finding"),
    [
        ([1], "erased entries in personal: entry 1"),
        ([2], "missing erased-unsealed in personal: entry 1"),
    ],
    ids=["listed", "not listed"],
)
def test_an_erased_entry_is_told_from_one_that_was_emptied(
    stored: Stored, listed: list[int], finding: str
) -> None:
    chain = stored.world.chain("personal", salt_bytes=16)
    chain.events(events(0, 3))
    body = {"indexes": listed, "reason": "asked", "author": "me"}
    chain.seal("erase", body=json.dumps(body))
    stored.store()
    stored.change(stored.find(chain, 1), erase)

    assert wrong(stored.verify()) == [finding]
