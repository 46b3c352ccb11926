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
    """Private key of the certificate, without a passphrase; PEM."""

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

    @property
    def server_files(self) -> tuple[Path, ...]:
        """Return the files that a handshake depends on."""
        return self.certificate, self.key, *self.certificate_authorities

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
