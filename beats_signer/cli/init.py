"""Make a new signer: its configuration, its keys and its trust line."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from beats_signer.cli.certificates import create_pair, create_public
from beats_signer.config import Config, SignerName, load
from beats_signer.declaration import describe
from beats_signer.errors import StateError, UsageError
from beats_signer.receive.authority import Authority
from beats_signer.sign.disk import Disk
from beats_signer.sign.founding import initialise
from beats_signer.store.archive import Archive
from beats_signer.template import build_configuration

__all__ = ["init"]

_CONFIGURATION, _TRUST, _TLS = "beats-signer.yml", "trust", "tls"
_CLIENTS = ("client-1", "client-2")


@click.command(
    epilog="Example: beats-signer init /etc/beats-signer --signer audit-1 --tls"
)
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--signer", required=True, metavar="NAME", help="Name of the signer.")
@click.option("--tls", is_flag=True, help="Make certificates for a first try, too.")
def init(folder: Path, signer: str, tls: bool) -> None:
    """Make a new signer in FOLDER, which is the working folder unless given.

    Writes beats-signer.yml, the folder state with the keys, and the trust line:
    what everybody who verifies needs. Nothing that exists is overwritten.
    """
    _check_name(signer)
    _check_free(folder)
    try:
        _write_all(folder, signer, tls)
    except OSError as error:
        raise StateError(
            f"{folder} cannot be written: {error}",
            hint="Remove what has been written there, then run the command again.",
        ) from error


def _check_name(signer: str) -> None:
    try:
        msgspec.convert(signer, SignerName)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{signer!r} cannot be the name of a signer",
            hint=f"It has to be {describe(msgspec.inspect.type_info(SignerName))}.",
        ) from error


def _check_free(folder: Path) -> None:
    for name in (_CONFIGURATION, _TRUST, _TLS, "state", "archive.db"):
        if (folder / name).exists():
            raise UsageError(
                f"{folder / name} exists already, and nothing is overwritten",
                hint="Name another folder for a new signer; or remove it, if it is "
                "what a try that failed has left.",
            )


def _write_all(folder: Path, signer: str, tls: bool) -> None:
    disk = Disk()
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / _CONFIGURATION
    create_public(disk, configuration, build_configuration(signer, tls=tls).encode())
    config = load(configuration)
    if tls:
        _write_certificates(disk, folder / _TLS)
    trust = initialise(
        config.state,
        signer=signer,
        heartbeat_seconds=config.catalogue.heartbeat_seconds,
        encode=Archive(config.archive).encode,
        clock=time.time_ns,
        disk=disk,
    )
    create_public(disk, folder / _TRUST, f"{trust}\n".encode())
    click.echo("\n".join(_explain(folder, config, str(trust), tls)))


def _write_certificates(disk: Disk, folder: Path) -> None:
    """Write the authority's certificate, and the pairs that it issued.

    The authority's own key is never written.
    """
    folder.mkdir(mode=0o700)
    authority = Authority.throwaway(now=datetime.now(UTC))
    create_public(disk, folder / "ca.crt", authority.certificate)
    names = ["localhost", "127.0.0.1", socket.gethostname()]
    pairs = {"server": authority.issue_server(list(dict.fromkeys(names)))}
    pairs |= {name: authority.issue_client(name) for name in _CLIENTS}
    for name, issued in pairs.items():
        create_pair(disk, folder, name, issued)


def _explain(folder: Path, config: Config, trust: str, tls: bool) -> Iterator[str]:
    """Yield the lines that tell what was made and what comes next."""
    yield f"Signer {config.signer} is founded in {folder}."
    yield ""
    yield "Its trust line, also in the file trust:"
    yield ""
    yield f"  {trust}"
    yield ""
    yield "Keep a copy of this line away from this host, where nobody can change it:"
    yield "with it anyone can verify, and without it nobody can."
    yield f"Keep {config.state} out of backups and snapshots: it holds the keys."
    if tls:
        yield f"Certificates for a first try, of one year, are in {folder / _TLS}."
    else:
        yield "The listener is plain text and for this host only; see ssl in the file."
    yield ""
    yield "Next:"
    yield f"  beats-signer serve --config {folder / _CONFIGURATION}"
    yield "and, in another terminal:"
    yield f"  beats-signer send --config {folder / _CONFIGURATION} --count 1000"
