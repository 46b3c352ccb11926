"""Run a verification: the catalogue first, then each chain that it lists.

The order that makes a growing source safe to verify: the checkpoint is read
before the catalogue, so that the catalogue goes at least as far; the catalogue
before the chains, so that each goes at least to its recorded head; and the
origins before the catalogue's tail, so that a chain which was founded meanwhile
is listed by then. A founding is confirmed in the catalogue before any seal of
its chain is stored, so what is not listed by then is forged.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from beats_signer.chain.catalogue import CatalogueVerifier
from beats_signer.chain.errors import FormatError
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.founding import Predecessor
from beats_signer.chain.listing import ListedChain
from beats_signer.chain.records import BareRecord, CatalogueRecord, HeadRecord
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.chain.times import format_time
from beats_signer.chain.trust import TrustLine
from beats_signer.chain.verify import ChainVerifier
from beats_signer.errors import SourceError
from beats_signer.store.contract import Flaw
from beats_signer.verify.bare import BareEvents
from beats_signer.verify.division import Division
from beats_signer.verify.feed import Feed, add_flaw
from beats_signer.verify.lines import Item
from beats_signer.verify.readable import Readable
from beats_signer.verify.report import Report
from beats_signer.verify.spool import HeadSpool

__all__ = ["Verification"]


class Verification:
    """One run over one source; ``run`` is called once."""

    def __init__(
        self,
        source: Readable,
        trust: TrustLine,
        report: Report,
        *,
        now: int,
        checkpoints: Sequence[str] = (),
        only: Collection[str] = (),
        is_live: bool = False,
        on_entries: Callable[[str, int], None] = lambda origin, count: None,
        division: Division | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            source: Where the chains are read.
            trust: What is trusted.
            report: Filled while the run goes on.
            now: The verifier's clock, nanoseconds since 1970.
            checkpoints: Signed notes kept elsewhere, besides the source's own.
            only: Origins of the chains to verify; all when empty.
            is_live: Whether the signer is expected to be running.
            on_entries: Called with an origin and a number of entries read.
            division: Lets others look at the chains too; its owner closes it.
        """
        self._source = source
        self._trust = trust
        self._report = report
        self._now = now
        self._kept_checkpoints = checkpoints
        self._only = only
        self._is_live = is_live
        self._division = division
        self._heads = HeadSpool()
        self._bare = BareEvents()
        self._feed = Feed(report, self._bare, on_entries)
        self._chains: dict[str, Findings] = {}
        self._predecessors: list[tuple[Findings, Predecessor]] = []

    def run(self) -> None:
        """Verify everything; what is wrong is in the report afterwards.

        Raises:
            SourceError: There is no catalogue, or nothing can be read.
        """
        try:
            self._run()
        finally:
            self._heads.close()
            self._bare.close()

    def _run(self) -> None:
        source, signer = self._source, self._trust.identity.name
        source.pin(signer, self._trust.catalogue)
        findings = Findings(signer, source.locate)
        catalogue = CatalogueVerifier(
            self._trust,
            findings,
            now=self._now,
            checkpoints=self._find_checkpoints(),
            settled=source.settled,
            on_record=self._take_record,
        )
        for flaw in self._source.flaws():
            add_flaw(findings, flaw)
        is_whole = self._read_catalogue(catalogue, findings)
        if catalogue.is_anchored:
            self._check_listed(catalogue)
            chosen = [
                listed
                for listed in catalogue.chains.values()
                if not self._only or listed.origin in self._only
            ]
            if self._division is not None:
                self._division.expect(chosen)
            chains = [self._verify_chain(listed, catalogue) for listed in chosen]
            if is_whole and not self._only:
                chains += self._verify_rest(catalogue, findings)
            self._judge_bare(catalogue, findings, is_whole=is_whole)
            if is_whole:
                catalogue.finish(is_live=self._is_live)
            self._judge_predecessors()
        else:
            chains = []
            self._leave("every chain: the catalogue's founding is not the trusted one")
        if self._only:
            self._leave(f"the other {len(catalogue.chains) - len(chains)} chains")
        self._report.signer = self._trust.identity.name
        self._report.trust = self._trust
        self._report.identity = catalogue.identity if catalogue.is_anchored else None
        self._report.catalogue = facts = catalogue.facts
        if facts is not None and not self._is_live:
            self._leave(f"what came after {format_time(facts.last_time)}")
        if not source.is_shown:
            self._leave("what Elasticsearch shows of the events")
        self._report.not_checked += self._source.left()
        for reported in (findings, *chains):
            self._report.findings += reported

    def _check_listed(self, catalogue: CatalogueVerifier) -> None:
        """Refuse to verify only a chain that the catalogue does not list."""
        for origin in self._only:
            if origin not in catalogue.chains:
                raise SourceError(
                    f"the catalogue lists no chain {origin}",
                    hint="`beats-signer inspect` shows the origins.",
                )

    def _find_checkpoints(self) -> list[str]:
        """Return all checkpoints; call it before the catalogue is read."""
        own = self._source.checkpoint()
        if own is None:
            self._leave(
                "whether the catalogue's tail was cut: no checkpoint stands beside it"
            )
        return [*self._kept_checkpoints, *([] if own is None else [own])]

    def _take_record(self, record: CatalogueRecord, seal: int) -> None:
        if isinstance(record, HeadRecord):
            self._heads.add(record.origin, record.size, record.root, seal)
        elif isinstance(record, BareRecord):
            self._bare.list(record.origin, record.indexes, seal)

    def _read_catalogue(self, catalogue: CatalogueVerifier, findings: Findings) -> bool:
        """Read the catalogue on; tell whether it could be read to its end."""
        origin = self._source.catalogue()
        before = catalogue.facts
        start = 0 if before is None else before.seals
        try:
            items = self._source.read(origin, start)
            seals = self._feed.give(catalogue, findings, origin, items)
        except SourceError as error:
            self._doubt("the catalogue cannot be read on", error)
            return False
        finally:
            catalogue.settle()
        if before is None and seals == 0:
            raise SourceError(
                f"{self._report.source} holds no catalogue of"
                f" {self._trust.identity.name}",
                hint="Is this the trust line of the signer that has written it?",
            )
        return True

    def _verify_rest(
        self, catalogue: CatalogueVerifier, findings: Findings
    ) -> list[Findings]:
        """Judge what is not of a chain that was listed."""
        judged: list[Findings] = []
        try:
            strangers = tuple(self._source.leftovers())
            judged += self._verify_unlisted(catalogue, findings)
            _judge_strangers(strangers, catalogue, findings)
        except SourceError as error:
            self._doubt("what no chain covers cannot be read", error)
        return judged

    def _verify_unlisted(
        self, catalogue: CatalogueVerifier, findings: Findings
    ) -> list[Findings]:
        """Judge what was not listed when the catalogue was read."""
        before = set(catalogue.chains)
        unlisted = [
            origin
            for origin in self._source.origins()
            if origin not in before and origin != self._source.catalogue()
        ]
        if self._source.is_growing and not self._read_catalogue(catalogue, findings):
            return []
        judged = [self._judge_unlisted(origin, catalogue) for origin in unlisted]
        for origin in self._heads.origins():  # of which the founding was lost
            if origin not in catalogue.chains and origin not in unlisted:
                judged.append(Findings(origin))
                self._judge_absence(origin, judged[-1])
        return judged

    def _judge_unlisted(self, origin: str, catalogue: CatalogueVerifier) -> Findings:
        """Judge a chain that was not listed when its name was read."""
        if (listed := catalogue.chains.get(origin)) is not None:
            return self._verify_chain(listed, catalogue)
        if catalogue.has_holes:
            return self._verify_claimed(origin, catalogue)
        findings = Findings(origin)
        findings.add(FindingKind.FORGED, "unlisted")
        return findings

    def _verify_claimed(self, origin: str, catalogue: CatalogueVerifier) -> Findings:
        """Verify a chain by its own founding: what listed it may be lost."""
        for item in self._source.read(origin):
            if not isinstance(item, SealRecord):
                continue
            try:
                seal, _ = parse_seal_note(item.note)
            except FormatError:
                break
            if seal.number == 0 and seal.origin == origin:
                listed = ListedChain(origin, seal, catalogue.identity, None)
                return self._verify_chain(listed, catalogue)
            break
        findings = Findings(origin)
        findings.add(FindingKind.UNPROVEN, "listing")
        return findings

    def _verify_chain(
        self, listed: ListedChain, catalogue: CatalogueVerifier
    ) -> Findings:
        """Verify one chain and return its findings."""
        origin = listed.origin
        self._source.pin(origin, listed.founding.hash())
        findings = self._chains[origin] = Findings(origin, self._source.locate)
        facts = catalogue.facts
        verifier = ChainVerifier(
            listed.founding,
            listed.identity,
            findings,
            now=self._now,
            newest=self._now if facts is None else facts.last_time,
            heads=self._heads.read(origin, catalogue.is_proven),
            settled=self._source.settled,
        )
        try:
            items = self._read(origin, verifier)
            seals = self._feed.give(verifier, findings, origin, items)
        except SourceError as error:
            self._doubt(f"{origin} cannot be read on", error)
            return findings
        if seals == 0:
            self._judge_absence(origin, findings)
            return findings
        verifier.finish()
        proven = verifier.facts
        is_listed = listed.seal is not None and catalogue.is_proven(listed.seal)
        if not is_listed and proven.anchored == 0:
            # What lists a chain that was founded just now may not be visible yet.
            settled = self._source.settled
            is_young = settled is not None and listed.founding.time > settled
            kind = FindingKind.PENDING if is_young else FindingKind.UNPROVEN
            findings.add(kind, "listing")
            proven = replace(proven, intact=0)
        self._report.chains.append(proven)
        if verifier.found is not None and verifier.found.predecessor is not None:
            self._predecessors.append((findings, verifier.found.predecessor))
        return findings

    def _read(self, origin: str, verifier: ChainVerifier) -> Iterator[Item]:
        """Yield what a verifier needs of a chain."""
        if self._division is None:
            return self._source.read(origin)
        return self._division.read(origin, verifier)

    def _judge_absence(self, origin: str, findings: Findings) -> None:
        """Judge a listed chain of which nothing is there."""
        if recorded := self._heads.largest(origin):
            detail = f"{recorded} seals are recorded"
            findings.add(FindingKind.MISSING, "chain", detail=detail)
        else:
            self._leave(f"{origin}: founded, and nothing of it was stored so far")

    def _judge_bare(
        self, catalogue: CatalogueVerifier, findings: Findings, *, is_whole: bool
    ) -> None:
        """Hold bare documents against the catalogue, which may list them by now."""
        seen = self._bare.count()
        if seen and is_whole and self._only:
            is_whole = self._read_catalogue(catalogue, findings)
        wrong = young = 0
        for one in self._bare.unlisted(catalogue.is_proven):
            if is_whole and one.seal < self._heads.largest(one.origin):
                wrong += 1
                add_flaw(self._chains[one.origin], one.flaw())
            else:
                young += 1
        if young:
            self._leave(f"whether {young} documents may be without visible fields")
        self._report.bare = seen - wrong - young

    def _judge_predecessors(self) -> None:
        """Hold what successors say of their predecessors against the heads."""
        for findings, before in self._predecessors:
            recorded = self._heads.largest(before.origin)
            if recorded > before.number + 1:
                findings.add(
                    FindingKind.TRUNCATED,
                    "predecessor",
                    detail=f"{before.origin}: {recorded} seals are recorded,"
                    f" {before.number + 1} are named",
                )

    def _doubt(self, what: str, error: SourceError) -> None:
        self._report.undecided.append(f"{what}: {error}. {error.hint}".rstrip(". "))

    def _leave(self, what: str) -> None:
        self._report.not_checked.append(what)


def _judge_strangers(
    strangers: Sequence[Flaw], catalogue: CatalogueVerifier, findings: Findings
) -> None:
    """Report what belongs to no chain, unless one was founded meanwhile."""
    listed = {one.founding.hash().hex()[:32] for one in catalogue.chains.values()}
    for flaw in strangers:
        if flaw.reason != "chain" or flaw.detail not in listed:
            add_flaw(findings, flaw)
