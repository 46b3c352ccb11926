"""``beats-signer serve``: everything together, from start to drain.

The first SIGTERM or SIGINT drains: no new connections, no more reading, every
complete window stored and acknowledged, ``stop`` recorded; after
``drain_seconds`` what is left is dropped and comes again from its sender. While
the start still waits for the store there is nothing to drain. The second signal
ends the process at once. All of that is safe: see ``sign.sequencer``.

SIGHUP and ``POST /-/reload`` read the configuration again: see ``reloading``.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from enum import Enum
from functools import partial
from typing import Any

import msgspec
import uvloop
from structlog.typing import FilteringBoundLogger

from beats_signer import __version__
from beats_signer.adoption import Adoption
from beats_signer.chain.times import format_time
from beats_signer.config import Config
from beats_signer.errors import SignerError
from beats_signer.insight import Insight
from beats_signer.operate.faults import build_fault_handler
from beats_signer.operate.http import Answers, HttpServer
from beats_signer.operate.logging import LogHandler, Threshold, build_logger
from beats_signer.operate.systemd import Systemd
from beats_signer.preflight import find_open_secrets
from beats_signer.receive.admission import Admission
from beats_signer.receive.budget import Budget
from beats_signer.receive.descriptors import RESERVED, raise_limit
from beats_signer.receive.listener import Listener
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps
from beats_signer.receive.reception import Reception
from beats_signer.receive.watch import Watch
from beats_signer.reloading import Reloader
from beats_signer.sign.signer import Signer, open_signer
from beats_signer.signing import signing_settings
from beats_signer.status import describe_problems, describe_reception
from beats_signer.stores import build_store, check_store

__all__ = ["SWITCH_SECONDS", "Service", "ServiceState", "run"]

SWITCH_SECONDS = 0.0005
"""How long the sealing thread may keep the interpreter from the event loop, in
seconds. At CPython's 0.005 keep-alives and status answers wait 100 ms."""


def run(config: Config, read: Callable[[], Config], *, found: str | None = None) -> int:
    """Serve until a signal; return the exit code.

    Args:
        config: What to start with.
        read: Reads it anew, in a thread, when it may have changed.
        found: A damaged chain that is to be replaced by a successor.

    Raises:
        SignerError: Any reason not to start or not to go on.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    threshold = Threshold(config.logging.level)
    log = build_logger(sys.stderr, level=threshold)
    logging.getLogger().addHandler(LogHandler(log))
    if (most := raise_limit() - RESERVED) < config.limits.connections:
        log.warning(
            "fewer connections are possible than limits.connections allows: raise "
            "LimitNOFILE of the service",
            most=most,
            allowed=config.limits.connections,
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(Service(config, read, log, threshold).run(found))
        except BaseExceptionGroup as group:
            raise _first(group) from group
    return 0


class ServiceState(Enum):
    """How far the process is."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


class Service:
    """One running process."""

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config],
        log: FilteringBoundLogger,
        threshold: Threshold,
    ) -> None:
        self.state = ServiceState.STARTING
        self._config = config
        self._read = read
        self._reloader: Reloader | None = None
        self._reloading: set[asyncio.Task[dict[str, Any]]] = set()
        self._log = log
        self._threshold = threshold
        self._started = time.time_ns()
        self._stopping = asyncio.Event()
        self._budget = Budget(config.limits.memory_bytes)
        self._insight = Insight(self._status)
        self._systemd = Systemd()
        self._facts: list[Callable[[], dict[str, Any]]] = [self._describe_process]

    async def run(self, found: str | None) -> None:
        """Start, serve until ``stop``, drain."""
        starting = self._starting = asyncio.current_task()
        assert starting is not None, "a coroutine runs in a task"
        asyncio.get_running_loop().set_exception_handler(build_fault_handler(self._log))
        self._listen_to_signals()
        try:
            async with AsyncExitStack() as stack:
                await self._serve(stack, found)
        except asyncio.CancelledError:
            if self.state is not ServiceState.STOPPING:
                raise
            starting.uncancel()
            self._log.info("stopped before it was ready")

    def stop(self) -> None:
        """Begin to drain, or give up the start."""
        if self.state is ServiceState.STARTING and self._starting is not None:
            self._starting.cancel()
        self.state = ServiceState.STOPPING
        self._stopping.set()

    async def reload(self) -> dict[str, Any]:
        """Read the configuration again; return what came of it, see ``Outcome``."""
        if self._reloader is None or self.state is not ServiceState.SERVING:
            error = f"the signer is {self.state.value}"
            self._log.warning("the configuration is not read again", error=error)
            return {"ok": False, "error": error, "hint": "Wait until it serves."}
        return await self._reloader.reload()

    async def _serve(self, stack: AsyncExitStack, found: str | None) -> None:
        config = self._config
        store = build_store(config, self._log, self._insight.store_tally)
        signer, lock = open_signer(
            config.state, config.signer, store, signing_settings(config), self._log
        )
        stack.callback(lock.release)
        # What can be wrong with an address or a file shows before anything is written.
        admission = Admission(config.senders)
        listeners = [Listener.bind(one) for one in config.listeners]
        for listener in listeners:
            stack.callback(listener.close)
        insight = self._insight
        answers = Answers(
            self._status, insight.metrics.page, insight.history, self.reload
        )
        http = await HttpServer.open(config.http.address, answers)
        stack.push_async_callback(http.close)
        stack.push_async_callback(store.close)
        await check_store(config, self._log)
        await store.open()
        await stack.enter_async_context(signer.running(found))
        patience = msgspec.convert(config.limits, Patience, from_attributes=True)
        limits = config.limits.for_wire()
        reception = Reception(
            signer,
            self._budget,
            patience,
            limits,
            self._log,
            admission=admission,
            caps=msgspec.convert(config.limits, Caps, from_attributes=True),
            tallies=insight.tallies,
        )
        stack.callback(reception.abort)
        for listener in listeners:
            listener.serve(reception)
        judge = partial(find_open_secrets, config)
        watch = Watch(reception, listeners, judge=judge)
        await stack.enter_async_context(watch.running())
        adoption = Adoption(signer, reception, listeners, self._threshold, self._log)
        reloader = Reloader(config, self._read, adoption.adopt, self._log)
        self._reloader = reloader
        self._facts.append(
            lambda: _describe(signer, reception, listeners, watch, reloader)
        )
        lock.describe(
            started=format_time(self._started),
            http=http.address,
            listeners=[listener.address for listener in listeners],
        )
        self.state = ServiceState.SERVING
        for work in (
            insight.keep_time(self._systemd),
            self._systemd.feed(signer.probe),
        ):
            stack.callback(asyncio.get_running_loop().create_task(work).cancel)
        self._log.info("ready", signer=signer.name, version=__version__)
        self._systemd.ready(insight.describe())
        await self._stopping.wait()
        for listener in listeners:
            listener.close()
        await self._drain(signer, reception, reloader.config.drain_seconds)

    async def _drain(
        self, signer: Signer, reception: Reception, seconds: float
    ) -> None:
        self._log.info("stopping", connections=len(reception.sessions))
        self._systemd.stopping()
        try:
            async with asyncio.timeout(seconds):
                await reception.drain()
                await signer.stop()
        except TimeoutError:
            self._log.warning(
                "stopped before everything was stored; senders send the rest again",
                seconds=seconds,
                connections=len(reception.sessions),
            )
        else:
            self._log.info("stopped")

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)

    def _on_hangup(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reload())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    def _on_signal(self, number: signal.Signals) -> None:
        if self.state is ServiceState.STOPPING:
            self._log.warning("second signal: ended at once")
            os._exit(128 + number)
        self.stop()

    def _status(self) -> dict[str, Any]:
        return {fact: value for ask in self._facts for fact, value in ask().items()}

    def _describe_process(self) -> dict[str, Any]:
        return {
            "signer": self._config.signer,
            "version": __version__,
            "started": format_time(self._started),
            "state": self.state.value,
            "draining": self.state is ServiceState.STOPPING,
            "memory_bytes": self._budget.used_bytes,
            "memory_limit_bytes": self._budget.limit_bytes,
            "journal_limit_bytes": self._config.sealing.journal_bytes,
            "problems": [],
        }


def _describe(
    signer: Signer,
    reception: Reception,
    listeners: list[Listener],
    watch: Watch,
    reloader: Reloader,
) -> dict[str, Any]:
    """Return what can be said as soon as the signer serves."""
    status = signer.status()
    return {
        **status,
        **describe_reception(listeners, reception),
        "reloads": dict(reloader.counts),
        "problems": [
            *describe_problems([status["catalogue"], *status["chains"]]),
            *status["problems"],
            *map(
                asdict,
                (*watch.problems(), *reloader.problems(), *reception.problems()),
            ),
        ],
    }


def _first(error: BaseException) -> BaseException:
    """Return what a group of errors is about: the first that explains itself."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [_first(cause) for cause in error.exceptions]
    explained = [cause for cause in causes if isinstance(cause, SignerError)]
    return (explained or causes)[0]
