"""Receive, sign and store until told to stop."""

from pathlib import Path

import click

from beats_signer import service
from beats_signer.chain.errors import FormatError
from beats_signer.chain.origin import Origin
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.config import Config, load
from beats_signer.errors import UsageError
from beats_signer.preflight import refuse_open_secrets

__all__ = ["serve"]


@click.command(epilog="Example: beats-signer serve --config beats-signer.yml")
@config_option
@overrides_option
@click.option(
    "--found",
    metavar="ORIGIN",
    help="Replace this damaged chain by a new one that names it as predecessor.",
)
def serve(config: Path, overrides: tuple[str, ...], found: str | None) -> int:
    """Receive, sign and store events until SIGTERM or Ctrl-C.

    The first signal ends it when all that was received is acknowledged, the
    second at once. Neither loses an event. SIGHUP reads the configuration again.
    """

    def read() -> Config:
        settings = load(config, overrides)
        refuse_open_secrets(settings)
        return settings

    settings = read()
    if found is not None:
        _check_origin(found, settings.signer)
    return service.run(settings, read, found=found)


def _check_origin(text: str, signer: str) -> None:
    try:
        origin = Origin.parse(text)
    except FormatError as error:
        raise UsageError(
            f"--found: {error}",
            hint="Give the origin as `beats-signer status` or `verify` shows it.",
        ) from error
    if origin.signer != signer:
        raise UsageError(
            f"--found: {text} is a chain of {origin.signer}, not of {signer}",
            hint="A signer can only continue a chain of its own.",
        )
