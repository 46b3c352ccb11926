"""Use another configuration in a running signer, as far as that is possible."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from structlog.typing import FilteringBoundLogger

from beats_signer.config import Config
from beats_signer.errors import ConfigError
from beats_signer.operate.logging import Threshold
from beats_signer.receive.admission import Admission
from beats_signer.receive.listener import Listener
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps
from beats_signer.receive.reception import Reception
from beats_signer.receive.tls_files import TlsFiles
from beats_signer.sign.signer import Signer
from beats_signer.stores import check_store, largest_event_bytes, list_targets

__all__ = ["Adoption"]

_CHECK_SECONDS = 30.0
"""How long the store may take to be looked at for targets that are new."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """The parts that can go by other settings while they run."""

    signer: Signer
    reception: Reception
    listeners: Sequence[Listener]
    threshold: Threshold
    log: FilteringBoundLogger

    async def adopt(self, old: Config, new: Config) -> None:
        """Use the new configuration in place of the old one.

        They differ in nothing that needs a restart: see ``reloading.blend``.

        Raises:
            SignerError: Something in the new one cannot be used. Nothing has
                changed.
        """
        admission = self.reception.admission
        if new.senders != old.senders:
            admission = Admission(new.senders)
        renewed = [
            (listener, TlsFiles(after.ssl))
            for listener, before, after in zip(
                self.listeners, old.listeners, new.listeners, strict=True
            )
            if after.ssl is not None and after.ssl != before.ssl
        ]
        is_larger = largest_event_bytes(new) > largest_event_bytes(old)
        if is_larger or set(list_targets(new)) - set(list_targets(old)):
            await self._check_store(new)
        # From here on nothing can fail, and nothing waits.
        patience = msgspec.convert(new.limits, Patience, from_attributes=True)
        caps = msgspec.convert(new.limits, Caps, from_attributes=True)
        self.reception.change(patience, new.limits.for_wire(), admission, caps)
        for listener, tls in renewed:
            listener.change_tls(tls)
        for listener in self.listeners:
            listener.review()
        self.threshold.level = new.logging.level
        if new.applied_routing != old.applied_routing:
            self.signer.change_routing(new.applied_routing)

    async def _check_store(self, config: Config) -> None:
        """Look at the server as a start does, before such events come."""
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await check_store(config, self.log)
        except TimeoutError as error:
            raise ConfigError(
                "the store, which has to take new targets or larger events, does not "
                "answer",
                hint="Reload when it does: it is looked at before they are used.",
            ) from error
