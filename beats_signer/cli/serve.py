"""Receive, sign and store until told to stop."""

from pathlib import Path

import click

from beats_signer import service
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.cli.origin import check_origin
from beats_signer.config import Config, load
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
        check_origin("--found", found, settings.signer)
    return service.run(settings, read, found=found)
