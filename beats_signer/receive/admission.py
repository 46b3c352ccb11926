"""Decide who may send, under which name and for which tenant."""

from collections.abc import Sequence
from functools import partial

from beats_signer.config import Allowed, AllowedConfig, SendersConfig, read_allowed
from beats_signer.receive.host_names import HostNames, Mismatch
from beats_signer.receive.identity import Identity, identify
from beats_signer.receive.refusal import Refusal, UnwelcomeError
from beats_signer.receive.watched import Watched
from beats_signer.sign.naming import RoutingNameError, check_part, is_like
from lumberjack import Batch

__all__ = ["Admission"]


class Admission:
    """The settings of senders, as far as all listeners share them."""

    def __init__(self, config: SendersConfig | None = None) -> None:
        """Take the settings; without them everybody may send.

        Raises:
            ConfigError: The file with the allow-list cannot be used.
        """
        self._config = config or SendersConfig()
        self._host_names = None if self._config.host_names == "ignore" else HostNames()
        path = self._config.allow_file
        self._file = Watched([path], partial(read_allowed, path)) if path else None

    @property
    def watched(self) -> Sequence[Watched[Allowed]]:
        """Return the files that count as soon as they change."""
        return [self._file] if self._file else []

    def identify(self, certificate: bytes) -> Identity:
        """Return whom a client certificate, as DER, stands for."""
        return identify(certificate, self._config.names)

    def admit(self, identity: Identity | None, host: str) -> str | None:
        """Return the tenant of a sender; ``None`` leaves that to the rules.

        *host* is its address; it counts for senders without certificate only.

        Raises:
            UnwelcomeError: It may not send.
        """
        item = self._item_for(identity, host)
        if item is not None and item.tenant is not None:
            return item.tenant
        if identity is None or self._config.tenant_from == "routing":
            return None
        return _tenant_of(identity)

    def compare_hosts(self, sender: str, batch: Batch) -> Mismatch | None:
        """Return which events of a window name another host, if that matters.

        Raises:
            UnwelcomeError: Some do, and that is not allowed.
        """
        if self._host_names is None:
            return None
        mismatch = self._host_names.compare(sender, batch)
        if mismatch is not None and self._config.host_names == "refuse":
            raise UnwelcomeError(
                Refusal.HOST_NAME,
                f"{mismatch} in an event: correct the name there or in the "
                "certificate, or set senders.host_names: warn",
            )
        return mismatch

    def _item_for(self, identity: Identity | None, host: str) -> AllowedConfig | None:
        allowed = self._file.value if self._file else self._config.allow
        if allowed is None:
            return None
        for item in allowed:
            if _is_for(item, identity, host):
                return item
        who = "the name" if identity else "the address of a sender without certificate"
        where = self._config.allow_file or "senders.allow"
        raise UnwelcomeError(Refusal.NOT_LISTED, f"{who} is not listed in {where}")


def _is_for(item: AllowedConfig, identity: Identity | None, host: str) -> bool:
    # A certificate may be issued for the name 10.0.0.5: it is no address here.
    if identity is None:
        return item.address is not None and item.address.holds(host)
    return item.name is not None and is_like(identity.name, (item.name,))


def _tenant_of(identity: Identity) -> str:
    if identity.organization is None:
        raise UnwelcomeError(
            Refusal.NO_TENANT,
            "the certificate names no organization, which would be the tenant: issue "
            "another, or name a tenant in senders.allow",
        )
    tenant = identity.organization.lower()
    try:
        check_part(tenant, "tenant")
    except RoutingNameError as error:
        raise UnwelcomeError(
            Refusal.NO_TENANT,
            f"the organization of the certificate cannot be a tenant: {error}; issue "
            "another, or name a tenant in senders.allow",
        ) from error
    return tenant
