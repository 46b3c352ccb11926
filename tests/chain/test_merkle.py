"""Trees against RFC 6962's recursion and the published roots of CT."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import FormatError
from beats_signer.chain.merkle import (
    EMPTY_ROOT,
    CompactRange,
    leaf_hash,
    leaf_hashes,
    node_hash,
    split_hashes,
    tree_hash,
)

CT_LEAVES = [
    sha256(b"\x00" + bytes.fromhex(data)).digest()
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves_of(size: int) -> list[bytes]:
    return [sha256(size.to_bytes(4) + at.to_bytes(4)).digest() for at in range(size)]


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


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_published_for_certificate_transparency(size: int) -> None:
    root = bytes.fromhex(CT_ROOTS[size])
    assert tree_hash(CT_LEAVES[:size]) == root
    assert CompactRange().extend(CT_LEAVES[:size]).root() == root


@given(st.integers(0, 300))
def test_tree_by_levels_and_leaf_by_leaf_are_the_recursive_tree(size: int) -> None:
    leaves = leaves_of(size)
    assert tree_hash(leaves) == mth(leaves)
    assert CompactRange().extend(leaves).root() == mth(leaves)


def test_hashing_a_tree_leaves_its_leaves_as_they_are() -> None:
    leaves = leaves_of(5)
    tree_hash(leaves)
    assert leaves == leaves_of(5)


def test_leaf_binds_form_salt_and_payload() -> None:
    assert leaf_hash(b"J", b"{}") == sha256(b"\x00J{}").digest()
    salted = leaf_hash(b"D", b"pairs", b"0123456789abcdef")
    assert salted == sha256(b"\x00D0123456789abcdefpairs").digest()


@given(st.lists(st.tuples(st.sampled_from(b"JLDR"), st.binary(), st.binary())))
def test_leaves_in_bulk_are_leaves_one_by_one(
    entries: list[tuple[int, bytes, bytes]],
) -> None:
    forms = bytes(form for form, _, _ in entries)
    payloads = [payload for _, payload, _ in entries]
    salts = [salt for _, _, salt in entries]
    assert leaf_hashes(forms, payloads) == [
        leaf_hash(bytes((form,)), payload) for form, payload, _ in entries
    ]
    assert leaf_hashes(forms, payloads, salts) == [
        leaf_hash(bytes((form,)), payload, salt) for form, payload, salt in entries
    ]


@pytest.mark.parametrize(
    ("forms", "payloads", "salts"),
    [(b"JJ", [b""], None), (b"J", [b"", b""], None), (b"J", [b""], [])],
)
def test_bulk_leaves_need_a_form_and_a_salt_for_each_payload(
    forms: bytes, payloads: list[bytes], salts: list[bytes] | None
) -> None:
    with pytest.raises(ValueError, match=r"^zip\(\) argument [23] is "):
        leaf_hashes(forms, payloads, salts)


def test_node_is_separated_from_a_leaf() -> None:
    left, right = leaves_of(2)
    assert node_hash(left, right) == sha256(b"\x01" + left + right).digest()


def test_empty_tree_is_the_hash_of_nothing() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT == CompactRange().root()


@given(st.integers(0, 500))
def test_compact_range_reads_as_it_is_written(size: int) -> None:
    grown = CompactRange().extend(leaves_of(size))
    assert CompactRange.from_bytes(grown.to_bytes()) == grown
    assert len(grown.nodes) == size.bit_count()


@given(st.integers(0, 40), st.integers(0, 9), st.data())
def test_aligned_ranges_merge_into_the_range_of_all_leaves(
    steps: int, level: int, data: st.DataObject
) -> None:
    size, more = steps << level, data.draw(st.integers(0, 1 << level))
    leaves = leaves_of(size + more)
    left = CompactRange().extend(leaves[:size])
    right = CompactRange().extend(leaves[size:])
    assert left.merge(right) == CompactRange().extend(leaves)


def test_ranges_that_are_not_aligned_do_not_merge() -> None:
    left, right = CompactRange().extend(leaves_of(6)), CompactRange(3, (b"l" * 32,) * 2)
    with pytest.raises(FormatError) as caught:
        left.merge(right)
    assert str(caught.value) == (
        "range of 3 cannot follow 6 leaves, which are not a multiple of 4"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "compact range of 0 bytes has no size"),
        (bytes(7), "compact range of 7 bytes has no size"),
        (bytes(9), "nodes of 1 bytes are not a multiple of 32"),
        (bytes(8 + 32), "compact range of size 0 has 1 nodes instead of 0"),
        (bytes(7) + b"\3", "compact range of size 3 has 0 nodes instead of 2"),
        (b"\0\1" + bytes(6 + 32), "size of a compact range 281474976710656 is not"),
    ],
)
def test_compact_range_of_other_bytes_is_refused(value: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=r"^" + message):
        CompactRange.from_bytes(value)


def test_compact_range_has_nodes_of_32_bytes() -> None:
    with pytest.raises(FormatError, match=r"^compact range has a node that is not 32"):
        CompactRange(1, (bytes(31),))


def test_joined_hashes_are_cut_into_hashes() -> None:
    assert split_hashes(b"".join(leaves_of(3))) == leaves_of(3)
    assert split_hashes(b"") == []


def test_joined_hashes_of_another_length_are_refused() -> None:
    with pytest.raises(FormatError, match=r"^leaves of 33 bytes are not a multiple of"):
        split_hashes(bytes(33))
