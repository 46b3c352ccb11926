"""Take from the command line where a cluster is, and who we are there.

The options have the names of the configuration, and those of ``setup``.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from beats_signer.config import load
from beats_signer.errors import UsageError
from beats_signer.store.elasticsearch.config import (
    ElasticsearchConfig,
    ElasticsearchTlsConfig,
    HostUrl,
)
from beats_signer.stores import elasticsearch_of

__all__ = ["ServerOptions", "is_url", "server_options"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--config",
        type=_FILE,
        help="Read what this configuration of a signer says about elasticsearch.",
    ),
    click.option("--api-key-file", type=_FILE, help="File with an API key."),
    click.option("--user", metavar="NAME", help="User of the cluster."),
    click.option("--password-file", type=_FILE, help="File with the user's password."),
    click.option("--ca", type=_FILE, help="Authority of the cluster's certificates."),
    click.option("--fingerprint", help="SHA-256 of the server's own certificate."),
    click.option(
        "--allow-plain-http",
        is_flag=True,
        help="Send the key or password over http:// to another host.",
    ),
    click.option(
        "--indices",
        metavar="PATTERN",
        help="Where events may be, in the words of Elasticsearch; by default "
        "everywhere.",
    ),
)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the command line says of a cluster."""

    config: Path | None = None
    api_key_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    fingerprint: str | None = None
    allow_plain_http: bool = False
    indices: str | None = None

    @classmethod
    def take(cls, options: dict[str, Any]) -> "ServerOptions":
        """Take what is ours out of the options of a command."""
        return cls(**{one.name: options.pop(one.name) for one in fields(cls)})

    def signer(self) -> str | None:
        """Return the signer that the configuration is of, if there is one."""
        return None if self.config is None else load(self.config).signer

    def settings(self, source: str | None) -> ElasticsearchConfig | None:
        """Return where the cluster is; ``None``: the source is none.

        Raises:
            UsageError: The options make no sense, together or without a cluster.
            ConfigError: The configuration cannot be used.
        """
        if self.config is not None:
            if source is not None:
                raise UsageError(
                    "both --config and a source are given",
                    hint="The configuration says where Elasticsearch is.",
                )
            return self._over(elasticsearch_of(load(self.config)))
        if source is None:
            raise UsageError(
                "it is not said what to read",
                hint="Name an archive, the folder of an export, the URL of "
                "Elasticsearch, or with --config a signer's configuration.",
            )
        if is_url(source):
            try:
                return self._over(ElasticsearchConfig(hosts=(HostUrl(source),)))
            except ValueError as error:
                raise _usage(error) from error
        if given := [one.name for one in fields(self) if getattr(self, one.name)]:
            raise UsageError(
                f"--{given[0].replace('_', '-')} is for Elasticsearch, and"
                f" {source} is a file or folder",
                hint="Name the URL of Elasticsearch, such as "
                "https://es-1.example.com:9200.",
            )
        return None

    def _over(self, settings: ElasticsearchConfig) -> ElasticsearchConfig:
        """Return the settings with what the command line says in their place."""
        if (self.user is None) != (self.password_file is None):
            raise UsageError(
                "--user and --password-file belong together, one of them is missing"
            )
        if self.user is not None and self.api_key_file is not None:
            raise UsageError("--user and --api-key-file exclude each other")
        changes: dict[str, Any] = {}
        if self.user is not None or self.api_key_file is not None:
            changes |= {
                "username": self.user,
                "password_file": self.password_file,
                "api_key_file": self.api_key_file,
            }
        if self.allow_plain_http:
            changes["allow_plain_http"] = True
        try:
            if self.ca is not None or self.fingerprint is not None:
                changes["ssl"] = msgspec.convert(
                    self._tls(settings.ssl), ElasticsearchTlsConfig
                )
            return msgspec.structs.replace(settings, **changes)
        except ValueError as error:
            raise _usage(error) from error

    def _tls(self, settings: ElasticsearchTlsConfig) -> dict[str, Any]:
        tls = msgspec.structs.asdict(settings)
        if self.ca is not None:
            tls["certificate_authorities"] = [self.ca]
        if self.fingerprint is not None:
            tls["certificate_fingerprint"] = self.fingerprint
        return tls


def server_options(command: _Command) -> _Command:
    """Give a command the options; ``ServerOptions.take`` takes them from it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_url(source: str) -> bool:
    """Tell the URL of a cluster from the name of a file."""
    return source.startswith(("http://", "https://"))


def _usage(error: ValueError) -> UsageError:
    what, _, hint = str(error).partition("\n")
    return UsageError(what, hint=hint)
