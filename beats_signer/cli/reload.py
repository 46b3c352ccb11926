"""Have the running signer read its configuration again."""

from http.client import BAD_REQUEST, OK
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from beats_signer.cli.asking import ask
from beats_signer.cli.options import config_option
from beats_signer.config import Config, load
from beats_signer.errors import ConfigError, SourceError

__all__ = ["reload"]

_WAIT_SECONDS = 60.0
"""New targets are looked at in the store before they are used."""


class Outcome(Struct, frozen=True):
    """The answer of ``/-/reload``."""

    ok: bool
    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""


@click.command(epilog="Example: beats-signer reload --config beats-signer.yml")
@config_option
def reload(config: Path) -> None:
    """Have the running signer read its configuration again.

    What can only change at a start is named. Exit code 78: the new configuration is
    wrong, and the signer goes on with the one it had. SIGHUP does the same.
    """
    body = ask(
        _load(config),
        config,
        "/-/reload",
        method="POST",
        wait_seconds=_WAIT_SECONDS,
        accepted=(OK, BAD_REQUEST),
    )
    outcome = _decode(body)
    if not outcome.ok:
        raise ConfigError(
            f"the signer keeps the configuration it has: {outcome.error}",
            hint=outcome.hint,
        )
    click.echo(f"Used from now on: {', '.join(outcome.changed) or 'nothing new'}.")
    if outcome.needs_restart:
        click.echo(f"Used after a restart: {', '.join(outcome.needs_restart)}.")


def _load(config: Path) -> Config:
    try:
        return load(config)
    except ConfigError as error:
        kept = "A signer that runs keeps the configuration it has."
        raise ConfigError(str(error), hint=f"{error.hint}\n{kept}") from error


def _decode(body: bytes) -> Outcome:
    try:
        return msgspec.json.decode(body, type=Outcome)
    except msgspec.DecodeError as error:
        raise SourceError(
            f"the answer is not that of a reload: {error}",
            hint="Is the running signer of another version?",
        ) from error
