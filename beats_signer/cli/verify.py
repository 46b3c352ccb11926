"""Verify an archive, an export or a cluster, and say what was proven."""

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from beats_signer.chain.trust import TrustLine
from beats_signer.cli.jobs import count_jobs, dividing
from beats_signer.cli.progress import ReadingProgress
from beats_signer.cli.server import ServerOptions, server_options
from beats_signer.cli.source import open_any
from beats_signer.errors import SourceError, UsageError
from beats_signer.verify.acknowledged import read_acknowledged
from beats_signer.verify.division import Division
from beats_signer.verify.readable import Readable
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.text import write_report
from beats_signer.verify.trusting import claimed_trust, parse_trust

__all__ = ["verify"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_NOTE_BYTES = 1 << 16


@click.command(
    epilog="Exit codes: 0 verified; 1 findings; 2 undecided; 3 nothing but "
    "acknowledged findings.\n\n"
    "Example: beats-signer verify archive.db --trust trust"
)
@click.argument("source", required=False)
@click.option(
    "--trust",
    metavar="LINE|FILE",
    help="The trust line that `init` has printed, or the file that holds it.",
)
@click.option(
    "--first", is_flag=True, help="Take the signer on trust, by the source's own word."
)
@click.option(
    "--checkpoint",
    "checkpoints",
    type=_FILE,
    multiple=True,
    help="A checkpoint kept elsewhere: the catalogue must reach at least that far.",
)
@click.option("--chain", "only", multiple=True, help="Verify this chain only.")
@click.option(
    "--live", is_flag=True, help="The signer should be running: report stale."
)
@click.option(
    "--acknowledged", type=_FILE, help="Findings that are explained: id, space, reason."
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.option(
    "--delay",
    type=click.FloatRange(0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="For so long an event may be stored and not visible yet in Elasticsearch.",
)
@click.option(
    "--derived",
    multiple=True,
    metavar="FIELD",
    help="A field that ingest pipelines add, rename or remove; * stands for anything.",
)
@click.option(
    "--own",
    multiple=True,
    metavar="PATTERN",
    help="Indices of this signer alone: a document that it did not sign is foreign.",
)
@click.option(
    "--jobs",
    callback=count_jobs,
    default="1",
    show_default=True,
    metavar="N|auto",
    help="Processes that share the work, auto: one for each CPU. What is found is "
    "the same. An export is read by one.",
)
@server_options
def verify(
    source: str | None,
    trust: str | None,
    first: bool,
    checkpoints: tuple[Path, ...],
    only: tuple[str, ...],
    live: bool,
    acknowledged: Path | None,
    as_json: bool,
    delay: float,
    derived: tuple[str, ...],
    own: tuple[str, ...],
    jobs: int,
    **options: Any,  # noqa: ANN401
) -> int:
    """Prove that no event in SOURCE was altered, removed, inserted or reordered.

    SOURCE is the URL of Elasticsearch, an archive, both also while a signer writes
    there, or a folder that `export` has made. Trust starts at the signer's trust
    line.
    """
    server = ServerOptions.take(options)
    if trust is not None and first:
        raise UsageError(
            "--trust and --first exclude each other",
            hint="With a trust line nothing has to be taken on trust.",
        )
    pinned = None if trust is None else parse_trust(trust)
    notes = [_read_note(path) for path in checkpoints]
    report = Report(source or str(server.config), time.time_ns())
    if acknowledged is not None:
        report.acknowledged = read_acknowledged(acknowledged)
    begun = time.monotonic()
    try:
        signer = None if pinned is None else pinned.identity.name
        opener = partial(
            open_any,
            source,
            server,
            signer,
            delay_seconds=delay,
            derived=derived,
            own=own,
        )
        opened = opener()
        click.get_current_context().call_on_close(opened.close)
        chosen = pinned or _choose(opened, report, is_first=first)
        if chosen is not None:
            with dividing(opened, opener, jobs) as division:
                _run(opened, chosen, report, notes, only, live, division)
    except SourceError as error:
        report.undecided.append(f"{error}. {error.hint}".rstrip())
    report.seconds = time.monotonic() - begun
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    else:
        for line in write_report(report):
            click.echo(line)
    return int(report.verdict)


def _choose(source: Readable, report: Report, *, is_first: bool) -> TrustLine | None:
    """Return whom to trust without a trust line: nobody, unless told otherwise."""
    claimed = claimed_trust(source)
    report.is_first = is_first
    if is_first:
        return claimed
    report.undecided += [
        "no trust line is given, and what a source says of itself proves nothing",
        f"this source claims: {claimed}",
        "compare that with what `init` has printed, then give it with --trust; "
        "or take it on trust with --first",
    ]
    return None


def _run(
    source: Readable,
    trust: TrustLine,
    report: Report,
    notes: list[str],
    only: tuple[str, ...],
    live: bool,
    division: Division | None,
) -> None:
    with ReadingProgress("verifying", source.done, time.monotonic) as progress:
        Verification(
            source,
            trust,
            report,
            now=report.time,
            checkpoints=notes,
            only=only,
            is_live=live,
            on_entries=lambda origin, count: progress.add(count),
            division=division,
        ).run()


def _read_note(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_NOTE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(
            f"the checkpoint {path} cannot be read: {error.strerror}"
        ) from error
