"""The key file: which of its states are normal, repaired or refused."""

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.head import Head
from beats_signer.chain.merkle import CompactRange
from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.keyfile import SLOT_BYTES, KeyFile

CHAIN = sha256(b"this chain").digest()
KEY_BYTES = 112


def seed(number: int) -> bytes:
    return sha256(b"key %d" % number).digest()


def public(number: int) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed(number))
    return key.public_key().public_bytes_raw()


def slot(number: int, chain: bytes = CHAIN) -> bytes:
    """Return a slot, written down from the table and not by the program."""
    content = b"bs-key\x00\x01" + chain + number.to_bytes(8, "big") + seed(number)
    return content + sha256(content).digest()


def head(seals: int) -> Head:
    log = CompactRange().extend([bytes(32)] * seals)
    return Head(seals, 0, bytes(32), public(seals), 0, log)


def write(path: Path, first: bytes, second: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(first.ljust(SLOT_BYTES, b"\0") + second.ljust(SLOT_BYTES, b"\0"))


def open_keys(path: Path, seals: int, disk: Disk | None = None) -> KeyFile:
    return KeyFile.open(path, CHAIN, head(seals), disk or Disk(), lambda size: seed(99))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.key"


def test_a_new_file_has_the_keys_of_the_first_two_seals(path: Path) -> None:
    keys = KeyFile.create(path, CHAIN, (seed(0), seed(1)), Disk(), os.urandom)

    assert [keys.public(0), keys.public(1)] == [public(0), public(1)]
    assert path.read_bytes()[:KEY_BYTES] == slot(0)
    assert path.read_bytes()[SLOT_BYTES:][:KEY_BYTES] == slot(1)
    keys.close()


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    KeyFile.create(path, CHAIN, (seed(0), seed(1)), Disk(), os.urandom).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_never_written_over_by_a_founding(path: Path) -> None:
    write(path, slot(6), slot(7))
    with pytest.raises(DurabilityError, match="File exists"):
        KeyFile.create(path, CHAIN, (seed(0), seed(1)), Disk(), os.urandom)
    assert path.read_bytes()[:KEY_BYTES] == slot(6)


def test_keys_that_fit_the_journal_are_taken_as_they_are(path: Path) -> None:
    write(path, slot(6), slot(7))
    before = path.read_bytes()

    keys = open_keys(path, 6)

    assert [keys.public(6), keys.public(7)] == [public(6), public(7)]
    assert path.read_bytes() == before
    keys.close()


def test_a_crash_before_advancing_is_made_good(path: Path) -> None:
    write(path, slot(6), slot(5))  # seal 5 is journaled, its key still there

    keys = open_keys(path, 6)

    assert keys.public(6) == public(6)
    assert keys.public(7) == public(99)
    assert seed(5) not in path.read_bytes()
    keys.close()


@pytest.mark.parametrize("written", [1, 7, 8, 39, 40, 47, 48, 64, 79, 80, 96, 111])
def test_a_torn_slot_is_made_anew(path: Path, written: int) -> None:
    write(path, slot(6), slot(7)[:written] + slot(5)[written:])

    keys = open_keys(path, 6)

    assert keys.public(6) == public(6)
    assert keys.public(7) == public(99)
    assert path.read_bytes()[SLOT_BYTES:][:KEY_BYTES] != slot(5)
    keys.close()


@pytest.mark.parametrize("at", range(0, KEY_BYTES, 9))
def test_a_turned_bit_never_gives_another_key(path: Path, at: int) -> None:
    turned = bytearray(slot(6))
    turned[at] ^= 4
    write(path, bytes(turned), slot(7))
    with pytest.raises(StateError, match=r"readable keys are for seal: 7$"):
        open_keys(path, 6)


def test_advancing_overwrites_the_key_on_the_disk(path: Path) -> None:
    write(path, slot(6), slot(7))
    keys = open_keys(path, 6)

    keys.advance(6)

    assert seed(6) not in path.read_bytes()
    assert keys.public(8) == public(99)
    with pytest.raises(KeyError):
        keys.key(6)
    keys.close()


@pytest.mark.parametrize(
    ("first", "second", "readable"),
    [
        pytest.param(slot(4), slot(5), "4, 5", id="an older copy"),
        pytest.param(slot(8), slot(7), "7, 8", id="a newer one"),
        pytest.param(slot(8), slot(9), "8, 9", id="a much newer one"),
        pytest.param(b"", slot(5), "5", id="only the key that is used up"),
        pytest.param(b"", slot(7), "7", id="only the key after the next"),
        pytest.param(slot(7), slot(6), "none", id="swapped slots"),
        pytest.param(b"", b"", "none", id="zeros"),
        pytest.param(
            slot(6, bytes(32)), slot(7, bytes(32)), "none", id="another chain's keys"
        ),
    ],
)
def test_keys_that_do_not_fit_the_journal_are_refused(
    path: Path, first: bytes, second: bytes, readable: str
) -> None:
    write(path, first, second)
    before = path.read_bytes()
    with pytest.raises(StateError) as caught:
        open_keys(path, 6)
    assert str(caught.value) == (
        f"{path}: the keys do not fit the journal: seal 6 is next, and the readable "
        f"keys are for seal: {readable}"
    )
    assert path.read_bytes() == before


def test_a_key_that_the_last_seal_does_not_name_is_refused(path: Path) -> None:
    write(path, slot(6), slot(7))
    with pytest.raises(StateError, match="seal 6 is not the one that seal 5 names"):
        KeyFile.open(
            path, CHAIN, replace(head(6), next=public(1)), Disk(), lambda size: seed(99)
        )


@pytest.mark.parametrize("size", [0, 100, SLOT_BYTES, SLOT_BYTES + 100])
def test_a_file_cut_to_one_key_or_less_is_refused_or_repaired_never_misread(
    path: Path, size: int
) -> None:
    write(path, slot(6), slot(7))
    os.truncate(path, size)
    if size < SLOT_BYTES:
        with pytest.raises(StateError, match="readable keys are for seal: none"):
            open_keys(path, 6)
    else:
        keys = open_keys(path, 6)
        assert [keys.public(6), keys.public(7)] == [public(6), public(99)]
        keys.close()


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(StateError, match="cannot be read: No such file"):
        open_keys(path, 6)


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", slot(6), slot(7))
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="symbolic links"):
        open_keys(path, 6)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    write(path, slot(6), slot(7))
    path.chmod(mode)
    with pytest.raises(StateError, match=f"has mode {mode:04o}"):
        open_keys(path, 6)


class BrokenDisk(Disk):
    """A disk on which one system call fails from some point on."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.is_broken = True

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        if self.is_broken and self.call == "write":
            raise OSError(28, "No space left on device")
        super().write_at(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        if self.is_broken and self.call == "sync":
            raise OSError(5, "Input/output error")
        super().sync(descriptor)


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_failed_advance_ends_the_process_and_keeps_the_key(
    path: Path, call: str
) -> None:
    write(path, slot(6), slot(7))
    disk = BrokenDisk(call)
    disk.is_broken = False
    keys = open_keys(path, 6, disk)
    disk.is_broken = True

    with pytest.raises(DurabilityError, match="could not be written: ") as caught:
        keys.advance(6)

    assert "nothing that was acknowledged is lost" in caught.value.hint
    assert keys.public(6) == public(6)
    keys.close()


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_failed_creation_ends_the_process(path: Path, call: str) -> None:
    with pytest.raises(DurabilityError, match="could not be written: "):
        KeyFile.create(path, CHAIN, (seed(0), seed(1)), BrokenDisk(call), os.urandom)


def test_opening_fails_when_what_it_reads_cannot_be_made_durable(path: Path) -> None:
    write(path, slot(6), slot(7))
    with pytest.raises(DurabilityError, match="Input/output error"):
        open_keys(path, 6, BrokenDisk("sync"))


def test_no_key_shows_in_what_is_printed(path: Path) -> None:
    keys = KeyFile.create(path, CHAIN, (seed(0), seed(1)), Disk(), os.urandom)
    shown = f"{keys!r} {keys.key(0)!r} {vars(keys)!r}"
    assert seed(0).hex() not in shown
    assert repr(seed(0)) not in shown
    keys.close()
