"""The journal: what it keeps, what it drops, and what damage it notices."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal import Journal
from beats_signer.sign.journal_rows import SideEffects
from beats_signer.sign.recognition import SentWindow
from tests.sign.writes import Journaled, journaled, row
from tests.store.chains import Chain

WINDOW = SentWindow("c-1", 1, None, "10.0.0.1", bytes(32), 0, 1, 1_795_424_400 * 10**9)


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def seals(chain: Chain) -> list[Journaled]:
    return list(journaled(chain, 6))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path, chain: Chain, seals: list[Journaled]) -> Iterator[Journal]:
    """Yield a journal that holds the founding of one chain."""
    journal = Journal.create(path)
    journal.add_chain(row(chain), seals[0].write, seals[0].head)
    yield journal
    journal.close()


def commit(journal: Journal, *seals: Journaled) -> None:
    for seal in seals:
        journal.commit(seal.write, seal.head, SideEffects())


def numbers(journal: Journal, chain: Chain) -> list[int]:
    """Return the numbers of the seals that the journal still holds."""
    return [n for n in range(10) if journal.seal(chain.id, n) is not None]


def test_only_its_owner_may_read_the_journal(journal: Journal, path: Path) -> None:
    modes = {file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_what_was_committed_is_there_without_a_close(
    journal: Journal, path: Path, chain: Chain, seals: list[Journaled]
) -> None:
    effects = SideEffects(windows=[WINDOW])
    journal.commit(seals[1].write, seals[1].head, effects)
    crashed = shutil.copytree(path.parent, path.parent / "crashed")

    again = Journal.open(crashed / path.name)

    last = again.last(chain.id)
    assert last is not None
    assert (last.number, last.head) == (1, seals[1].head)
    assert last.record == seals[1].write.record
    assert again.write(chain.id, 1) == seals[1].write
    assert again.windows(chain.id) == [WINDOW]
    assert again.chains() == [row(chain)]
    again.close()


def test_a_seal_is_unstored_until_it_is_marked(
    journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    commit(journal, *seals[1:4])
    journal.mark_stored(chain.id, 0)
    journal.mark_stored(chain.id, 2)

    unstored = journal.unstored(chain.id)

    assert [one.seal for one in unstored] == [seals[1].write.seal, seals[3].write.seal]
    assert unstored[0].write_bytes == len(seals[1].write.body)


def test_of_stored_seals_the_founding_and_the_newest_stay(
    journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    commit(journal, *seals[1:])
    for number in range(6):
        journal.mark_stored(chain.id, number)

    assert numbers(journal, chain) == [0, 5]
    last = journal.last_stored(chain.id)
    assert last is not None
    assert last.number == 5


def test_an_unstored_seal_stays_whatever_is_stored_after_it(
    journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    commit(journal, *seals[1:])
    for number in (0, 1, 3, 5, 4):
        journal.mark_stored(chain.id, number)

    assert numbers(journal, chain) == [0, 2, 5]
    assert journal.write(chain.id, 2) == seals[2].write


def test_what_a_stored_seal_sent_is_dropped_from_the_file(
    path: Path, journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    commit(journal, *seals[1:])
    for number in range(6):
        journal.mark_stored(chain.id, number)
    journal.close()

    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM writes").fetchone() == (0,)
    database.close()


def test_forgotten_windows_are_gone_and_others_stay(
    journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    other = replace(WINDOW, window=2, first=1)
    journal.commit(seals[1].write, seals[1].head, SideEffects(windows=[WINDOW, other]))

    journal.forget(chain.id, [WINDOW.owner, ("c-9", 1)])

    assert journal.windows(chain.id) == [other]


def test_what_the_catalogue_says_is_noted_together_with_its_seal(
    journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    effects = SideEffects(catalogued=[chain.id], reported={chain.id: 7})
    journal.commit(seals[1].write, seals[1].head, effects)

    (known,) = journal.chains()
    assert (known.catalogued, known.reported) == (True, 7)


def test_a_successor_takes_the_place_of_its_predecessor(
    journal: Journal, chain: Chain
) -> None:
    successor = Chain(twin="successor")
    founding = next(journaled(successor, 1))
    origin = "signer-1.example.com/acme/syslog/20261123T100000Z"
    journal.add_chain(
        replace(row(successor), origin=origin),
        founding.write,
        founding.head,
        replaces=row(chain),
    )

    assert {one.chain: one.active for one in journal.chains()} == {
        chain.id: False,
        successor.id: True,
    }


def test_a_predecessor_that_the_journal_did_not_know_is_known_from_then_on(
    path: Path, chain: Chain
) -> None:
    journal = Journal.create(path)
    successor = Chain("other")
    founding = next(journaled(successor, 1))
    old = replace(row(chain), active=False)
    journal.add_chain(
        replace(row(successor), stream="other"), founding.write, founding.head, old
    )

    assert old in journal.chains()
    assert journal.last(chain.id) is None
    journal.close()


def test_two_active_chains_of_one_route_are_impossible(journal: Journal) -> None:
    twin = Chain("other")
    founding = next(journaled(twin, 1))
    with pytest.raises(DurabilityError, match="UNIQUE constraint failed"):
        journal.add_chain(row(twin), founding.write, founding.head)


def test_after_a_failed_write_the_journal_takes_nothing_more(
    journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    with pytest.raises(DurabilityError, match="reading or writing failed: UNIQUE"):
        commit(journal, seals[0])  # any error will do: this one is easily made
    with pytest.raises(DurabilityError, match="an earlier write has failed"):
        commit(journal, seals[1])
    with pytest.raises(DurabilityError, match="an earlier write has failed"):
        journal.chains()


def test_a_full_disk_is_an_error_and_leaves_the_journal_as_it_was(
    path: Path, journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    commit(journal, seals[1])
    journal.close()
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    large = replace(seals[2].write, body=os.urandom(1 << 20))

    full = Journal(path, database)
    with pytest.raises(DurabilityError, match="disk is full") as caught:
        full.commit(large, seals[2].head, SideEffects(windows=[WINDOW]))
    full.close()

    assert "has space" in caught.value.hint
    again = Journal.open(path)
    assert numbers(again, chain) == [0, 1]
    assert again.windows(chain.id) == []
    again.close()


def test_a_missing_journal_is_refused(path: Path) -> None:
    with pytest.raises(StateError, match="there is no journal") as caught:
        Journal.open(path)
    assert "beats-signer init" in caught.value.hint


def test_a_journal_of_another_version_is_refused(path: Path, journal: Journal) -> None:
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 4")
    database.close()
    with pytest.raises(StateError, match="journal of version 4") as caught:
        Journal.open(path)
    assert "version of beats-signer that wrote it" in caught.value.hint


@pytest.mark.parametrize("size", [100, 4096, 8192, 3 * 8192, 4 * 8192 + 1])
def test_a_journal_that_was_cut_is_refused(
    path: Path, journal: Journal, seals: list[Journaled], size: int
) -> None:
    commit(journal, *seals[1:])
    journal.close()
    assert path.stat().st_size > size
    os.truncate(path, size)
    with pytest.raises(StateError, match=r"journal\.db: ") as caught:
        Journal.open(path).chains()
    assert "keep the file" in caught.value.hint


def test_an_empty_file_is_no_journal(path: Path) -> None:
    path.touch()
    with pytest.raises(StateError, match="journal of version 0"):
        Journal.open(path)


def test_a_file_of_something_else_is_no_journal(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StateError, match="not a database"):
        Journal.open(path)


@pytest.mark.parametrize(
    ("statement", "is_read"),
    [
        ("UPDATE seals SET body = body || ' '", "seal"),
        ("UPDATE seals SET leaves = x'00'", "seal"),
        ("UPDATE seals SET note = replace(note, 'seal', 'seaI')", "seal"),
        ("UPDATE seals SET head = zeroblob(length(head))", "seal"),
        ("UPDATE writes SET data = x'00'", "write"),
    ],
)
def test_bits_that_have_turned_are_noticed(
    path: Path,
    journal: Journal,
    chain: Chain,
    seals: list[Journaled],
    statement: str,
    is_read: str,
) -> None:
    commit(journal, seals[1])
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()

    again = Journal.open(path)
    with pytest.raises(StateError, match="is damaged in the journal"):
        getattr(again, is_read)(chain.id, 1)
    again.close()


@pytest.mark.parametrize("sixteenths", range(16))
def test_a_torn_transaction_never_happened(
    path: Path,
    journal: Journal,
    chain: Chain,
    seals: list[Journaled],
    sixteenths: int,
) -> None:
    log = path.with_name("journal.db-wal")
    commit(journal, seals[1])
    before = log.stat().st_size
    commit(journal, seals[2])
    written = log.stat().st_size - before
    crashed = shutil.copytree(path.parent, path.parent / "crashed")

    os.truncate(crashed / log.name, before + written * sixteenths // 16)

    again = Journal.open(crashed / path.name)
    assert numbers(again, chain) == [0, 1]
    again.close()


class SyncCountingDisk(Disk):
    def __init__(self) -> None:
        self.synced: list[str] = []

    def sync(self, descriptor: int) -> None:
        self.synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        super().sync(descriptor)


def test_opening_makes_durable_what_a_killed_process_wrote_last(
    path: Path, journal: Journal, chain: Chain, seals: list[Journaled]
) -> None:
    commit(journal, seals[1])
    crashed = shutil.copytree(path.parent, path.parent / "crashed")
    log = (crashed / "journal.db-wal").read_bytes()
    disk = SyncCountingDisk()

    again = Journal.open(crashed / path.name, disk)

    assert disk.synced == ["journal.db-wal"]
    assert numbers(again, chain) == [0, 1]
    assert (crashed / "journal.db-wal").read_bytes() == log
    again.close()


def test_a_journal_whose_last_write_cannot_be_made_durable_is_not_opened(
    path: Path, journal: Journal, seals: list[Journaled]
) -> None:
    class BrokenDisk(Disk):
        def sync(self, descriptor: int) -> None:
            raise OSError(5, "Input/output error")

    commit(journal, seals[1])
    crashed = shutil.copytree(path.parent, path.parent / "crashed")
    with pytest.raises(DurabilityError, match=r"journal\.db-wal: .*Input/output error"):
        Journal.open(crashed / path.name, BrokenDisk())
