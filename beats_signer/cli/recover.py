"""Give bare documents in Elasticsearch their visible fields back."""

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path

import click

from beats_signer.cli.identity import connect_as, identity_options
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.cli.progress import ReadingProgress
from beats_signer.config import Config, load
from beats_signer.errors import SourceError, StoreError, UsageError
from beats_signer.sign.parting import Router
from beats_signer.sign.window import Source, Window
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.places import default_target
from beats_signer.store.elasticsearch.recover.document import Bare
from beats_signer.store.elasticsearch.recover.recovery import Recovery, find_chains
from beats_signer.store.elasticsearch.recover.report import RecoveryReport, target_of
from beats_signer.store.elasticsearch.recover.search import Scope
from beats_signer.stores import elasticsearch_of, list_targets
from beats_signer.verify.printable import printable

__all__ = ["recover"]

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.command(
    epilog="Exit codes: 0 nothing is bare any more; 1 some stay bare; 2 undecided.\n\n"
    "Example: beats-signer recover --user repair --dry-run"
)
@config_option
@overrides_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--chain", "only", metavar="ORIGIN", multiple=True, help="Look at this chain only."
)
@click.option(
    "--index",
    "patterns",
    metavar="PATTERN",
    multiple=True,
    help="Look here, and not at all targets of the rules.",
)
@click.option(
    "--since",
    type=_TIME,
    metavar="TIME",
    help="From this @timestamp on; UTC, as 2026-11-23 or 2026-11-23T09:00:00.",
)
@click.option(
    "--until", type=_TIME, metavar="TIME", help="Before this @timestamp, UTC."
)
@identity_options
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def recover(
    config: Path,
    overrides: tuple[str, ...],
    dry_run: bool,
    only: tuple[str, ...],
    patterns: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    user: str | None,
    password_file: Path | None,
    api_key_file: Path | None,
    as_json: bool,
) -> int:
    """Give bare documents their fields back, once a mapping or pipeline is mended.

    An event whose fields no mapping or pipeline accepted is stored without them.
    Each of these is written again in its place, from its signed payload: nothing
    in a chain changes. What is still refused stays as it is, and is counted with
    the reason. It may run as often as you like, and be interrupted. It needs the
    role beats-signer-repair.
    """
    settings = load(config, overrides)
    section = elasticsearch_of(settings)
    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until")
    targets = patterns or tuple(target.pattern for target in list_targets(settings))
    report = RecoveryReport(settings.signer, targets, dry_run)
    client = connect_as(section, user, password_file, api_key_file)
    try:
        asyncio.run(_run(client, settings, report, only, since, until))
    except KeyboardInterrupt:
        report.leave_open("it was interrupted; run it again")
        _write(report, as_json=as_json)
        raise
    except (StoreError, SourceError) as error:
        report.leave_open(f"{error}. {error.hint}".rstrip())
    _write(report, as_json=as_json)
    return report.exit_code


async def _run(
    client: Client,
    settings: Config,
    report: RecoveryReport,
    only: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
) -> None:
    section = elasticsearch_of(settings)
    pipelines = _Pipelines(settings)
    try:
        chains = await find_chains(client, settings.signer, report.patterns, only)
        catalogue = chains.pop(settings.signer)
        scope = Scope(report.patterns, chains, catalogue, _spell(since), _spell(until))
        recovery = Recovery(
            client,
            scope,
            report,
            pipeline_of=pipelines.of,
            part_bytes=section.max_body_bytes,
            has_sender_fields=section.sender_fields,
            on_places=lambda count: progress.add(count),
        )
        with ReadingProgress("recovering", recovery.done, time.monotonic) as progress:
            await recovery.run()
    finally:
        await client.close()


class _Pipelines:
    """The ingest pipelines that the rules give to events."""

    def __init__(self, settings: Config) -> None:
        self._router = Router(settings.routing.for_signer(settings.retention_days))
        self._target = settings.routing.target

    def of(self, bare: Bare) -> str | None:
        """Return the pipeline of an event, ``None``: that of the index it is in.

        Where a sender named a place that did not take the event, it stands in the
        chain's default one, and the pipeline that belongs to the other is not for it.
        """
        source = Source(bare.sender, None, bare.sender, bare.sender, "", 0)
        size = len(bare.payload)
        forms = bytes([bare.form])
        window = Window(source, 1, 0, 0, 2, 1, forms, (bare.payload,), size)
        (part,) = self._router.part(window)
        destinations = part.window.destinations
        if destinations is None or (destination := destinations[0]) is None:
            return None
        default = default_target(bare.origin, self._target)
        is_moved = destination.target != default == target_of(bare.present.place[0])
        if destination.is_chosen_by_sender and is_moved:
            return None
        return destination.pipeline


def _spell(time: datetime | None) -> str | None:
    return None if time is None else f"{time.isoformat()}Z"


def _write(report: RecoveryReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
        return
    for line in report.lines():
        click.echo(printable(line))
