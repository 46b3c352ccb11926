"""Hold what a verification has found, and what it comes to."""

from dataclasses import dataclass, field
from enum import IntEnum

from beats_signer.chain.facts import Facts
from beats_signer.chain.findings import Finding
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.times import format_time
from beats_signer.chain.trust import TrustLine

__all__ = ["Report", "Verdict"]


class Verdict(IntEnum):
    """What a verification comes to; the value is the exit code."""

    VERIFIED = 0
    FINDINGS = 1
    UNDECIDED = 2
    ACKNOWLEDGED = 3


@dataclass(slots=True)
class Report:
    """All that one run has to say; it grows while the run goes on."""

    source: str
    time: int
    """The verifier's clock, nanoseconds since 1970."""
    signer: str = ""
    trust: TrustLine | None = None
    identity: VerifierKey | None = None
    """Whose foundings and checkpoints count at the end of the catalogue."""
    is_first: bool = False
    """Whether the trust line was taken from the source itself."""
    catalogue: Facts | None = None
    chains: list[Facts] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """Of every kind, information included."""
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Reason by id, as the auditor's file has it."""
    undecided: list[str] = field(default_factory=list)
    """Why something could not be decided."""
    not_checked: list[str] = field(default_factory=list)
    """What this run leaves open, however it ends."""
    compared: int = 0
    """Events and records of which visible fields were held against the payload."""
    bare: int = 0
    """Events that are stored without visible fields, as the catalogue says."""
    seconds: float = 0.0

    @property
    def entries(self) -> int:
        """Return the number of events that are what was sealed."""
        return sum(chain.intact for chain in self.chains)

    @property
    def has_rotated(self) -> bool:
        """Tell whether another identity than that of the trust line is in force."""
        if self.trust is None or self.identity is None:
            return False
        return self.identity != self.trust.identity

    @property
    def information(self) -> list[Finding]:
        """Return what never changes the verdict."""
        return [found for found in self.findings if found.kind.is_information]

    @property
    def open_findings(self) -> list[Finding]:
        """Return what is wrong and not acknowledged."""
        return [
            found
            for found in self.findings
            if not found.kind.is_information and found.id not in self.acknowledged
        ]

    @property
    def acknowledged_findings(self) -> list[Finding]:
        """Return what is wrong and was acknowledged."""
        return [
            found
            for found in self.findings
            if not found.kind.is_information and found.id in self.acknowledged
        ]

    @property
    def verdict(self) -> Verdict:
        """Return the verdict: 1 outranks 2, which outranks 3."""
        if self.open_findings:
            return Verdict.FINDINGS
        if self.undecided:
            return Verdict.UNDECIDED
        if self.acknowledged_findings:
            return Verdict.ACKNOWLEDGED
        return Verdict.VERIFIED

    def to_dict(self) -> dict[str, object]:
        """Return the report as its JSON object, see docs/verify-json.md."""
        trust = self.trust
        return {
            "version": 1,
            "verdict": self.verdict.name.lower(),
            "exit_code": int(self.verdict),
            "source": self.source,
            "time": format_time(self.time),
            "seconds": round(self.seconds, 3),
            "signer": self.signer or None,
            "trust": None if trust is None else str(trust),
            "trust_is_first_use": self.is_first,
            "identity": None if self.identity is None else str(self.identity),
            "entries": self.entries,
            "compared": self.compared,
            "bare": self.bare,
            "catalogue": None if self.catalogue is None else _facts(self.catalogue),
            "chains": [_facts(chain) for chain in self.chains],
            "findings": [
                {**found.to_dict(), "acknowledged": self.acknowledged.get(found.id)}
                for found in self.findings
                if not found.kind.is_information
            ],
            "information": [found.to_dict() for found in self.information],
            "undecided": self.undecided,
            "not_checked": self.not_checked,
        }


def _facts(facts: Facts) -> dict[str, object]:
    return {
        "origin": facts.origin,
        "seals": facts.seals,
        "entries": facts.entries,
        "intact": facts.intact,
        "first_time": format_time(facts.first_time),
        "last_time": format_time(facts.last_time),
        "anchored_seals": facts.anchored,
        "last_seal": facts.last.hex(),
    }
