"""Say in words what a report holds; the first line says what was proven."""

from collections.abc import Iterator

from beats_signer.chain.facts import Facts
from beats_signer.chain.findings import Finding
from beats_signer.chain.times import format_time
from beats_signer.verify.printable import printable
from beats_signer.verify.report import Report, Verdict

__all__ = ["write_report"]

_VERDICTS = {
    Verdict.VERIFIED: "verified",
    Verdict.FINDINGS: "NOT VERIFIED",
    Verdict.UNDECIDED: "undecided",
    Verdict.ACKNOWLEDGED: "verified but for acknowledged findings",
}


def write_report(report: Report) -> Iterator[str]:
    """Yield the lines of a report, printable on any terminal."""
    for line in _lines(report):
        yield printable(line)


def _lines(report: Report) -> Iterator[str]:
    yield f"{_VERDICTS[report.verdict]}: {_summarise(report)}"
    if report.is_first and report.trust is not None:
        yield "trusted on first sight, by the source's own word; keep this trust line:"
        yield f"  {report.trust}"
    if report.has_rotated:
        yield "the identity of the trust line was replaced, as its catalogue says, by"
        yield f"  {report.identity}"
    for facts in filter(None, [report.catalogue, *report.chains]):
        yield f"  {_describe(facts)}"
    for reason in report.undecided:
        yield f"undecided: {reason}"
    for finding in report.open_findings:
        yield _name(finding)
        yield from _documents(finding)
    for finding in report.acknowledged_findings:
        yield f"acknowledged {_name(finding)}: {report.acknowledged[finding.id]}"
    for finding in report.information:
        yield f"information {_name(finding)}"
        yield from _documents(finding)


def _summarise(report: Report) -> str:
    """Return what was proven, by whom, of when, by which anchors."""
    proven = report.catalogue
    if proven is None or report.trust is None:
        return f"nothing is proven of {report.source}"
    parts = []
    if wrong := len(report.open_findings):
        parts.append(_count(wrong, "finding"))
    if explained := len(report.acknowledged_findings):
        parts.append(f"{explained} acknowledged")
    parts += [
        f"{_count(report.entries, 'event')} proven in "
        f"{_count(len(report.chains), 'chain')}"
        f" of {report.signer}{_span(report.chains)}",
        f"anchored by {_anchors(report, proven)}",
    ]
    if report.compared:
        bare = f", {report.bare} rightly without them" if report.bare else ""
        compared = _count(report.compared, "event")
        parts.append(f"visible fields of {compared} compared{bare}")
    if not report.entries:
        parts.append("there are no events yet")
    if report.not_checked:
        parts.append(f"not checked: {', '.join(report.not_checked)}")
    return "; ".join(parts)


def _anchors(report: Report, proven: Facts) -> str:
    trust = "a trust line taken from the source" if report.is_first else "trust line"
    if not proven.anchored:
        return f"{trust} and no checkpoint"
    return f"{trust} and checkpoint of {_count(proven.anchored, 'catalogue seal')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _span(chains: list[Facts]) -> str:
    if not chains:
        return ""
    first = min(chain.first_time for chain in chains)
    last = max(chain.last_time for chain in chains)
    return f" from {_seconds(first)} to {_seconds(last)}"


def _describe(facts: Facts) -> str:
    entries = f"entries 0\u2013{facts.entries - 1}" if facts.entries else "no entries"
    seals = f"seals 0\u2013{facts.seals - 1}" if facts.seals else "no seals"
    return (
        f"{facts.origin}: {entries} in {seals}, {facts.intact} intact,"
        f" {_seconds(facts.first_time)} to {_seconds(facts.last_time)}"
    )


def _name(finding: Finding) -> str:
    return f"{finding.kind}: {finding.origin}: {finding.message} [{finding.id}]"


def _documents(finding: Finding) -> Iterator[str]:
    for document in finding.documents:
        yield f"  document {document}"


def _seconds(time: int) -> str:
    return f"{format_time(time)[:19]}Z"
