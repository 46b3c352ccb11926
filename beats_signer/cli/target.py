"""Decide where test events go, and over what kind of connection."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from beats_signer.address import Address
from beats_signer.config import ListenerConfig
from beats_signer.errors import UsageError
from beats_signer.receive.tls import build_client_context

__all__ = ["Credentials", "Target", "choose_listener", "choose_remote"]

_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Where a listener on all addresses is reached from the same host."""

_FIRST_CLIENT = "client-1"
"""The client certificate that ``init --tls`` puts beside the authority's."""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver: its address, and TLS or plain text."""

    address: Address
    context: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files that the command line names for TLS."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise UsageError(
                "a client certificate and its key come together",
                hint="Give both --certificate and --key.",
            )

    def __bool__(self) -> bool:
        return bool(self.authority or self.certificate)


def choose_remote(text: str, credentials: Credentials, *, plain: bool) -> Target:
    """Return the receiver at an address of the command line.

    Raises:
        UsageError: It is not an address, or it is not said whether to use TLS.
        ConfigError: A file of ``credentials`` cannot be used.
    """
    try:
        address = Address(text)
    except ValueError as error:
        message, _, hint = str(error).partition("\n")
        raise UsageError(f"--to: {message}", hint=hint) from error
    if plain == bool(credentials):
        raise UsageError(
            "it is not clear whether to use TLS",
            hint="Name the authority of the receiver with --ca, or send in the clear "
            "with --plain; not both.",
        )
    return Target(address, None if plain else _build_context(credentials))


def choose_listener(listener: ListenerConfig, credentials: Credentials) -> Target:
    """Return the way to a listener of a signer on this host.

    What the command line does not name is taken from the listener: its own
    authority, and beside that the first certificate that ``init --tls`` made.

    Raises:
        UsageError: The listener takes any free port.
        ConfigError: A file cannot be used.
    """
    host, port = listener.address.host, listener.address.port
    if port == 0:
        raise UsageError(
            "the listener takes any free port, so its address is not in the file",
            hint="Name the address that the log of the signer shows, with --to.",
        )
    host = _ANY_HOST.get(host, host)
    address = Address(Address.spell(host, port))
    if listener.ssl is None:
        if credentials:
            raise UsageError(
                "the listener speaks plain text, and certificates are given",
                hint="Take them away, or give the listener a section ssl.",
            )
        return Target(address, None)
    own = listener.ssl.certificate_authorities
    authority = credentials.authority or (own[0] if own else None)
    certificate, key = credentials.certificate, credentials.key
    if certificate is None and authority is not None and own:
        certificate = authority.with_name(f"{_FIRST_CLIENT}.crt")
        key = authority.with_name(f"{_FIRST_CLIENT}.key")
    return Target(address, _build_context(Credentials(authority, certificate, key)))


def _build_context(credentials: Credentials) -> ssl.SSLContext:
    if credentials.authority is None:
        raise UsageError(
            "the receiver cannot be recognised without its authority",
            hint="Name the authority that issued its certificate, with --ca.",
        )
    return build_client_context(
        credentials.authority, credentials.certificate, credentials.key
    )
