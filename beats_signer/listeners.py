"""Declare the settings of listeners: addresses, and TLS in the words of Beats."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from beats_signer.address import Address, Network

__all__ = ["ListenerConfig", "ProxyProtocolConfig", "TlsConfig"]


class TlsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """TLS of one listener, in the words of Beats and Logstash."""

    certificate: Path
    """Certificate of this signer, then its intermediate ones; PEM."""

    key: Path
    """Private key of the certificate; PEM."""

    certificate_authorities: tuple[Path, ...] = ()
    """Authorities whose client certificates are accepted; PEM."""

    certificate_revocation_lists: tuple[Path, ...] = ()
    """Lists of what these authorities have revoked; PEM. Senders of an authority
    without a list here are not looked up."""

    expired_revocation_lists: Literal["refuse", "accept"] = "refuse"
    """What a list is worth after its end: refuse whoever its authority has certified,
    or go on with it as it is."""

    client_authentication: Literal["none", "optional", "required"] = "required"
    """Whether a sender has to show a certificate; its name goes into the seal."""

    supported_protocols: Annotated[
        tuple[Literal["TLSv1.2", "TLSv1.3"], ...],
        Meta(min_length=1, description="a list of TLSv1.2, TLSv1.3 or both"),
    ] = ("TLSv1.2", "TLSv1.3")
    """Versions of TLS that are spoken."""

    key_passphrase_file: Path | None = None
    """File with the passphrase of the key, where it has one. Secrets stand in files:
    there is no key_passphrase."""

    cipher_suites: tuple[str, ...] = ()
    """Suites of TLS 1.2, the preferred first, as Beats, IANA or OpenSSL spell them.
    []: those of OpenSSL. TLS 1.3 has its own, which cannot be chosen."""

    handshake_timeout: Annotated[float, Meta(ge=1, le=300)] | None = None
    """Time for a TLS handshake in seconds, not in Logstash's milliseconds; null:
    limits.handshake_seconds."""

    @property
    def server_files(self) -> tuple[Path, ...]:
        """Return the files that a handshake depends on."""
        passphrase = (self.key_passphrase_file,) if self.key_passphrase_file else ()
        return self.certificate, self.key, *passphrase, *self.certificate_authorities

    @property
    def revocation_files(self) -> tuple[Path, ...]:
        """Return the revocation lists, and what their signatures are checked with."""
        lists = self.certificate_revocation_lists
        return (*lists, *self.certificate_authorities) if lists else ()

    def __post_init__(self) -> None:
        wanted = self.client_authentication
        if self.certificate_revocation_lists and not self.certificate_authorities:
            raise ValueError(
                "certificate_revocation_lists are named, certificate_authorities are "
                "none\n"
                "Name the authorities whose lists these are."
            )
        if self.cipher_suites and "TLSv1.2" not in self.supported_protocols:
            raise ValueError(
                "cipher_suites are named, supported_protocols are without TLSv1.2\n"
                "Leave them out: the suites of TLS 1.3 cannot be chosen."
            )
        if wanted == "none" and self.certificate_authorities:
            raise ValueError(
                "certificate_authorities are named, client_authentication is none\n"
                "Take the authorities away, or ask senders for certificates."
            )
        if wanted != "none" and not self.certificate_authorities:
            raise ValueError(
                f"client_authentication is {wanted}, certificate_authorities are none\n"
                "Name the authority of your senders, or set client_authentication: "
                "none and let anybody send."
            )


class ProxyProtocolConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Proxies that say for whom they have connected, in the PROXY protocol."""

    trusted: Annotated[
        tuple[Network, ...],
        Meta(min_length=1, description="a list of at least one address or network"),
    ]
    """Addresses of proxies. Each has to send a header of version 1 or 2, before TLS;
    nobody else is believed."""


class ListenerConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One address that senders connect to."""

    address: Address = Address("0.0.0.0:5044")
    """Where to listen. 5044 is the port that Beats expect. Port 0: any free one."""

    ssl: TlsConfig | None = None
    """Without it the listener speaks plain text, and senders have no identity."""

    proxy_protocol: ProxyProtocolConfig | None = None
    """Take addresses of senders from a proxy in front; null: there is none."""
