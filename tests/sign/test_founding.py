"""Beginning a signer and beginning a chain."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from beats_signer.chain.body import Found
from beats_signer.chain.founding import Predecessor
from beats_signer.chain.note import verify
from beats_signer.chain.records import FoundRecord
from beats_signer.chain.seal import Kind, parse_seal_note
from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.founding import Founder, Terms, initialise
from beats_signer.sign.journal import Journal
from beats_signer.sign.state import Identity, StateFolder
from tests.fakes.faulty import Delay
from tests.fakes.times import START
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of everything in a folder, by its path there."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }


class FailingDisk(Disk):
    """A disk whose n-th sync of a file or folder fails."""

    def __init__(self, fails_at: int) -> None:
        self.syncs = 0
        self._fails_at = fails_at

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        self._count()
        super().sync_folder(path)

    def _count(self) -> None:
        self.syncs += 1
        if self.syncs == self._fails_at:
            raise OSError(5, "Input/output error")


def initialise_at(path: Path, disk: Disk) -> None:
    initialise(
        path,
        signer=SIGNER,
        heartbeat_seconds=60,
        encode=lambda sealed: b"",
        clock=lambda: START,
        disk=disk,
    )


def test_only_its_owner_may_use_a_state_directory(world: World) -> None:
    assert {mode for path, mode in modes(world.state).items() if "." in path[1:]} == {
        0o600
    }
    assert modes(world.state)["."] == 0o700
    assert modes(world.state)["keys"] == 0o700


async def test_what_a_running_signer_adds_is_for_its_owner_only_too(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        found = modes(world.state)

    assert {mode & 0o077 for mode in found.values()} == {0}
    assert len([path for path in found if path.startswith("keys/")]) == 2


def test_a_loose_umask_loosens_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        initialise_at(tmp_path / "state", Disk())
    finally:
        os.umask(before)
    assert {mode & 0o077 for mode in modes(tmp_path / "state").values()} == {0}


def test_the_trust_line_names_the_founding_of_the_catalogue(world: World) -> None:
    journal = Journal.open(world.state / "journal.db")
    (row,) = journal.chains()
    founding = journal.seal(row.chain, 0)
    journal.close()

    assert founding is not None
    seal, note = parse_seal_note(founding.record.note)
    assert seal.hash() == world.trust.catalogue == row.chain
    assert (seal.origin, seal.kind) == (SIGNER, Kind.FOUND)
    verify(note, world.trust.identity)
    found = Found.parse(founding.record.body)
    assert found.identity == world.trust.identity
    assert found.heartbeat_seconds == 60


def test_what_exists_is_never_written_over(world: World) -> None:
    before = modes(world.state)
    with pytest.raises(StateError, match="a state directory is there already") as error:
        world.initialise(world.state)
    assert "Never delete the state of a signer that has signed" in error.value.hint
    assert modes(world.state) == before


def test_a_missing_parent_is_made(tmp_path: Path) -> None:
    initialise_at(tmp_path / "a" / "b" / "state", Disk())
    assert (tmp_path / "a" / "b" / "state" / "journal.db").exists()


INIT_SYNCS = 7


def test_every_part_of_a_new_state_directory_is_synced(tmp_path: Path) -> None:
    disk = FailingDisk(0)
    initialise_at(tmp_path / "state", disk)
    assert disk.syncs == INIT_SYNCS


@pytest.mark.parametrize("fails_at", range(1, INIT_SYNCS + 1))
def test_an_init_that_fails_leaves_nothing_and_can_be_repeated(
    tmp_path: Path, fails_at: int
) -> None:
    path = tmp_path / "state"
    with pytest.raises((StateError, DurabilityError), match="Input/output error"):
        initialise_at(path, FailingDisk(fails_at))
    assert list(tmp_path.iterdir()) == []
    initialise_at(path, Disk())


async def test_a_chain_is_founded_by_its_first_window(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        assert signer.status()["chains"] == []
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await signer.stop()

    assert world.origins() == [f"{SIGNER}/default/generic/20261123T090000Z"]
    world.verify()


async def test_the_catalogue_has_a_founding_before_the_store_has_anything_of_it(
    world: World,
) -> None:
    found = Delay()
    world.script({"catalogue 2": [found]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await found.arrived.wait()
        assert {origin for origin, _ in world.store.order} == {SIGNER}
        assert len(world.store.notes) == 3
        found.released.set()
        await sender.take_acks()

    (origin,) = world.origins()
    confirmed = world.store.order
    assert confirmed.index((SIGNER, 2)) < confirmed.index((origin, 0))


async def test_what_waits_for_a_founding_is_given_up_with_its_connection(
    world: World,
) -> None:
    found = Delay()
    world.script({"catalogue 2": [found]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipt = sender.send()
        await found.arrived.wait()
        sender.lose()
        assert receipt.cancelled()
        assert signer.status()["chains"][0]["waiting_windows"] == 0
        sender.connect(signer)
        found.released.set()
        await sender.take_acks()
        await signer.stop()

    assert world.events() == sender.sent
    world.verify()


@pytest.fixture
def founder(world: World) -> Iterator[Founder]:
    state = StateFolder(world.state)
    journal = Journal.open(state.journal)
    yield Founder(
        state,
        Identity.read(state, SIGNER),
        journal,
        world.memory.encode,
        world.clock,
        os.urandom,
        world.disk,
    )
    journal.close()


def test_a_taken_origin_leaves_the_next_second(founder: Founder) -> None:
    origins = [
        founder.found(
            "acme", f"s{n}", Terms(), taken=[f"{SIGNER}/acme/s1/20261123T090000Z"]
        ).opened.origin
        for n in (1, 2)
    ]
    assert origins == [
        f"{SIGNER}/acme/s1/20261123T090001Z",
        f"{SIGNER}/acme/s2/20261123T090000Z",
    ]


def test_an_origin_in_the_journal_is_taken(founder: Founder, world: World) -> None:
    first = founder.found("acme", "syslog", Terms())
    (row,) = [one for one in founder.journal.chains() if one.origin != SIGNER]
    second = founder.found("acme", "syslog", Terms(), replaces=row)
    assert first.opened.origin == f"{SIGNER}/acme/syslog/20261123T090000Z"
    assert second.opened.origin == f"{SIGNER}/acme/syslog/20261123T090001Z"


def test_a_founding_says_what_holds_for_its_chain(founder: Founder) -> None:
    predecessor = Predecessor(f"{SIGNER}/a/b/20200101T000000Z", b"c" * 32, 7, b"h" * 32)
    terms = Terms(predecessor, retention_days=90, salt_bytes=16)
    founded = founder.found("acme", "syslog", terms)

    journaled = founder.journal.seal(founded.opened.chain, 0)
    assert journaled is not None
    found = Found.parse(journaled.record.body)
    assert (found.predecessor, found.retention_days) == (predecessor, 90)
    assert (found.salt_bytes, founded.opened.salt_bytes) == (16, 16)
    assert FoundRecord(founded.opened.origin, founded.note).note == founded.note


def test_the_first_key_is_erased_when_its_seal_is_journaled(founder: Founder) -> None:
    founded = founder.found("acme", "syslog", Terms())
    keys = founded.opened.keys
    assert keys is not None
    assert keys.public(1) == founded.opened.head.next
    with pytest.raises(KeyError):
        keys.key(0)
    keys.close()
