"""Issue certificates for listeners and senders, by an authority that is kept."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from beats_signer.cli.certificates import create_pair, create_public
from beats_signer.errors import ConfigError, UsageError
from beats_signer.receive.authority import Authority
from beats_signer.sign.disk import Disk

__all__ = ["certs"]

_AUTHORITY = "ca"
_SERVER = "server"
_AUTHORITY_DAYS = 3650
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")
"""What a host name or an address may look like, and a file can be called."""


@click.command(
    epilog="Example: beats-signer certs /etc/beats-signer/tls "
    "--server signer.example.com --client web-1.example.com"
)
@click.argument("folder", type=click.Path(path_type=Path), default="tls")
@click.option(
    "--server",
    "servers",
    metavar="NAME",
    multiple=True,
    help="A host name or address by which senders reach the signer; repeat it.",
)
@click.option(
    "--client",
    "clients",
    metavar="NAME",
    multiple=True,
    help="A sender that is to get a certificate; repeat it.",
)
@click.option(
    "--days",
    type=click.IntRange(1, _AUTHORITY_DAYS),
    default=365,
    show_default=True,
    help="How long the certificates of this call are good.",
)
def certs(
    folder: Path, servers: tuple[str, ...], clients: tuple[str, ...], days: int
) -> None:
    """Issue certificates in FOLDER, which is tls unless given.

    The first call makes an authority there, ca.crt and ca.key; later calls issue
    further certificates by it. Nothing that exists is overwritten: to renew a
    certificate, move its two files away first. Keep ca.key off the signer's host:
    whoever has it can send as anybody.
    """
    _check(folder, servers, clients)
    now, disk = datetime.now(UTC), Disk()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority, is_new = _open_authority(disk, folder, now, days)
        if servers:
            create_pair(disk, folder, _SERVER, authority.issue_server(servers))
        for name in clients:
            create_pair(disk, folder, name, authority.issue_client(name))
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            hint="Name a folder that you may write to.",
        ) from error
    for line in _explain(folder, authority, servers, clients, is_new=is_new):
        click.echo(line)


def _check(folder: Path, servers: Sequence[str], clients: Sequence[str]) -> None:
    """Refuse before anything is written."""
    if not servers and not clients:
        raise UsageError(
            "no certificate is asked for",
            hint="Name what is to get one, with --server or --client.",
        )
    for name in (*servers, *clients):
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is neither a host name nor an address",
                hint="Use letters, digits, dots, hyphens, and colons in addresses.",
            )
    if taken := sorted({_AUTHORITY, _SERVER}.intersection(clients)):
        raise UsageError(
            f"a sender cannot be called {taken[0]}", hint=f"{taken[0]}.crt is taken."
        )
    for name in (*([_SERVER] if servers else []), *clients):
        for path in (folder / f"{name}.crt", folder / f"{name}.key"):
            if path.exists():
                raise UsageError(
                    f"{path} exists already, and nothing is overwritten",
                    hint="To renew it, move both of its files away first.",
                )


def _open_authority(
    disk: Disk, folder: Path, now: datetime, days: int
) -> tuple[Authority, bool]:
    """Return the authority of a folder, and whether it was made now."""
    certificate, key = folder / f"{_AUTHORITY}.crt", folder / f"{_AUTHORITY}.key"
    if not certificate.exists() and not key.exists():
        authority = Authority.create(
            "beats-signer authority", now=now, own_days=_AUTHORITY_DAYS, days=days
        )
        disk.create(key, authority.key)
        create_public(disk, certificate, authority.certificate)
        return authority, True
    if not key.exists():
        raise UsageError(
            f"{folder} has {certificate.name} and not its key {key.name}",
            hint="The key of an authority that 'init --tls' made was thrown away: "
            "name another folder for a new one.",
        )
    try:
        pair = certificate.read_bytes(), key.read_bytes()
        authority = Authority.read(*pair, now=now, days=days)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{certificate} and {key.name} cannot be used: {error}",
            hint="Both have to be PEM, the key without a passphrase.",
        ) from error
    if authority.until <= now:
        raise ConfigError(
            f"the authority {certificate} has expired",
            hint="Name another folder for a new one, and give it to all senders.",
        )
    return authority, False


def _explain(
    folder: Path,
    authority: Authority,
    servers: Sequence[str],
    clients: Sequence[str],
    *,
    is_new: bool,
) -> Iterator[str]:
    """Yield what was made, and the settings that go with it."""
    if is_new:
        yield f"A new authority is in {folder}: ca.crt for everybody, ca.key for nobody"
        yield "but you. Keep ca.key off the signer's host."
    count = len(clients) + bool(servers)
    noun = "certificate is" if count == 1 else "certificates are"
    yield f"{count} {noun} in {folder}, good until {authority.until:%Y-%m-%d}."
    if servers:
        yield ""
        yield "beats-signer.yml:"
        yield from _indented(_LISTENERS, folder=folder)
    host = servers[0] if servers else "signer.example.com"
    for name in clients:
        yield ""
        yield f"filebeat.yml of {name}, with its files copied there:"
        yield from _indented(_FILEBEAT, host=host, name=name)
    if servers:
        yield ""
        yield "Logstash, which cannot show a certificate:"
        yield from _indented(_LOGSTASH, host=host)


def _indented(snippet: str, **values: object) -> Iterator[str]:
    for line in snippet.format(**values).splitlines():
        yield f"  {line}".rstrip()


_LISTENERS = """\
listeners:
  - address: 0.0.0.0:5044
    ssl:
      certificate: {folder}/server.crt
      key: {folder}/server.key
      certificate_authorities: [{folder}/ca.crt]
  - address: 127.0.0.1:5045          # for Logstash; who reaches it may send
    ssl:
      certificate: {folder}/server.crt
      key: {folder}/server.key
      client_authentication: none
"""

_FILEBEAT = """\
output.logstash:
  hosts: ["{host}:5044"]
  ssl.certificate_authorities: ["/etc/filebeat/ca.crt"]
  ssl.certificate: "/etc/filebeat/{name}.crt"
  ssl.key: "/etc/filebeat/{name}.key"
"""

_LOGSTASH = """\
output {{
  lumberjack {{
    hosts => ["{host}"]
    port => 5045
    ssl_certificate => "/etc/logstash/ca.crt"
    codec => json
  }}
}}
"""
