"""Take from the command line who we are in Elasticsearch, in place of the signer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from beats_signer.errors import UsageError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig
from beats_signer.store.elasticsearch.connection import connect

__all__ = ["connect_as", "identity_options"]

_FILE = click.Path(path_type=Path)
_TERMINAL = Path("/dev/tty")
"""Where a password comes from that no file holds."""
_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--user", metavar="NAME", help="A user of the role, in place of the signer."
    ),
    click.option("--password-file", type=_FILE, help="File with the user's password."),
    click.option("--api-key-file", type=_FILE, help="File with a key of the role."),
)


def identity_options(command: _Command) -> _Command:
    """Give a command the options that ``connect_as`` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def connect_as(
    section: ElasticsearchConfig,
    user: str | None,
    password_file: Path | None,
    api_key_file: Path | None,
) -> Client:
    """Return a client for whom the command line names, else for the signer.

    Without a file the password of a user is asked for.

    Raises:
        UsageError: The options do not go together.
        ConfigError: A file cannot be used.
    """
    if user is not None and api_key_file is not None:
        raise UsageError("--user and --api-key-file exclude each other")
    if user is None and password_file is not None:
        raise UsageError("--password-file is given without --user")
    if user is None and api_key_file is None:
        return connect(section)
    try:
        as_other = msgspec.structs.replace(
            section,
            api_key_file=api_key_file,
            username=user,
            password_file=(password_file or _TERMINAL) if user else None,
        )
    except ValueError as error:
        what, _, hint = str(error).partition("\n")
        raise UsageError(what, hint=hint) from error
    if user is None or password_file is not None:
        return connect(as_other)
    try:
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise
        raise UsageError(
            "no password was given", hint="Name a file that holds it: --password-file."
        ) from error
    return connect(as_other, password=password)
