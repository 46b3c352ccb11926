"""Test what a signer is configured to use, before it is started."""

import asyncio
from pathlib import Path

import click

from beats_signer.cli.options import config_option
from beats_signer.config import Config, load
from beats_signer.store.elasticsearch.checks import Checks
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.soundness import Mark
from beats_signer.stores import elasticsearch_of, list_targets

__all__ = ["test"]

_BROKEN = 1


@click.group(epilog="Example: beats-signer test output --config beats-signer.yml")
def test() -> None:
    """Test what the configuration names."""


@test.command(epilog="Example: beats-signer test output --config beats-signer.yml")
@config_option
def output(config: Path) -> int:
    """Test Elasticsearch: one verdict per line.

    A verdict is ok, notice, unknown, accepted, or broken: then a promise would be
    broken, the signer would not start, and this command ends with 1.
    """
    return asyncio.run(_run(load(config)))


async def _run(settings: Config) -> int:
    section = elasticsearch_of(settings)
    patterns = [target.pattern for target in list_targets(settings)]
    client = connect(section)
    is_broken = False
    try:
        async for verdict in Checks(client, section, patterns).run():
            is_broken = is_broken or verdict.mark is Mark.BROKEN
            click.echo(str(verdict))
            if verdict.hint and verdict.mark is not Mark.OK:
                click.echo(f"         {verdict.hint}")
    finally:
        await client.close()
    return _BROKEN if is_broken else 0
