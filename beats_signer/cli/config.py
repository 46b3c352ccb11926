"""Say what a configuration may hold, and what holds."""

import json
import os
from pathlib import Path

import click

from beats_signer.cli.options import config_option, overrides_option
from beats_signer.config import Config, load
from beats_signer.settings import read_tree
from beats_signer.settings.display import display
from beats_signer.settings.schema import build_schema

__all__ = ["config"]


@click.group(epilog="Example: beats-signer config schema > beats-signer.schema.json")
def config() -> None:
    """Say what a configuration may hold, and what holds."""


@config.command(epilog="Example: beats-signer config schema > schema.json")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    In beats-signer.yml, editors find it by a line such as
    `# yaml-language-server: $schema=beats-signer.schema.json`.
    """
    click.echo(json.dumps(build_schema(Config, "beats-signer"), indent=2))


@config.command(epilog="Example: beats-signer config show --config beats-signer.yml")
@config_option
@overrides_option
def show(config: Path, overrides: tuple[str, ...]) -> None:
    """Show the configuration that holds: all files, -E, and every default.

    A comment says where a value was set. What the environment has given is shown
    as its variable, and what is named like a secret is masked.
    """
    settings = load(config, overrides)
    tree = read_tree(config, Config, overrides=overrides, environment=os.environ)
    for line in display(settings, tree):
        click.echo(line)
