"""Take a changed configuration into the running signer, or say why not.

| changed                        | what happens                                      |
|--------------------------------|---------------------------------------------------|
| limits of connections          | count for new connections                         |
| senders                        | who may not send any longer is disconnected       |
| ssl of listeners               | counts from the next handshake on; not whether    |
|                                | there is TLS at all                               |
| routing, retention_days        | count from the next window on; not routing.target,|
|                                | where the store puts what it may move             |
| drain_seconds, logging         | count                                             |
| anything else                  | needs a restart: is named, the old value stays    |
| files of TLS and lists         | are used when they change, without a reload       |

It is all or nothing: what is wrong anywhere leaves everything as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import msgspec
from structlog.typing import FilteringBoundLogger

from beats_signer.config import Config, ListenerConfig
from beats_signer.errors import ConfigError, Problem, SignerError
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps
from beats_signer.settings.comparing import list_changes
from lumberjack import Limits

__all__ = ["Outcome", "Reloader", "blend"]

_LIMITS = {field.name for kind in (Patience, Caps, Limits) for field in fields(kind)}
_LIMITS_OF_A_START = {"read_ahead_windows"}
"""The signer keeps what it may recognise for as many windows, too."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt."""

    ok: bool
    changed: tuple[str, ...] = ()
    """Settings whose new values are used."""
    needs_restart: tuple[str, ...] = ()
    """Settings whose old values stay until the next start."""
    error: str = ""
    hint: str = ""


class Reloader:
    """Reads the configuration again when it is told to."""

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config],
        adopt: Callable[[Config, Config], Awaitable[None]],
        log: FilteringBoundLogger,
    ) -> None:
        """Begin with the configuration of the start.

        Args:
            config: What the signer has started with.
            read: Reads it anew; runs in a thread.
            adopt: Is given the old and the new one, and uses the new one, or raises
                a ``SignerError`` and has changed nothing.
            log: Where every outcome is told.
        """
        self.config = config
        """What is in force: never a setting that needs a restart."""
        self.counts = {"ok": 0, "failed": 0}
        self._read = read
        self._adopt = adopt
        self._log = log
        self._turn = asyncio.Lock()
        self._last = Outcome(ok=True)

    async def reload(self) -> dict[str, Any]:
        """Read the configuration and use it; return the ``Outcome`` as a mapping."""
        async with self._turn:
            try:
                outcome = await self._try()
            except SignerError as error:
                outcome = Outcome(False, error=str(error), hint=error.hint)
            self._last = outcome
            self.counts["ok" if outcome.ok else "failed"] += 1
        self._tell(outcome)
        return asdict(outcome)

    def problems(self) -> Iterator[Problem]:
        """Yield what a person should know of the last attempt."""
        last = self._last
        if not last.ok:
            yield Problem(
                f"the changed configuration cannot be used: {last.error}",
                "The signer goes on with the one it had; a start would fail.",
                last.hint or "Correct it, then reload.",
            )
        if last.needs_restart:
            yield Problem(
                f"changed settings need a restart: {', '.join(last.needs_restart)}",
                "The signer goes on with their old values.",
                "Restart it: nothing is lost, senders wait and send again.",
            )

    async def _try(self) -> Outcome:
        new = await asyncio.to_thread(self._read)
        running = blend(self.config, new)
        changed = list_changes(self.config, running)
        if changed:
            await self._adopt(self.config, running)
            self.config = running
        return Outcome(True, changed, list_changes(running, new))

    def _tell(self, outcome: Outcome) -> None:
        if not outcome.ok:
            self._log.error(
                "the changed configuration cannot be used, the old one stays",
                error=outcome.error,
                hint=outcome.hint,
            )
            return
        self._log.info("the configuration was read again", changed=outcome.changed)
        if outcome.needs_restart:
            self._log.warning(
                "changed settings need a restart", settings=outcome.needs_restart
            )


def blend(old: Config, new: Config) -> Config:
    """Return the old configuration with all of the new one that can be used now.

    Raises:
        ConfigError: The two do not go together before a restart.
    """
    names = _LIMITS.intersection(new.limits.__struct_fields__) - _LIMITS_OF_A_START
    limits = {name: getattr(new.limits, name) for name in names}
    try:
        blended = msgspec.structs.replace(
            old,
            limits=msgspec.structs.replace(old.limits, **limits),
            listeners=_blend_listeners(old.listeners, new.listeners),
            senders=new.senders,
            drain_seconds=new.drain_seconds,
            logging=new.logging,
        )
        routing = msgspec.structs.replace(new.routing, target=old.routing.target)
        routed = msgspec.structs.replace(
            blended, routing=routing, retention_days=new.retention_days
        )
    except ValueError as error:
        raise ConfigError(
            f"the changed configuration needs a restart: {error}".replace("\n", ". "),
            hint="Restart the signer: a value that it has now does not fit the others.",
        ) from error
    is_plain = old.applied_routing.is_plain
    return routed if routed.applied_routing.is_plain == is_plain else blended


def _blend_listeners(
    old: tuple[ListenerConfig, ...], new: tuple[ListenerConfig, ...]
) -> tuple[ListenerConfig, ...]:
    """Return the old listeners with the TLS settings of the new ones."""
    if [one.address for one in old] != [one.address for one in new]:
        return old
    return tuple(
        msgspec.structs.replace(before, ssl=after.ssl)
        if before.ssl and after.ssl
        else before
        for before, after in zip(old, new, strict=True)
    )
