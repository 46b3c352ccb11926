"""A process that signs until it has sent all windows, is killed, or its disk is full.

``python -m tests.sign.signing FOLDER FIRST LAST [BYTES]`` sends windows FIRST to
LAST, two ahead of their acks, and prints the number of each one that has its ack.
With a limit for the size of its files it prints the error that this brings.
"""

import asyncio
import random
import resource
import sys
import time
from pathlib import Path

from beats_signer.errors import DurabilityError
from beats_signer.operate.logging import build_logger
from beats_signer.sign.signer import Signer, SigningSettings, open_signer
from beats_signer.sign.window import Receipt, Source, Window
from beats_signer.store import Archive
from tests.sign.senders import build_window
from tests.sign.world import SIGNER

__all__ = ["events_of", "paths"]

_AHEAD = 2


def paths(folder: Path) -> tuple[Path, Path]:
    """Return where the state directory and the archive are."""
    return folder / "state", folder / "archive.db"


def events_of(number: int) -> tuple[bytes, ...]:
    """Return the events of a window; they do not compress."""
    source = random.Random(number)
    return tuple(source.randbytes(2000) for _ in range(100))


def _window(number: int, first: int) -> Window:
    source = Source("10.0.0.1", None, "10.0.0.1", "10.0.0.1:1", f"c-{first}", 1)
    own = number - first + 1
    return build_window(source, own, events_of(number), time.time_ns(), number + 2)


async def _send(signer: Signer, first: int, last: int) -> None:
    waiting: list[tuple[int, Receipt]] = []
    for number in range(first, last + 1):
        window = _window(number, first)
        waiting.append((number, signer.append(window)))
        if len(waiting) == _AHEAD:
            await _take_ack(signer, first, waiting)
    while waiting:
        await _take_ack(signer, first, waiting)


async def _take_ack(
    signer: Signer, first: int, waiting: list[tuple[int, Receipt]]
) -> None:
    number, receipt = waiting.pop(0)
    await receipt
    signer.acknowledged(f"c-{first}", number - first + 1)
    print(number, flush=True)


async def _sign(folder: Path, first: int, last: int, limit: int | None) -> None:
    state, archive = paths(folder)
    store = Archive(archive)
    await store.open()
    log = build_logger(sys.stderr, level="warning")
    signer, lock = open_signer(state, SIGNER, store, SigningSettings(), log)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        async with signer.running():
            await _send(signer, first, last)
            await signer.stop()
    except* DurabilityError as errors:
        print(_first(errors), flush=True)
    lock.release()
    await store.close()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    asyncio.run(
        _sign(
            Path(sys.argv[1]),
            int(sys.argv[2]),
            int(sys.argv[3]),
            int(sys.argv[4]) if len(sys.argv) > 4 else None,
        )
    )
