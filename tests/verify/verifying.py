"""Verify a folder as the command does, and name what was found."""

from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from beats_signer.chain.findings import Finding
from beats_signer.chain.times import SECOND
from beats_signer.chain.trust import TrustLine
from beats_signer.errors import SourceError
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.source import open_source
from beats_signer.verify.trusting import parse_trust
from tests.verify.dividing import Others, divided, same
from tests.verify.rows import put
from tests.verify.signer import START, World

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
NOW = START + 86_400 * SECOND
"""A day after everything in the vectors and in the worlds was sealed."""


def vectors_trust() -> TrustLine:
    """Return the trust line of the vectors."""
    return parse_trust(str(VECTORS / "trust"))


def verify_folder(
    path: Path, trust: TrustLine, now: int = NOW, **options: object
) -> Report:
    """Return the report about a folder or an archive.

    Where several may share the work, it is what they find as well.
    """
    report = Report(str(path), now)
    with closing(open_source(path, trust.identity.name)) as source:
        Verification(source, trust, report, now=now, **options).run()  # type: ignore[arg-type]
    if source.is_divisible:
        try:
            same(report, verify_divided(path, trust, now, **options))
        except SourceError as error:
            raise AssertionError("one alone can read it") from error
    return report


def verify_divided(
    path: Path, trust: TrustLine, now: int = NOW, **options: object
) -> Report:
    """Return the report about an archive, of which others look at ranges."""
    report = Report(str(path), now)
    opener = partial(open_source, path, trust.identity.name)
    with closing(opener()) as source, divided(source, Others(opener)) as division:
        options["division"] = division
        Verification(source, trust, report, now=now, **options).run()  # type: ignore[arg-type]
    return report


def verify_world(world: World, path: Path, now: int = NOW, **options: object) -> Report:
    """Export a world as it is and return the report about it.

    Put into an archive as it is, several who share the work find what one finds.
    """
    with TemporaryDirectory() as folder, suppress(SourceError):
        archive = put(world, Path(folder, "archive.db"))
        verify_folder(archive, world.trust, now, **options)
    return verify_folder(world.write(path), world.trust, now, **options)


def wrong(report: Report) -> list[str]:
    """Return kind, reason and place of all that is wrong."""
    return [name(found) for found in report.open_findings]


def information(report: Report) -> list[str]:
    """Return kind, reason and place of what is only information."""
    return [name(found) for found in report.information]


def name(finding: Finding) -> str:
    """Return kind, reason, chain and place, as a test states them."""
    stream = finding.origin.split("/")[2] if "/" in finding.origin else "catalogue"
    place = f": {finding.place}" if finding.place else ""
    return f"{finding.kind} {finding.reason} in {stream}{place}".replace("\u2013", "-")
