"""Declare the settings of senders: their names, who may send, whose tenant it is."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from beats_signer.address import Network
from beats_signer.rules import PartName
from beats_signer.settings import read_settings

__all__ = ["Allowed", "AllowedConfig", "SendersConfig", "read_allowed"]


class AllowedConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Senders that may send: those with a name, or those without a certificate."""

    name: str | None = None
    """Pattern of names in certificates: * stands for anything, dots included, ? for
    one character, [ab] for one of these. Capital letters are not small ones."""

    address: Network | None = None
    """Address or network of senders that show no certificate, such as Logstash."""

    tenant: PartName | None = None
    """Tenant of their events; null: as tenant_from and routing.tenants say."""

    def __post_init__(self) -> None:
        if (self.name is None) == (self.address is None):
            raise ValueError(
                "it is not clear who is meant\n"
                "Give either name, for senders with a certificate, or address, for "
                "those without."
            )


Allowed = tuple[AllowedConfig, ...]
NameSource = Literal["uri", "dns", "cn"]


class SendersConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may send, and what is known of a sender by its certificate."""

    names: Annotated[
        tuple[NameSource, ...],
        Meta(min_length=1, description="a list of uri, dns, cn or some of them"),
    ] = ("uri", "dns", "cn")
    """Where in a certificate a sender's name stands: alternative names that are URIs
    or DNS names, or the common name. The first that is there counts."""

    tenant_from: Literal["routing", "organization"] = "routing"
    """Where the tenant of a sender comes from that allow gives none. organization:
    from the certificate, in small letters; without one that can be a tenant the
    sender is refused. Senders without a certificate always go by routing."""

    host_names: Literal["ignore", "warn", "refuse"] = "ignore"
    """What to do when host.name or agent.name of an event is not the name of the
    sender: nothing, log and count it, or close the connection without an ack. Then
    the sender keeps its events and stands still. Short names agree with long ones."""

    allow: Allowed | None = None
    """Who may send; the first that matches counts. null: everybody whom the listener
    accepts. []: nobody."""

    allow_file: Path | None = None
    """YAML file with the same list, instead of allow. It is read anew when it
    changes; who is no longer in it is disconnected."""

    def __post_init__(self) -> None:
        if self.allow is not None and self.allow_file is not None:
            raise ValueError(
                "allow and allow_file are both set\n"
                "Keep one of them: two lists would not say which of them counts."
            )

    @property
    def tenants(self) -> tuple[str, ...]:
        """Return patterns of all tenants that senders may have by these settings."""
        if self.tenant_from == "organization" or self.allow_file:
            return ("*",)
        named = (one.tenant for one in self.allow or ())
        return tuple(dict.fromkeys(tenant for tenant in named if tenant))


def read_allowed(path: Path) -> Allowed:
    """Return the list in a file.

    Raises:
        ConfigError: As for ``read_settings``.
    """
    return read_settings(path, Allowed)
