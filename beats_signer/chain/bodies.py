"""Read the bodies of one chain's seals, and let them hold for what follows."""

from msgspec import UNSET

from beats_signer.chain.body import (
    Body,
    ConfigBody,
    EraseBody,
    EventsBody,
    body_hash,
    parse_body,
)
from beats_signer.chain.clock import Clock
from beats_signer.chain.errors import ChainError
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.founding import Found
from beats_signer.chain.lifetimes import Lifetimes
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.seal import Seal

__all__ = ["Bodies"]


class Bodies:
    """What the bodies of accepted seals have said so far."""

    def __init__(
        self,
        identity: VerifierKey,
        lifetimes: Lifetimes,
        clock: Clock,
        findings: Findings,
    ) -> None:
        """Take the identity that must found the chain, and whom bodies instruct."""
        self.found: Found | None = None
        """Body of seal 0, once it was read and is the signed one."""
        self._identity = identity
        self._lifetimes = lifetimes
        self._clock = clock
        self._findings = findings

    def read(self, seal: Seal, text: str) -> Body | None:
        """Return the body of the next accepted seal, or report why there is none."""
        self._clock.judge(seal)
        body = self._parse(seal, text)
        match body:
            case Found():
                self._take_founding(seal, body)
            case EventsBody():
                self._clock.judge_windows(seal, body.windows)
            case ConfigBody() if body.retention_days is not UNSET:
                self._lifetimes.retention_days = body.retention_days
            case EraseBody() if self.found is not None and not self.found.salt_bytes:
                detail = "erase in a chain that is not erasable"
                self._report(FindingKind.FORGED, "rules", seal, detail)
            case EraseBody():
                self._lifetimes.erase(body.indexes)
        return body

    def _parse(self, seal: Seal, text: str) -> Body | None:
        try:
            if body_hash(text) != seal.body:
                self._report(FindingKind.MODIFIED, "body", seal)
                return None
            return parse_body(seal, text)
        except ChainError as error:
            self._report(FindingKind.FORGED, "body", seal, str(error))
            return None

    def _take_founding(self, seal: Seal, found: Found) -> None:
        self.found = found
        self._lifetimes.retention_days = found.retention_days
        self._lifetimes.is_erasable = found.salt_bytes > 0
        if found.identity != self._identity:
            detail = f"its identity is {found.identity}"
            self._report(FindingKind.FORGED, "founding", seal, detail)
        if (before := found.predecessor) is not None:
            detail = f"seal {before.number} of {before.origin}"
            self._report(FindingKind.DISCONTINUITY, "predecessor", seal, detail)

    def _report(
        self, kind: FindingKind, reason: str, seal: Seal, detail: str = ""
    ) -> None:
        seals = (seal.number, seal.number)
        self._findings.add(kind, reason, seals=seals, detail=detail)
