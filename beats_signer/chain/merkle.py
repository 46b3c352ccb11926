"""Hash leaves and trees as RFC 6962 does, and prove things about them.

A leaf is the hash of an entry; a seal's hash is a leaf of the log tree, so one
set of functions serves both. All hashes are 32 bytes. Proofs are lists from
the leaf upwards, as RFC 6962 sections 2.1.1 and 2.1.2 order them; the checks
are those of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from beats_signer.chain.encoding import HASH_BYTES, NUMBER_LIMIT, check_number
from beats_signer.chain.errors import FormatError, ProofError

__all__ = [
    "EMPTY_ROOT",
    "CompactRange",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "split_hashes",
    "tree_hash",
    "verify_consistency",
    "verify_inclusion",
]

EMPTY_ROOT: Final = sha256(b"").digest()
"""The tree hash of no leaves."""

_SIZE_BYTES = 8


def leaf_hash(form: bytes, payload: bytes, salt: bytes = b"") -> bytes:
    """Return the leaf of one entry; ``form`` is its one ASCII byte."""
    return sha256(b"\x00" + form + salt + payload).digest()


def leaf_hashes(
    forms: bytes, payloads: Sequence[bytes], salts: Sequence[bytes] | None = None
) -> list[bytes]:
    """Return the leaves of many entries: one byte of ``forms`` for each payload.

    Copying a hash object that was fed the prefix is a third faster than
    joining prefix and payload.
    """
    prefixed = {form: sha256(bytes((0, form))) for form in set(forms)}
    leaves = []
    if salts is None:
        for form, payload in zip(forms, payloads, strict=True):
            state = prefixed[form].copy()
            state.update(payload)
            leaves.append(state.digest())
        return leaves
    for form, payload, salt in zip(forms, payloads, salts, strict=True):
        state = prefixed[form].copy()
        state.update(salt)
        state.update(payload)
        leaves.append(state.digest())
    return leaves


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the tree hash of ``leaves``, level by level.

    An odd last node moves up as it is, which is what RFC 6962's recursion
    yields too.
    """
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level += odd
    return level[0]


def split_hashes(joined: bytes, noun: str = "leaves") -> list[bytes]:
    """Cut joined hashes into hashes of 32 bytes."""
    if len(joined) % HASH_BYTES:
        raise FormatError(f"{noun} of {len(joined)} bytes are not a multiple of 32")
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def _largest_power_below(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


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
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError(f"inclusion proof of {len(proof)} hashes is too long")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError(f"inclusion proof of {len(proof)} hashes is too short")
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
    for sibling in path[1:]:
        if last == 0:
            raise ProofError(f"consistency proof of {len(proof)} hashes is too long")
        if node & 1 or node == last:
            old_computed = node_hash(sibling, old_computed)
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError(f"consistency proof of {len(proof)} hashes is too short")
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


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The roots of the full subtrees of a tree, largest first.

    It is all that is needed to append and to compute the root: at most 48
    hashes, whatever the size.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        check_number(self.size, "size of a compact range")
        if len(self.nodes) != self.size.bit_count():
            raise FormatError(
                f"compact range of size {self.size} has {len(self.nodes)} nodes"
                f" instead of {self.size.bit_count()}"
            )
        if any(len(node) != HASH_BYTES for node in self.nodes):
            raise FormatError("compact range has a node that is not 32 bytes")

    def append(self, leaf: bytes) -> "CompactRange":
        """Return the range with one more leaf."""
        return self._append_subtree(0, leaf)

    def extend(self, leaves: Sequence[bytes]) -> "CompactRange":
        """Return the range with more leaves."""
        grown = self
        for leaf in leaves:
            grown = grown.append(leaf)
        return grown

    def merge(self, following: "CompactRange") -> "CompactRange":
        """Return the range that goes on with the leaves of ``following``.

        This range's size must be a multiple of the smallest power of two that
        holds ``following``: only then are its subtrees subtrees of the whole.
        """
        step = 1 << max(following.size - 1, 0).bit_length()
        if self.size % step:
            raise FormatError(
                f"range of {following.size} cannot follow {self.size} leaves,"
                f" which are not a multiple of {step}"
            )
        merged = self
        levels = range(following.size.bit_length() - 1, -1, -1)
        full = (level for level in levels if following.size >> level & 1)
        for level, node in zip(full, following.nodes, strict=True):
            merged = merged._append_subtree(level, node)
        return merged

    def root(self) -> bytes:
        """Return the tree hash of all leaves."""
        if not self.nodes:
            return EMPTY_ROOT
        computed = self.nodes[-1]
        for node in self.nodes[-2::-1]:
            computed = node_hash(node, computed)
        return computed

    def to_bytes(self) -> bytes:
        """Return the size in 8 bytes, big-endian, and the nodes."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, value: bytes) -> "CompactRange":
        """Read what ``to_bytes`` made."""
        if len(value) < _SIZE_BYTES:
            raise FormatError(f"compact range of {len(value)} bytes has no size")
        size = int.from_bytes(value[:_SIZE_BYTES], "big")
        check_number(size, "size of a compact range", NUMBER_LIMIT)
        return cls(size, tuple(split_hashes(value[_SIZE_BYTES:], "nodes")))

    def _append_subtree(self, level: int, node: bytes) -> "CompactRange":
        nodes, carried = list(self.nodes), node
        position = self.size >> level
        while position & 1:
            carried = node_hash(nodes.pop(), carried)
            position >>= 1
        return CompactRange(self.size + (1 << level), (*nodes, carried))
