"""Hash leaves and trees as RFC 6962 does, at once or leaf by leaf.

A leaf is the hash of an entry; a seal's hash is a leaf of the log tree, so one
set of functions serves both. All hashes are 32 bytes. What is proved about
trees is in ``proof``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from beats_signer.chain.encoding import HASH_BYTES, check_number
from beats_signer.chain.errors import FormatError

__all__ = [
    "EMPTY_ROOT",
    "CompactRange",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "split_hashes",
    "tree_hash",
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
        check_number(size, "size of a compact range")
        return cls(size, tuple(split_hashes(value[_SIZE_BYTES:], "nodes")))

    def _append_subtree(self, level: int, node: bytes) -> "CompactRange":
        nodes, carried = list(self.nodes), node
        position = self.size >> level
        while position & 1:
            carried = node_hash(nodes.pop(), carried)
            position >>= 1
        return CompactRange(self.size + (1 << level), (*nodes, carried))
