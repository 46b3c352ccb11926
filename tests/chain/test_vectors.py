"""The vectors verify with hashlib alone, and every text of them round-trips."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from beats_signer.chain.body import Found, parse_body
from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.export import (
    AbsentEntry,
    EntryLine,
    EntryRun,
    SealLine,
    build_entry_lines,
    build_seal_line,
    decode_lines,
    gather_entries,
)
from beats_signer.chain.head import Head, build_seal
from beats_signer.chain.merkle import leaf_hashes, split_hashes, tree_hash
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.records import HeadRecord, parse_record
from beats_signer.chain.seal import (
    SealRecord,
    parse_seal_note,
    verify_founding_note,
    verify_seal_note,
)
from beats_signer.chain.trust import TrustLine
from tests.chain.samples import CHAINS, VECTORS, VectorSeal, vector_bytes, vector_seals

TRUST = TrustLine.parse((VECTORS / "trust").read_text())
SEALS = [(chain, seal) for chain in CHAINS for seal in vector_seals(chain)]
NAMES = [f"{chain}-{seal.number}" for chain, seal in SEALS]


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def plain_leaf(entry: dict[str, Any]) -> bytes:
    payload = (
        entry["payload"].encode()
        if "payload" in entry
        else base64.b64decode(entry["payload_base64"])
    )
    salt = base64.b64decode(entry.get("salt", ""))
    return sha256(b"\x00" + entry["form"].encode() + salt + payload).digest()


def hashes_of(chain: str) -> list[bytes]:
    return [sha256(b"\0" + s.text.encode()).digest() for s in vector_seals(chain)]


def both(seal: VectorSeal) -> tuple[Any, Any, SealRecord]:
    record = SealRecord(seal.note, seal.body, base64.b64decode(seal.leaves))
    return *parse_seal_note(seal.note), record


@pytest.mark.parametrize("chain", CHAINS)
def test_hash_links_of_the_vectors_hold_by_hashlib_alone(chain: str) -> None:
    hashes = hashes_of(chain)
    first = 0
    for number, seal in enumerate(vector_seals(chain)):
        leaves = [plain_leaf(entry) for entry in seal.entries]
        previous = hashes[number - 1] if number else bytes(32)
        assert seal.line("seal") == str(number)
        assert seal.line("first") == str(first)
        assert seal.line("count") == str(len(leaves))
        assert base64.b64decode(seal.line("root")) == mth(leaves)
        assert base64.b64decode(seal.leaves) == b"".join(leaves)
        assert (
            base64.b64decode(seal.line("body")) == sha256(seal.body.encode()).digest()
        )
        assert base64.b64decode(seal.line("previous")) == previous
        assert base64.b64decode(seal.line("log")) == mth(hashes[:number])
        first += len(leaves)


@pytest.mark.parametrize("chain", CHAINS)
def test_signatures_of_the_vectors_hold_by_cryptography_alone(chain: str) -> None:
    key = b""
    for seal in vector_seals(chain):
        if seal.number == 0:
            key = base64.b64decode(json.loads(seal.body)["key"])
        line = seal.note.split("\n")[13].split(" ")
        signature = base64.b64decode(line[2])[4:]
        Ed25519PublicKey.from_public_bytes(key).verify(signature, seal.text.encode())
        key = base64.b64decode(seal.line("next"))


@pytest.mark.parametrize(("chain", "seal"), SEALS, ids=NAMES)
def test_every_seal_text_note_and_body_of_the_vectors_round_trips(
    chain: str, seal: VectorSeal
) -> None:
    parsed, note, record = both(seal)
    assert parsed.text() == seal.text
    assert str(note) == seal.note
    assert parse_body(parsed, seal.body).to_json() == seal.body
    assert parsed.hash() == hashes_of(chain)[seal.number]
    assert split_hashes(record.leaves) == [plain_leaf(e) for e in seal.entries]


@pytest.mark.parametrize("chain", CHAINS)
def test_every_seal_of_the_vectors_is_what_its_head_builds(chain: str) -> None:
    head: Head | None = None
    for vector in vector_seals(chain):
        seal, note, record = both(vector)
        body = parse_body(seal, record.body)
        if head is None:
            assert isinstance(body, Found)
            verify_founding_note(seal, note, body.key, TRUST.identity)
            head = Head.founded(seal, seal.hash())
            continue
        verify_seal_note(seal, note, head.next)
        built = build_seal(
            head,
            origin=seal.origin,
            kind=seal.kind,
            leaves=split_hashes(record.leaves),
            body=record.body,
            time=seal.time,
            next_public=seal.next,
        )
        assert built == seal
        head = head.after(seal, seal.hash())
        assert Head.from_bytes(head.to_bytes()) == head


@pytest.mark.parametrize("chain", CHAINS)
def test_every_export_line_of_the_vectors_round_trips(chain: str) -> None:
    written = bytearray()
    run: list[EntryLine] = []

    def flush() -> None:
        for part in gather_entries(run):
            assert isinstance(part, EntryRun) and not isinstance(part, AbsentEntry)
            written.extend(
                build_entry_lines(part.first, part.forms, part.payloads, part.salts)
            )
        run.clear()

    for line in decode_lines(vector_bytes(chain)):
        if isinstance(line, SealLine):
            flush()
            written.extend(build_seal_line(line.number, line.record()))
        else:
            run.append(line)
    flush()
    assert bytes(written) == vector_bytes(chain)


@pytest.mark.parametrize(
    "payload",
    [e["payload"] for s in vector_seals("catalogue") for e in s.entries],
)
def test_every_catalogue_record_of_the_vectors_round_trips(payload: str) -> None:
    assert parse_record(payload.encode()).to_payload() == payload.encode()


def test_heads_of_the_catalogue_are_the_log_trees_of_its_chains() -> None:
    chains = {
        next(vector_seals(chain)).text.split("\n")[1]: hashes_of(chain)
        for chain in CHAINS
    }
    heads = [
        record
        for seal in vector_seals("catalogue")
        for record in (parse_record(e["payload"].encode()) for e in seal.entries)
        if isinstance(record, HeadRecord)
    ]
    assert len(heads) == 5
    for head in heads:
        assert head.root == mth(chains[head.origin][: head.size])


def test_checkpoint_of_the_vectors_commits_to_the_whole_catalogue() -> None:
    note = (VECTORS / "catalogue.checkpoint").read_text()
    checkpoint = Checkpoint.verify(note, TRUST.identity)
    hashes = hashes_of("catalogue")
    assert (checkpoint.size, checkpoint.root) == (len(hashes), mth(hashes))
    assert note.startswith(checkpoint.text() + "\n")


def test_trust_line_of_the_vectors_round_trips_and_pins_the_founding() -> None:
    assert f"{TRUST}\n" == (VECTORS / "trust").read_text()
    assert TRUST.catalogue == hashes_of("catalogue")[0]
    assert "+" in str(TRUST.identity).split("+", 2)[2]
    assert VerifierKey.parse(str(TRUST.identity)) == TRUST.identity


@pytest.mark.parametrize("seal", list(vector_seals("erasable"))[1:])
def test_salted_leaves_of_the_vectors_match_in_bulk(seal: VectorSeal) -> None:
    entries = [
        line
        for line in decode_lines(vector_bytes("erasable"))
        if isinstance(line, EntryLine)
    ]
    first = seal.entries[0]["index"]
    (run,) = gather_entries(entries[first : first + len(seal.entries)])
    assert isinstance(run, EntryRun)
    leaves = leaf_hashes(run.forms, run.payloads, run.salts)
    assert leaves == [plain_leaf(entry) for entry in seal.entries]
    assert tree_hash(leaves) == base64.b64decode(seal.line("root"))
