"""Say which versions are running."""

import platform
import sqlite3
import ssl
from importlib import metadata

import click

from beats_signer import __version__

__all__ = ["describe_versions", "version"]

_LIBRARIES = (
    "aiohttp",
    "click",
    "construct",
    "cryptography",
    "isal",
    "msgspec",
    "PyYAML",
    "rich",
    "structlog",
    "uvloop",
)


def describe_versions() -> str:
    """Return a line for the program and for each thing that its work rests on."""
    rows = [
        ("beats-signer", __version__),
        (platform.python_implementation(), platform.python_version()),
        ("OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")),
        ("SQLite", sqlite3.sqlite_version),
        *((name, metadata.version(name)) for name in _LIBRARIES),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


@click.command(epilog="Example: beats-signer version")
def version() -> None:
    """Show the versions of the program, of Python and of the libraries."""
    click.echo(describe_versions())
