"""Prove that a leaf is in a tree, and that a tree extends another.

Proofs are hashes from the leaf upwards, in the order of RFC 6962 sections
2.1.1 and 2.1.2; they are checked as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say.
The leaves of a seal and the seals of a log are proved alike.
"""

from collections.abc import Iterator, Sequence

from beats_signer.chain.errors import ProofError
from beats_signer.chain.merkle import EMPTY_ROOT, node_hash, tree_hash

__all__ = [
    "consistency_proof",
    "inclusion_proof",
    "verify_consistency",
    "verify_inclusion",
]


def _largest_power_below(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _climb(
    node: int, last: int, proof: Sequence[bytes], noun: str
) -> Iterator[tuple[bytes, bool]]:
    """Yield each hash of a proof, and whether it stands left, from a node to the root.

    *node* and *last* are the indexes of the node and of the last one on its level.

    Raises:
        ProofError: The proof, called *noun*, ends above or below the root.
    """
    for sibling in proof:
        if last == 0:
            raise ProofError(f"{noun} is too long")
        is_left = bool(node & 1) or node == last
        yield sibling, is_left
        while is_left and not node & 1 and node:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError(f"{noun} is too short")


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of leaf ``index`` in the tree of ``leaves``."""
    if not 0 <= index < len(leaves):
        raise ProofError(f"leaf {index} is not in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return ()
    cut = _largest_power_below(len(leaves))
    if index < cut:
        return (*inclusion_proof(leaves[:cut], index), tree_hash(leaves[cut:]))
    return (*inclusion_proof(leaves[cut:], index - cut), tree_hash(leaves[:cut]))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that ``leaf`` is at ``index`` of the tree of ``size`` with ``root``.

    Raises:
        ProofError: It is not, or the proof has the wrong length.
    """
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    computed = leaf
    noun = f"inclusion proof of {len(proof)} hashes"
    for sibling, is_left in _climb(index, size - 1, proof, noun):
        computed = (
            node_hash(sibling, computed) if is_left else node_hash(computed, sibling)
        )
    if computed != root:
        raise ProofError(f"leaf {index} is not in the tree of {size} with this root")


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the proof that the first ``old_size`` leaves are a prefix."""
    if not 0 < old_size <= len(leaves):
        raise ProofError(f"tree of {old_size} is not a prefix of one of {len(leaves)}")
    return _subproof(leaves, old_size, True)


def _subproof(
    leaves: Sequence[bytes], old_size: int, complete: bool
) -> tuple[bytes, ...]:
    if old_size == len(leaves):
        return () if complete else (tree_hash(leaves),)
    cut = _largest_power_below(len(leaves))
    if old_size <= cut:
        proof = _subproof(leaves[:cut], old_size, complete)
        return (*proof, tree_hash(leaves[cut:]))
    proof = _subproof(leaves[cut:], old_size - cut, False)
    return (*proof, tree_hash(leaves[:cut]))


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of ``size`` extends the tree of ``old_size``.

    Every tree extends the empty one, by a proof of no hashes.

    Raises:
        ProofError: It does not, or the proof has the wrong length.
    """
    if not 0 <= old_size <= size:
        raise ProofError(f"tree of {old_size} is not a prefix of one of {size}")
    if old_size in (0, size):
        _verify_trivial_consistency(old_size, old_root, size, root, proof)
        return
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if not path:
        raise ProofError("consistency proof of 0 hashes is too short")
    old_computed = computed = path[0]
    noun = f"consistency proof of {len(proof)} hashes"
    for sibling, is_left in _climb(node, last, path[1:], noun):
        if is_left:
            old_computed = node_hash(sibling, old_computed)
            computed = node_hash(sibling, computed)
        else:
            computed = node_hash(computed, sibling)
    if old_computed != old_root:
        raise ProofError(f"consistency proof does not lead to the root of {old_size}")
    if computed != root:
        raise ProofError(f"consistency proof does not lead to the root of {size}")


def _verify_trivial_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise ProofError(f"consistency proof of {len(proof)} hashes is too long")
    if old_size == size and old_root != root:
        raise ProofError(f"two trees of {size} have different roots")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the tree of 0 has another root than the empty tree")
