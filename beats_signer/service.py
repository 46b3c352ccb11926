"""``beats-signer serve``: everything together, from start to drain.

The first SIGTERM or SIGINT drains: no new connections, no more reading, every
complete window stored and acknowledged, ``stop`` recorded; after
``drain_seconds`` what is left is dropped and comes again from its sender. The
second signal ends the process at once. Both are safe: see ``sign.sequencer``.
"""

import asyncio
import logging
import os
import resource
import signal
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import uvloop
from structlog.typing import FilteringBoundLogger

from beats_signer import __version__
from beats_signer.chain.times import format_time
from beats_signer.config import Config
from beats_signer.errors import SignerError
from beats_signer.operate.http import StatusServer
from beats_signer.operate.logging import LogHandler, build_logger
from beats_signer.receive.budget import Budget
from beats_signer.receive.listener import Listener, Reception
from beats_signer.receive.session import Patience, Session
from beats_signer.sign.sequencer import Pace
from beats_signer.sign.signer import Signer, SigningSettings, open_signer
from beats_signer.stores import build_store, check_store

__all__ = ["SWITCH_SECONDS", "Service", "run"]

SWITCH_SECONDS = 0.0005
"""How long the sealing thread may keep the interpreter from the event loop, in
seconds. At CPython's 0.005 keep-alives and status answers wait 100 ms."""

_SHARES = 4
"""Where there may be several chains, each gets this part of the journal."""


def run(config: Config, *, found: str | None = None) -> int:
    """Serve until a signal; return the exit code.

    *found* names a damaged chain that is to be replaced by a successor.

    Raises:
        SignerError: Any reason not to start or not to go on.
    """
    # A core dump would hold private keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(SWITCH_SECONDS)
    log = build_logger(sys.stderr)
    logging.getLogger().addHandler(LogHandler(log))
    service = Service(config, log)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(service.run(found))
        except BaseExceptionGroup as group:
            raise _first(group) from group
    return 0


class Service:
    """One running process."""

    def __init__(self, config: Config, log: FilteringBoundLogger) -> None:
        self._config = config
        self._log = log
        self._started = time.time_ns()
        self._stopping = asyncio.Event()
        self._budget = Budget(config.limits.memory_bytes)

    async def run(self, found: str | None) -> None:
        """Start, serve until ``stop``, drain."""
        config = self._config
        store = build_store(config, self._log)
        async with AsyncExitStack() as stack:
            signer, lock = open_signer(
                config.state, config.signer, store, _signing(config), self._log
            )
            stack.callback(lock.release)
            stack.push_async_callback(store.close)
            await check_store(config, self._log)
            await store.open()
            self._listen_to_signals()
            await stack.enter_async_context(signer.running(found))
            reception = self._reception(signer)
            stack.callback(reception.abort)
            listeners = [
                Listener.open(one, reception, config.limits.handshake_seconds)
                for one in config.listeners
            ]
            status = await StatusServer.open(
                config.http, lambda: self._status(signer, reception, listeners)
            )
            stack.push_async_callback(status.close)
            lock.describe(
                started=format_time(self._started),
                http=status.address,
                listeners=[listener.address for listener in listeners],
            )
            self._log.info("ready", signer=signer.name, version=__version__)
            await self._stopping.wait()
            for listener in listeners:
                listener.close()
            await self._drain(signer, reception)

    def stop(self) -> None:
        """Begin to drain."""
        self._stopping.set()

    async def _drain(self, signer: Signer, reception: Reception) -> None:
        self._log.info("stopping", connections=len(reception.sessions))
        try:
            async with asyncio.timeout(self._config.drain_seconds):
                await reception.drain()
                await signer.stop()
        except TimeoutError:
            self._log.warning(
                "stopped before everything was stored; senders send the rest again",
                seconds=self._config.drain_seconds,
                connections=len(reception.sessions),
            )
        else:
            self._log.info("stopped")

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if self._stopping.is_set():
            self._log.warning("second signal: ended at once")
            os._exit(128 + number)
        self.stop()

    def _reception(self, signer: Signer) -> Reception:
        limits = self._config.limits
        patience = Patience(
            read_ahead_windows=limits.read_ahead_windows,
            first_byte_seconds=limits.first_byte_seconds,
            window_seconds=limits.window_seconds,
            write_seconds=limits.write_seconds,
            keepalive_seconds=limits.keepalive_seconds,
        )
        return Reception(signer, self._budget, patience, limits.for_wire(), self._log)

    def _status(
        self, signer: Signer, reception: Reception, listeners: list[Listener]
    ) -> dict[str, Any]:
        status = signer.status()
        chains = [status["catalogue"], *status["chains"]]
        return {
            **status,
            "version": __version__,
            "started": format_time(self._started),
            "draining": self._stopping.is_set(),
            "connections": len(reception.sessions),
            "listeners": [
                {"address": listener.address, "tls": listener.is_encrypted}
                for listener in listeners
            ],
            "senders": [_describe(session) for session in reception.sessions],
            "memory_bytes": self._budget.used_bytes,
            "memory_limit_bytes": self._budget.limit_bytes,
            "journal_limit_bytes": self._config.sealing.journal_bytes,
            "problems": [
                *(_problem(chain) for chain in chains if chain["problem"]),
                *status["problems"],
            ],
        }


def _signing(config: Config) -> SigningSettings:
    sealing = config.sealing
    routing = config.routing.for_signer(config.retention_days)
    return SigningSettings(
        pace=Pace(
            max_entries=sealing.max_entries,
            max_bytes=sealing.max_bytes,
            linger_seconds=sealing.linger_seconds,
            in_flight=sealing.in_flight,
            journal_bytes=sealing.journal_bytes // (1 if routing.is_plain else _SHARES),
        ),
        read_ahead_windows=config.limits.read_ahead_windows,
        head_seconds=config.catalogue.head_seconds,
        heartbeat_seconds=config.catalogue.heartbeat_seconds,
        routing=routing,
        memory_bytes=config.limits.memory_bytes,
    )


def _describe(session: Session) -> dict[str, Any]:
    source = session.source
    return {
        "sender": source.sender if source else None,
        "peer": source.peer if source else None,
        "state": session.state.value,
        "events": session.events,
        "windows": session.windows,
        "acked": session.acknowledged_events,
        "open_windows": session.open_windows,
        "keepalives": session.keepalives,
    }


def _problem(chain: dict[str, Any]) -> dict[str, str]:
    is_stopped = chain["state"] == "stopped"
    return {
        "symptom": f"{chain['origin']}: {chain['problem']}",
        "impact": "Nothing more is signed in this chain."
        if is_stopped
        else "Windows of this chain are not acknowledged; their senders wait.",
        "action": "Find the other process that signs as this signer."
        if is_stopped
        else "See that the store can be written; the signer tries again by itself.",
    }


def _first(error: BaseException) -> BaseException:
    """Return what a group of errors is about: the first that explains itself."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [_first(cause) for cause in error.exceptions]
    explained = [cause for cause in causes if isinstance(cause, SignerError)]
    return (explained or causes)[0]
