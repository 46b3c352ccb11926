"""Hold the trusted heads of one chain against the log that is followed."""

from collections.abc import Iterable

from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.merkle import CompactRange

__all__ = ["Anchors"]


class Anchors:
    """Trusted heads in ascending size, each looked at once.

    Of the catalogue they are checkpoints, of another chain the catalogue's heads.
    """

    def __init__(
        self, heads: Iterable[tuple[int, bytes]], findings: Findings, reason: str
    ) -> None:
        """Take size and root of each head; ``reason`` is that of its findings."""
        self._heads = iter(heads)
        self._head = next(self._heads, None)
        self._findings = findings
        self._reason = reason
        self._forked = False
        self.size = 0
        """Of the largest head that the log has reached and equals."""

    def add(self, size: int, root: bytes) -> None:
        """Take one more head; it is looked at if the log has not passed it."""
        left = [] if self._head is None else [self._head]
        self._heads = iter(sorted([*left, *self._heads, (size, root)]))
        self._head = next(self._heads)

    def cut(self, size: int) -> None:
        """Forget the heads larger than *size* that the log has not reached."""
        left = [] if self._head is None else [self._head]
        self._heads = iter([one for one in (*left, *self._heads) if one[0] <= size])
        self._head = next(self._heads, None)

    def prove(self, log: CompactRange) -> bool:
        """Tell whether a head of this very size has the root of ``log``.

        A head with another root is reported once: all later ones have one too.
        """
        proven = False
        while self._head is not None and self._head[0] <= log.size:
            size, root = self._head
            self._head = next(self._heads, None)
            if size < log.size or self._forked:
                continue
            if root == log.root():
                proven = True
                self.size = size
            else:
                proven = False
                self._forked = True
                self._findings.add(
                    FindingKind.FORK,
                    self._reason,
                    seals=(size - 1, size - 1),
                    detail=f"first seen at {size} seals",
                )
        return proven

    def finish(self, size: int) -> None:
        """Report a chain of ``size`` seals that ends before the largest head."""
        recorded = 0
        while self._head is not None:
            recorded = self._head[0]
            self._head = next(self._heads, None)
        if recorded > size:
            self._findings.add(
                FindingKind.TRUNCATED,
                self._reason,
                seals=(size, recorded - 1),
                detail=f"{size} seals instead of at least {recorded}",
            )
