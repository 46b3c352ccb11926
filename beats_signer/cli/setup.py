"""Prepare Elasticsearch for a signer."""

import asyncio
from collections import Counter
from pathlib import Path

import click

from beats_signer.cli.identity import connect_as
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.config import Config, load
from beats_signer.errors import UsageError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.prepare import key as keys
from beats_signer.store.elasticsearch.prepare.offer import Offer
from beats_signer.store.elasticsearch.prepare.plan import Change, Step
from beats_signer.store.elasticsearch.prepare.setup import Setup, build_resources
from beats_signer.stores import elasticsearch_of, list_targets

__all__ = ["setup"]

_FILE = click.Path(path_type=Path)
_PLANNED = {Change.CREATED: "to create", Change.UPDATED: "to update"}
"""What a dry run says of what would be done."""


@click.command(epilog="Example: beats-signer setup --user elastic --create-key")
@config_option
@overrides_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--print",
    "printed",
    is_flag=True,
    help="Print all requests, for the Kibana console; ask no server.",
)
@click.option(
    "--user", metavar="NAME", help="An administrator, in place of the signer."
)
@click.option("--password-file", type=_FILE, help="File with the user's password.")
@click.option("--api-key-file", type=_FILE, help="File with an administrator's key.")
@click.option(
    "--create-key",
    is_flag=True,
    help="Make the signer's API key too, and put it into elasticsearch.api_key_file; "
    "a file that is there stays.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace what has a name of ours and was made by somebody else.",
)
def setup(
    config: Path,
    overrides: tuple[str, ...],
    dry_run: bool,
    printed: bool,
    user: str | None,
    password_file: Path | None,
    api_key_file: Path | None,
    create_key: bool,
    overwrite: bool,
) -> None:
    """Make templates, lifecycle policies and roles in Elasticsearch.

    It may run as often as you like: what is right stays as it is, and nothing is
    deleted. Run it again when rules have changed. It needs more rights than a
    signer has: name an administrator, whose password is asked for.
    """
    settings = load(config, overrides)
    section = elasticsearch_of(settings)
    if printed:
        targets = list_targets(settings)
        resources = build_resources(section, targets, Offer())
        click.echo("\n".join(resource.render() for resource in resources), nl=False)
        return
    if create_key and section.api_key_file is None:
        raise UsageError(
            "--create-key is given, and elasticsearch.api_key_file is not",
            hint="Let the configuration say where the key goes: api_key_file: es.key.",
        )
    if create_key and user is None and api_key_file is None:
        raise UsageError(
            "--create-key needs somebody who may make keys",
            hint="Name an administrator with --user.",
        )
    client = connect_as(section, user, password_file, api_key_file)
    key = section.api_key_file if create_key else None
    asyncio.run(_run(client, settings, dry_run, overwrite, key))


async def _run(
    client: Client, settings: Config, dry_run: bool, overwrite: bool, key: Path | None
) -> None:
    words = {one: one.value for one in Change} | (_PLANNED if dry_run else {})
    counts: Counter[Change] = Counter()

    def say(step: Step) -> None:
        counts[step.change] += 1
        why = f": {step.why}" if step.why else ""
        click.echo(f"{words[step.change]:<10} {step.kind} {step.name}{why}")

    try:
        steps = Setup(
            client,
            elasticsearch_of(settings),
            list_targets(settings),
            is_overwriting=overwrite,
        )
        async for step in steps.run(dry_run=dry_run):
            say(step)
        if key is not None:
            name = f"beats-signer-{settings.signer}"
            say(await keys.create_key(client, name, key, dry_run=dry_run))
    finally:
        await client.close()
    said = ", ".join(f"{counts[one]} {words[one]}" for one in Change if counts[one])
    click.echo(f"{said}. A dry run: nothing was changed." if dry_run else f"{said}.")
