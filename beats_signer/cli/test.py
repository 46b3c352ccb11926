"""Test what a signer is configured to use, before it is started."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from beats_signer.cli.options import config_option, overrides_option
from beats_signer.config import Config, load
from beats_signer.errors import ConfigError
from beats_signer.preflight import check
from beats_signer.settings import list_files
from beats_signer.store.elasticsearch.check.checks import Checks
from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.stores import (
    elasticsearch_of,
    largest_event_bytes,
    list_targets,
)

__all__ = ["test"]

_BROKEN = 1


@click.group(epilog="Example: beats-signer test config --config beats-signer.yml")
def test() -> None:
    """Test what the configuration names."""


@test.command("config", epilog="Example: beats-signer test config --config signer.yml")
@config_option
@overrides_option
def configuration(config: Path, overrides: tuple[str, ...]) -> int:
    """Test the configuration and all files that it names: one verdict per line.

    It loads what a start loads and asks nobody. A verdict is ok, notice, or broken:
    then the signer would not start, or nobody could send, and this command ends
    with 78.
    """
    settings = load(config, overrides)
    verdicts = asyncio.run(check(settings, list_files(config), datetime.now(UTC)))
    return ConfigError.exit_code if _tell(verdicts) else 0


@test.command(epilog="Example: beats-signer test output --config beats-signer.yml")
@config_option
@overrides_option
def output(config: Path, overrides: tuple[str, ...]) -> int:
    """Test Elasticsearch: one verdict per line.

    A verdict is ok, notice, unknown, accepted, or broken: then a promise would be
    broken, the signer would not start, and this command ends with 1.
    """
    return asyncio.run(_run(load(config, overrides)))


async def _run(settings: Config) -> int:
    section = elasticsearch_of(settings)
    patterns = [target.pattern for target in list_targets(settings)]
    client = connect(section)
    is_broken = False
    try:
        largest = largest_event_bytes(settings)
        checks = Checks(client, section, patterns, event_bytes=largest)
        async for verdict in checks.run():
            is_broken = _tell([verdict]) or is_broken
    finally:
        await client.close()
    return _BROKEN if is_broken else 0


def _tell(verdicts: Iterable[Verdict]) -> bool:
    """Print verdicts; tell whether one of them stops the start."""
    is_broken = False
    for verdict in verdicts:
        is_broken = is_broken or verdict.mark is Mark.BROKEN
        click.echo(str(verdict))
        if verdict.hint and verdict.mark is not Mark.OK:
            click.echo(f"         {verdict.hint}")
    return is_broken
