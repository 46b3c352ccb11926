"""Name what several commands take from the command line."""

from pathlib import Path

import click

__all__ = ["CONFIG", "config_option", "overrides_option"]

CONFIG = Path("beats-signer.yml")
"""The configuration that a command takes unless told otherwise."""

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=CONFIG,
    show_default=True,
    help="Configuration of the signer.",
)
"""``--config FILE``; the parameter is a ``Path``."""

overrides_option = click.option(
    "-E",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set one setting, whatever the files say. May be repeated.",
)
"""``-E sealing.max_entries=8192``; the parameter is a tuple of texts."""
