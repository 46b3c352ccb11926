from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import ProofError
from beats_signer.chain.merkle import EMPTY_ROOT, tree_hash
from beats_signer.chain.proof import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from tests.chain.test_merkle import CT_LEAVES, CT_ROOTS, leaves_of

CT_PATHS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


@pytest.mark.parametrize(("index", "size", "path"), CT_PATHS)
def test_audit_paths_are_those_published_for_certificate_transparency(
    index: int, size: int, path: list[str]
) -> None:
    proof = tuple(bytes.fromhex(node) for node in path)
    assert inclusion_proof(CT_LEAVES[:size], index) == proof
    root = bytes.fromhex(CT_ROOTS[size])
    verify_inclusion(CT_LEAVES[index], index, size, proof, root)


@given(st.integers(1, 200), st.data())
def test_every_leaf_is_proved_at_its_own_index_only(
    size: int, data: st.DataObject
) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(leaves, index), tree_hash(leaves)
    verify_inclusion(leaves[index], index, size, proof, root)
    if other != index:
        with pytest.raises(ProofError, match=r"inclusion proof|is not in the tree"):
            verify_inclusion(leaves[index], other, size, proof, root)


@given(st.integers(1, 100), st.data())
def test_every_prefix_is_proved_and_no_other_tree_is(
    size: int, data: st.DataObject
) -> None:
    leaves = leaves_of(size)
    old_size = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old_size)
    old_root, root = tree_hash(leaves[:old_size]), tree_hash(leaves)
    verify_consistency(old_size, old_root, size, root, proof)
    forged = sha256(b"another history").digest()
    with pytest.raises(ProofError, match=r"root"):
        verify_consistency(old_size, forged, size, root, proof)
    with pytest.raises(ProofError, match=r"root"):
        verify_consistency(old_size, old_root, size, forged, proof)


@given(st.integers(2, 100), st.data())
def test_a_proof_with_one_other_hash_proves_nothing(
    size: int, data: st.DataObject
) -> None:
    leaves, root = leaves_of(size), tree_hash(leaves_of(size))
    index, old_size = data.draw(
        st.tuples(st.integers(0, size - 1), st.integers(1, size))
    )
    included = list(inclusion_proof(leaves, index))
    included[data.draw(st.integers(0, len(included) - 1))] = bytes(32)
    with pytest.raises(ProofError):
        verify_inclusion(leaves[index], index, size, included, root)
    consistent = list(consistency_proof(leaves, old_size))
    if consistent:
        consistent[data.draw(st.integers(0, len(consistent) - 1))] = bytes(32)
        with pytest.raises(ProofError):
            old_root = tree_hash(leaves[:old_size])
            verify_consistency(old_size, old_root, size, root, consistent)


def test_a_proof_of_another_length_is_refused() -> None:
    leaves, root = leaves_of(7), tree_hash(leaves_of(7))
    included = inclusion_proof(leaves, 2)
    with pytest.raises(ProofError, match=r"^inclusion proof of 2 hashes is too short$"):
        verify_inclusion(leaves[2], 2, 7, included[:-1], root)
    with pytest.raises(ProofError, match=r"^inclusion proof of 4 hashes is too long$"):
        verify_inclusion(leaves[2], 2, 7, [*included, root], root)
    old_root, consistent = tree_hash(leaves[:3]), consistency_proof(leaves, 3)
    with pytest.raises(
        ProofError, match=r"^consistency proof of 3 hashes is too short"
    ):
        verify_consistency(3, old_root, 7, root, consistent[:-1])
    with pytest.raises(
        ProofError, match=r"^consistency proof of 5 hashes is too long$"
    ):
        verify_consistency(3, old_root, 7, root, [*consistent, root])
    with pytest.raises(
        ProofError, match=r"^consistency proof of 0 hashes is too short"
    ):
        verify_consistency(3, old_root, 7, root, [])


def test_another_leaf_is_not_in_the_tree() -> None:
    leaves = leaves_of(7)
    with pytest.raises(
        ProofError, match=r"^leaf 2 is not in the tree of 7 with this ro"
    ):
        verify_inclusion(leaves[3], 2, 7, inclusion_proof(leaves, 2), tree_hash(leaves))


@pytest.mark.parametrize(("index", "size"), [(7, 7), (-1, 7), (0, 0), (8, 7)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    message = f"^leaf {index} is not in a tree of {size}$"
    with pytest.raises(ProofError, match=message):
        inclusion_proof(leaves_of(size), index)
    with pytest.raises(ProofError, match=message):
        verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize("old_size", [0, -1, 8])
def test_only_a_prefix_that_is_not_empty_is_proved(old_size: int) -> None:
    message = f"^tree of {old_size} is not a prefix of one of 7$"
    with pytest.raises(ProofError, match=message):
        consistency_proof(leaves_of(7), old_size)


@pytest.mark.parametrize("old_size", [-1, 8])
def test_a_tree_does_not_extend_a_larger_one(old_size: int) -> None:
    with pytest.raises(ProofError, match=f"^tree of {old_size} is not a prefix of"):
        verify_consistency(old_size, bytes(32), 7, bytes(32), [])


def test_every_tree_extends_the_empty_one_and_itself() -> None:
    root = tree_hash(leaves_of(7))
    verify_consistency(0, EMPTY_ROOT, 7, root, [])
    verify_consistency(7, root, 7, root, [])
    with pytest.raises(
        ProofError, match=r"^the tree of 0 has another root than the em"
    ):
        verify_consistency(0, root, 7, root, [])
    with pytest.raises(ProofError, match=r"^two trees of 7 have different roots$"):
        verify_consistency(7, EMPTY_ROOT, 7, root, [])
    with pytest.raises(
        ProofError, match=r"^consistency proof of 1 hashes is too long$"
    ):
        verify_consistency(0, EMPTY_ROOT, 7, root, [root])


def test_a_proof_of_a_huge_size_costs_no_more_than_its_hashes() -> None:
    with pytest.raises(ProofError, match=r"^inclusion proof of 0 hashes is too short$"):
        verify_inclusion(bytes(32), 5, 1 << 200, [], bytes(32))
    with pytest.raises(
        ProofError, match=r"^consistency proof of 1 hashes is too short"
    ):
        verify_consistency(5, bytes(32), 1 << 200, bytes(32), [bytes(32)])
