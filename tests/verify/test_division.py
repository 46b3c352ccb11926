"""Others may say which seals are whole; what they say or not changes no finding."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from beats_signer.chain.comparison import EntryComparison
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.patience import Patience
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.store.contract import Entries, EntryBlock, Flaw, Known
from beats_signer.verify.lines import Item
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.source import ArchiveReading, open_source
from beats_signer.verify.whole import Whole, digest_record, find_whole
from beats_signer.verify.workers import SealRange
from tests.verify.archives import store
from tests.verify.damage import whole_world
from tests.verify.dividing import Others, divided
from tests.verify.rows import put
from tests.verify.signer import World, base64_of, events
from tests.verify.verifying import NOW, verify_folder, wrong

NONE = Entries(b"", (), None)
ELSE = base64_of(bytes(31) + b"1")
AUDIT = "chain = (SELECT chain FROM chains WHERE origin LIKE '%audit%')"


class Watched(ArchiveReading):
    """An archive of which is known what was read by who judges."""

    def __init__(self, path: Path) -> None:
        super().__init__(ArchiveSource(path))
        self.blocks: list[EntryBlock] = []

    def read_knowing(self, origin: str, known: Known) -> Iterator[Item]:
        """Note each block of entries, or what stands for it."""
        for item in super().read_knowing(origin, known):
            if isinstance(item, EntryBlock):
                self.blocks.append(item)
            yield item


class Meddled(Others):
    """Something happens once others have looked at a range."""

    def __init__(self, path: Path, then: Callable[[], object]) -> None:
        super().__init__(partial(open_source, path))
        self._then = then

    def start(self, part: SealRange) -> Future[dict[bytes, Whole]]:
        """Look at a range; then let it happen."""
        answer = super().start(part)
        self._then()
        return answer


def judge(source: ArchiveReading, others: Others, world: World) -> Report:
    """Verify with others, and return the report."""
    report = Report("", NOW)
    with closing(source), divided(source, others) as division:
        Verification(source, world.trust, report, now=NOW, division=division).run()
    return report


@pytest.fixture
def world() -> World:
    """Two chains: of the first, five seals of three events."""
    return whole_world()


@pytest.fixture
def archive(world: World, tmp_path: Path) -> Path:
    """An archive of that world."""
    return store(world, tmp_path / "archive.db")


def test_what_others_found_whole_is_not_read_again(world: World, archive: Path) -> None:
    source, others = Watched(archive), Others(partial(open_source, archive))

    report = judge(source, others, world)

    assert (wrong(report), report.entries) == ([], 17)
    assert [block.is_whole for block in source.blocks] == [True] * 6
    assert sum(whole.count for whole in others.found) == 17


def test_only_what_is_not_whole_is_read_again(world: World, archive: Path) -> None:
    change(archive, f"UPDATE blocks SET data = x'00' WHERE first = 6 AND {AUDIT}")
    source, others = Watched(archive), Others(partial(open_source, archive))

    report = judge(source, others, world)

    assert wrong(report) == ["modified unreadable in audit: entries 6-8 of seal 3"]
    assert [block.is_whole for block in source.blocks[:5]] == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_what_was_found_is_believed_of_that_record_only(
    world: World, archive: Path
) -> None:
    others = Meddled(archive, lambda: change(archive, "UPDATE seals SET leaves = x''"))

    report = judge(Watched(archive), others, world)

    assert "modified leaves in audit: seals 1-5" in wrong(report)


def test_a_chain_that_grows_while_others_look_raises_no_alarm(
    world: World, archive: Path
) -> None:
    chain = world.chains[0]

    def grow() -> None:
        chain.events(events(chain.entries, 2))
        world.head(chain)
        store(world, archive)

    report = judge(Watched(archive), Meddled(archive, grow), world)

    assert wrong(report) == []
    assert report.entries == 17 + 2 * 3


def test_a_chain_that_ends_early_leaves_the_ranges_of_the_next_one(
    world: World, archive: Path
) -> None:
    cut = f"DELETE FROM seals WHERE number > 1 AND {AUDIT}"

    report = judge(
        Watched(archive), Meddled(archive, lambda: change(archive, cut)), world
    )

    assert "truncated head in audit: seals 2-5" in wrong(report)
    assert [chain.intact for chain in report.chains] == [3, 2]


def test_a_seal_that_claims_to_be_the_last_of_very_many_holds_nobody_up(
    world: World, tmp_path: Path
) -> None:
    far = 1 << 40
    world.chains[0].events(events(15, 3), seal=far, first=far, previous=ELSE)
    archive = put(world, tmp_path / "archive.db")

    report = verify_folder(archive, world.trust)

    assert (
        f"missing seals in audit: entries 15-{far - 1} of seals 6-{far - 1}"
        in wrong(report)
    )
    assert [chain.intact for chain in report.chains] == [15, 2]


def test_salts_of_another_size_than_the_chain_has_are_found(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(salt_bytes=16)
    chain.events(events(0, 3))
    chain.salt_bytes = 15
    chain.events(events(3, 3))
    world.head(chain)
    archive = store(world, tmp_path / "archive.db")

    report = verify_folder(archive, world.trust)

    assert wrong(report) == ["modified entry in audit: entries 3-5 of seal 2"]


def comparison(world: World) -> EntryComparison:
    """Return what awaits the entries 3 to 5, which have no salt."""
    chain = world.chains[0]
    seal = Seal.parse(chain.texts[2])
    findings = Findings(chain.origin)
    return EntryComparison(seal, b"", 0, b"JLD", findings, Patience())


@pytest.mark.parametrize(
    ("first", "count", "salt_bytes"),
    [(3, 2, 0), (3, 4, 0), (2, 3, 0), (4, 3, 0), (3, 3, 16)],
)
def test_no_other_entries_are_taken_as_compared(
    world: World, first: int, count: int, salt_bytes: int
) -> None:
    assert comparison(world).awaits(3, 3, 0)
    assert not comparison(world).awaits(first, count, salt_bytes)


def test_entries_of_which_some_came_are_not_taken_as_compared(world: World) -> None:
    begun = comparison(world)
    begun.add_absent(3, 1)

    assert not begun.awaits(3, 3, 0)


def read(archive: Path, world: World) -> list[Item]:
    """Return the first seal with events of the archive, and its block."""
    with closing(open_source(archive)) as source:
        return list(source.read_range(world.chains[0].origin, 1, 2))


def test_a_seal_is_whole_when_all_of_its_entries_are(
    world: World, archive: Path
) -> None:
    items = read(archive, world)

    assert isinstance(items[0], SealRecord)
    assert find_whole(items) == {digest_record(items[0]): Whole(0, 3, 0, 0)}


def alter(block: EntryBlock) -> EntryBlock:
    payloads = [*block.entries.payloads[:2], b"{}"]
    return replace(block, entries=replace(block.entries, payloads=payloads))


def cut(block: EntryBlock) -> EntryBlock:
    forms, payloads = block.entries.forms[:2], block.entries.payloads[:2]
    return replace(block, entries=Entries(forms, payloads, None), count=2)


SPOILT: dict[str, Callable[[SealRecord, EntryBlock], list[Item]]] = {
    "an altered entry": lambda seal, block: [seal, alter(block)],
    "a missing entry": lambda seal, block: [seal, cut(block)],
    "no entries": lambda seal, block: [seal],
    "entries twice": lambda seal, block: [seal, block, block],
    "entries of another place": lambda seal, block: [seal, replace(block, first=1)],
    "other leaves": lambda seal, block: [replace(seal, leaves=bytes(96)), block],
    "no seal": lambda seal, block: [replace(seal, note="x"), block],
    "a flaw": lambda seal, block: [seal, block, Flaw(FindingKind.DRIFT, "fields")],
    "entries that are gone": lambda seal, block: [
        seal,
        EntryBlock(0, NONE, 3, absent="expired"),
    ],
    "damaged entries": lambda seal, block: [seal, EntryBlock(0, NONE, 3, damaged="?")],
    "entries that were not read": lambda seal, block: [
        seal,
        EntryBlock(0, NONE, 3, is_whole=True),
    ],
    "another form": lambda seal, block: [
        seal,
        replace(block, entries=replace(block.entries, forms=b"RRR")),
    ],
    "salts of two sizes": lambda seal, block: [
        seal,
        replace(block, entries=replace(block.entries, salts=[b"", b"", b"a"])),
    ],
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_of_a_seal_that_is_not_whole_nothing_is_said(
    world: World, archive: Path, spoilt: str
) -> None:
    seal, block = read(archive, world)
    assert isinstance(seal, SealRecord)
    assert isinstance(block, EntryBlock)

    assert find_whole(SPOILT[spoilt](seal, block)) == {}


def change(archive: Path, statement: str) -> None:
    """Do with an archive what whoever may write the file can do."""
    with closing(sqlite3.connect(archive, isolation_level=None)) as connection:
        connection.execute(statement)
