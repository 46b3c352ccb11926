"""Give a verifier what a source yields, and keep count of it."""

from collections.abc import Callable, Iterable

from beats_signer.chain.catalogue import CatalogueVerifier
from beats_signer.chain.findings import Findings
from beats_signer.chain.seal import SealRecord
from beats_signer.chain.verify import ChainVerifier
from beats_signer.store.contract import EntryBlock, Flaw
from beats_signer.verify.bare import BareEvents
from beats_signer.verify.lines import Item
from beats_signer.verify.report import Report

__all__ = ["Feed", "add_flaw"]


class Feed:
    """What all readings of one run have in common."""

    def __init__(
        self,
        report: Report,
        bare: BareEvents,
        on_entries: Callable[[str, int], None],
    ) -> None:
        """Take the report that counts, and who keeps bare documents.

        ``on_entries`` is called with an origin and a number of entries read.
        """
        self._report = report
        self._bare = bare
        self._on_entries = on_entries

    def give(
        self,
        verifier: ChainVerifier | CatalogueVerifier,
        findings: Findings,
        origin: str,
        items: Iterable[Item],
    ) -> int:
        """Give a verifier all items; return the number of seals among them."""
        seals = 0
        for item in items:
            if isinstance(item, EntryBlock):
                _add_block(verifier, item)
                self._report.compared += item.compared
                self._on_entries(origin, item.count)
            elif isinstance(item, SealRecord):
                verifier.add_seal(item)
                seals += 1
            else:
                self._take(findings, origin, item)
        return seals

    def _take(self, findings: Findings, origin: str, flaw: Flaw) -> None:
        """Report a flaw; whether a bare document is one, the catalogue will say."""
        if flaw.reason == "bare" and flaw.entries and flaw.seals and flaw.documents:
            index, seal = flaw.entries[0], flaw.seals[0]
            self._bare.see(origin, index, seal, flaw.documents[0])
        else:
            add_flaw(findings, flaw)


def add_flaw(findings: Findings, flaw: Flaw) -> None:
    """Report what a source has found to be wrong."""
    findings.add(
        flaw.kind,
        flaw.reason,
        seals=flaw.seals,
        entries=flaw.entries,
        detail=flaw.detail,
        documents=flaw.documents,
        count=flaw.count,
    )


def _add_block(verifier: ChainVerifier | CatalogueVerifier, block: EntryBlock) -> None:
    entries = block.entries
    if block.is_whole:
        assert isinstance(verifier, ChainVerifier), "records are always read"
        verifier.add_whole()
    elif block.damaged is not None:
        verifier.add_unreadable(block.first, block.count, block.damaged)
    elif block.absent is not None:
        verifier.add_absent(block.first, block.count, block.absent)
    else:
        verifier.add_entries(
            block.first, entries.forms, entries.payloads, entries.salts
        )
