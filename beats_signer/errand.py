"""Do with a signer what no sender may interrupt: start, one errand, stop.

It is the start and the stop of ``serve`` without listeners, HTTP and reloading.
What an earlier process journaled is stored on the way, and the catalogue records
``start``, the last heads and ``stop``. A signal ends it like a crash: whatever was
journaled is finished by the next start, to serve or for another errand.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from beats_signer.config import Config
from beats_signer.operate.logging import build_logger
from beats_signer.sign.signer import Signer, open_signer
from beats_signer.signing import signing_settings
from beats_signer.store.tally import StoreTally
from beats_signer.stores import build_store, check_store

__all__ = ["run_errand"]

_T = TypeVar("_T")


def run_errand(
    config: Config,
    is_done: Callable[[Signer], bool],
    errand: Callable[[Signer], Awaitable[_T]],
) -> _T | None:
    """Start the signer of a configuration, do the errand, and stop it.

    What keeps the store from answering is written to standard error meanwhile.

    Args:
        config: Whose signer it is.
        is_done: Asked before anything is written; may raise to refuse.
        errand: What to do once the signer runs.

    Returns:
        What the errand returned, or ``None`` when it was done already.

    Raises:
        StateError: The signer runs, or its state must not be used.
        SignerError: As ``serve``.
    """
    log = build_logger(sys.stderr, level="warning")
    return asyncio.run(_run(config, is_done, errand, log))


async def _run(
    config: Config,
    is_done: Callable[[Signer], bool],
    errand: Callable[[Signer], Awaitable[_T]],
    log: FilteringBoundLogger,
) -> _T | None:
    async with AsyncExitStack() as stack:
        store = build_store(config, log, StoreTally())
        stack.push_async_callback(store.close)
        signer, lock = open_signer(
            config.state, config.signer, store, signing_settings(config), log
        )
        stack.callback(lock.release)
        if is_done(signer):
            return None
        await check_store(config, log)
        await store.open()
        async with signer.running():
            done = await errand(signer)
            await signer.stop()
        return done
