"""Whatever is done to the documents of seals is named, with the document."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from beats_signer.chain.findings import Document
from tests.verify.damage import change_line
from tests.verify.signer import World, events
from tests.verify.stored import Stored
from tests.verify.test_elasticsearch_damage import found
from tests.verify.verifying import information, wrong

pytestmark = pytest.mark.usefixtures("shared")

Source = dict[str, Any]


def change_text(word: str) -> Callable[[Source], None]:
    """Return a change of one line of the signed text."""

    def change(source: Source) -> None:
        line = {"seal": {"note": source["note"]}}
        change_line(line, word)
        source["note"] = line["seal"]["note"]

    return change


def change_leaf(source: Source) -> None:
    leaves = bytearray(base64.b64decode(source["leaves"]))
    leaves[40] ^= 1
    source["leaves"] = base64.b64encode(leaves).decode()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (change_leaf, "modified leaves"),
        (lambda source: source.update(leaves="?"), "modified leaves"),
        (lambda source: source.pop("leaves"), "modified leaves"),
        (lambda source: source.update(body="{}"), "modified body"),
        (lambda source: source.pop("body"), "modified body"),
        (lambda source: source.update(note="x"), "forged text"),
        (lambda source: source.pop("note"), "forged text"),
        (change_text("root"), "forged signature"),
        (change_text("next"), "forged signature"),
        (lambda source: source.update(seal=4), "drift seal"),
        (lambda source: source.update(seal=400), "drift seal"),
        (lambda source: source.update(chain="0" * 32), "drift seal"),
        (lambda source: source.update(count=4), "drift seal"),
        (lambda source: source.pop("time"), "drift seal"),
    ],
)
def test_an_altered_seal_is_found(
    stored: Stored, change: Callable[[Source], object], finding: str
) -> None:
    document = stored.change(stored.find_seal(stored.chain, 3), change)

    first, *more = found(stored.verify())

    assert first == (f"{finding} in audit: seal 3", (document,))
    assert all(
        finding.startswith(("forged", "modified", "unproven")) for finding, _ in more
    )


def test_a_deleted_seal_is_missing_with_its_entries(stored: Stored) -> None:
    stored.delete(stored.find_seal(stored.chain, 3))

    assert wrong(stored.verify()) == ["missing seals in audit: entries 6-8 of seal 3"]


def test_a_cut_tail_is_found(stored: Stored) -> None:
    for number in (4, 5):
        stored.delete(stored.find_seal(stored.chain, number))

    assert sorted(wrong(stored.verify())) == [
        "foreign entries in audit: entries 9-14",
        "truncated head in audit: seals 4-5",
    ]


def test_a_founding_that_is_deleted_is_missing(stored: Stored) -> None:
    document = stored.delete(stored.find_seal(stored.chain, 0))

    assert wrong(stored.verify()) == ["missing seals in audit: seal 0"]
    assert document.id.endswith("-000000000000")


def test_a_second_document_of_a_seal_is_foreign_or_a_copy(stored: Stored) -> None:
    own = stored.find_seal(stored.chain, 3)
    source = stored.read(own)
    stored.write(Document(own.index, "copy"), source)
    stored.write(Document(own.index, "!foreign"), source | {"body": "{}"})
    stored.write(Document(own.index, "~foreign"), source | {"note": "x"})

    report = stored.verify()

    ((finding, documents),) = found(report)
    assert finding == "foreign seal in audit: seal 3"
    assert {one.id for one in documents} == {"!foreign", "~foreign"}
    assert information(report) == ["duplicate seal in audit: seal 3"]


def test_a_twin_that_is_signed_is_a_fork_in_whatever_order_they_come(
    stored: Stored,
) -> None:
    twin = World(stored.world.signer, stored.world.tenant).chain("audit")
    for at in range(2):
        twin.events(events(3 * at, 3))
    twin.events(events(100, 3))
    other = World(stored.world.signer, stored.world.tenant)
    other.chains, other.checkpoint = [twin], None
    own = stored.find_seal(stored.chain, 3)
    line = [one for one in twin.lines if "seal" in one][3]["seal"]
    source = stored.read(own) | {key: line[key] for key in ("note", "body", "leaves")}
    document = Document(own.index, "twin")
    stored.write(document, source)

    assert wrong(stored.verify()) == ["fork seal in audit: seal 3"]


def test_a_chain_that_nobody_lists_is_forged(stored: Stored) -> None:
    world = World(stored.world.signer, stored.world.tenant)
    world.chain("stranger").events(events(0, 1))
    world.checkpoint = None
    world.catalogue.lines.clear()
    Stored(stored.access, stored.client, world).store()

    assert wrong(stored.verify()) == ["forged unlisted in stranger"]


def test_a_second_founding_of_a_chain_is_forged(stored: Stored) -> None:
    world = World(stored.world.signer, stored.world.tenant)
    world.chain("audit", twin="b").events(events(0, 1))
    world.checkpoint = None
    world.catalogue.lines.clear()
    Stored(stored.access, stored.client, world).store()

    assert wrong(stored.verify()) == ["forged unlisted in catalogue"]


def test_a_deleted_checkpoint_is_said_and_a_forged_one_found(stored: Stored) -> None:
    document = Document("beats-signer-checkpoints", stored.world.signer)
    stored.change(document, lambda source: source.update(note="x"))
    assert wrong(stored.verify()) == ["forged checkpoint in catalogue"]

    stored.delete(document)
    report = stored.verify()
    assert wrong(report) == []
    assert any("no checkpoint" in left for left in report.not_checked)
