from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import FormatError
from beats_signer.chain.founding import Found
from beats_signer.chain.head import Head, build_seal, found
from beats_signer.chain.merkle import CompactRange, tree_hash
from beats_signer.chain.seal import ZERO, Kind, Seal
from beats_signer.chain.times import TIME_LIMIT
from tests.chain.samples import (
    IDENTITY,
    ORIGIN,
    TIME,
    founding,
    private_key,
    public_key,
)

FOUNDED, _, HEAD = founding()


def extend(head: Head, **changes: Any) -> Seal:
    values: dict[str, Any] = {
        "origin": ORIGIN,
        "kind": Kind.EVENTS,
        "leaves": [sha256(b"leaf").digest()],
        "body": "{}",
        "time": TIME,
        "next_public": public_key("next"),
    }
    return build_seal(head, **values | changes)


def test_a_founded_head_has_one_seal_and_no_entries() -> None:
    assert (
        Head(
            1,
            0,
            FOUNDED.hash(),
            public_key("1"),
            TIME,
            CompactRange(1, (FOUNDED.hash(),)),
        )
        == HEAD
    )


def test_seal_extends_its_head() -> None:
    seal = extend(HEAD)
    assert (seal.number, seal.first, seal.count) == (1, 0, 1)
    assert seal.root == sha256(b"leaf").digest()
    assert seal.body == sha256(b"{}").digest()
    assert seal.previous == FOUNDED.hash() == seal.log


@given(st.lists(st.integers(1, 5), max_size=20))
def test_every_head_commits_to_all_seals_and_entries_before(counts: list[int]) -> None:
    head, hashes = HEAD, [FOUNDED.hash()]
    for count in counts:
        seal = extend(head, leaves=[bytes(32)] * count)
        assert seal.previous == hashes[-1]
        assert seal.log == tree_hash(hashes)
        head = head.after(seal, seal.hash())
        hashes.append(seal.hash())
    assert (head.seals, head.entries) == (len(counts) + 1, sum(counts))
    assert head.log.root() == tree_hash(hashes)
    assert Head.from_bytes(head.to_bytes()) == head


def test_a_clock_that_went_back_repeats_the_time() -> None:
    assert extend(HEAD, time=TIME - 1).time == TIME
    assert extend(HEAD, time=TIME + 1).time == TIME + 1


def test_nothing_follows_a_close() -> None:
    seal = extend(HEAD, kind=Kind.CLOSE, leaves=[], next_public=ZERO)
    head = HEAD.after(seal, seal.hash())
    assert head.closed and not HEAD.closed
    with pytest.raises(FormatError, match=r"^seal 2 would follow a close$"):
        extend(head)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leaves": []}, "kind events with count 0"),
        ({"leaves": [bytes(32)] * 65_537}, "count 65537 is not between 0 and 65536"),
        ({"kind": Kind.FOUND, "leaves": []}, "seal 1 has kind found"),
        (
            {"kind": Kind.HEARTBEAT, "leaves": []},
            "kind heartbeat outside the catalogue",
        ),
        ({"body": "x" * ((8 << 20) + 1)}, "body of 8388609 bytes exceeds the limit of"),
        ({"next_public": ZERO}, "kind events names no next key"),
        (
            {"next_public": b"\1" + bytes(31)},
            "next AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        ({"time": TIME_LIMIT}, f"time {TIME_LIMIT} is outside the years 1970 to 9999"),
    ],
)
def test_a_seal_that_breaks_a_rule_is_not_built(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        extend(HEAD, **changes)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("changes", [{"number": 2}, {"first": 1}])
def test_a_seal_that_does_not_extend_a_head_is_our_mistake(
    changes: dict[str, Any],
) -> None:
    seal = replace(extend(HEAD), **changes)
    with pytest.raises(RuntimeError, match=r"^seal . with first . extends a head of 1"):
        HEAD.after(seal, seal.hash())


def test_a_head_holds_the_last_time_that_has_a_spelling() -> None:
    head = replace(HEAD, time=TIME_LIMIT - 1)
    assert Head.from_bytes(head.to_bytes()) == head


def test_a_chain_starts_with_its_founding_and_no_other_seal() -> None:
    seal = extend(HEAD)
    with pytest.raises(RuntimeError, match=r"^a chain starts with seal 1$"):
        Head.founded(seal, seal.hash())


def test_a_founding_is_signed_by_the_keys_that_its_body_names() -> None:
    arguments: dict[str, Any] = {
        "origin": ORIGIN,
        "time": TIME,
        "next_public": public_key("1"),
        "key": private_key("0"),
        "identity": private_key("identity"),
    }
    with pytest.raises(
        RuntimeError, match=r"^the body of a founding names another key"
    ):
        found(body=Found(IDENTITY, public_key("1"), 0), **arguments)
    other = arguments | {"identity": private_key("another")}
    with pytest.raises(
        RuntimeError, match=r"^the body of a founding names another ide"
    ):
        found(body=Found(IDENTITY, public_key("0"), 0), **other)


FIXED = 8 + 12 + 32 + 32


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "head of 0 bytes is cut off"),
        (bytes(FIXED - 1), "head of 83 bytes is cut off"),
        (bytes(FIXED), "compact range of 0 bytes has no size"),
        (bytes(FIXED + 8), "head of 0 seals has a log of 0"),
        (HEAD.to_bytes() + b"x", "nodes of 33 bytes are not a multiple of 32"),
        (HEAD.to_bytes()[:-32], "compact range of size 1 has 0 nodes instead of 1"),
        (b"\xff" * 8 + HEAD.to_bytes()[8:], "entries of a head 18446744073709551615"),
        (
            bytes(8) + b"\xff" * 12 + HEAD.to_bytes()[20:],
            "time of a head 792281625142643375935",
        ),
    ],
)
def test_a_head_of_other_bytes_is_refused(value: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Head.from_bytes(value)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seals": 2}, "head of 2 seals has a log of 1"),
        ({"last": b""}, "last of a head has 0 bytes instead of 32"),
        ({"next": b""}, "next of a head has 0 bytes instead of 32"),
    ],
)
def test_a_head_that_contradicts_itself_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        replace(HEAD, **changes)
    assert str(caught.value).startswith(message)


def test_a_head_stays_small_whatever_the_number_of_seals() -> None:
    log = CompactRange((1 << 48) - 1, tuple([bytes(32)] * 48))
    head = replace(HEAD, seals=log.size, log=log)
    assert len(head.to_bytes()) == FIXED + 8 + 48 * 32
    assert extend(head).log == log.root()
