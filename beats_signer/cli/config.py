"""Say what a configuration may hold, and what holds."""

import json

import click

from beats_signer.config import Config
from beats_signer.settings.schema import build_schema

__all__ = ["config"]


@click.group(epilog="Example: beats-signer config schema > beats-signer.schema.json")
def config() -> None:
    """Say what a configuration may hold."""


@config.command(epilog="Example: beats-signer config schema > schema.json")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    In beats-signer.yml, editors find it by a line such as
    `# yaml-language-server: $schema=beats-signer.schema.json`.
    """
    click.echo(json.dumps(build_schema(Config, "beats-signer"), indent=2))
