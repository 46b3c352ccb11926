"""Let other processes look at ranges of chains.

| what happens                      | then                                          |
|-----------------------------------|-----------------------------------------------|
| a worker dies, for want of memory | nothing is said any more; who judges reads on |
| or because somebody kills it      | alone, and the caller is told                 |
| a worker cannot be started        | the same                                      |
| a worker cannot read its range    | nothing is said of it; who judges meets the   |
|                                   | same, or does not                             |
| Ctrl-C                            | only who judges hears it, and closes          |
| who judges closes, or is killed   | the workers end at once                       |

A process that is started anew imports this program again: no lock or socket of the
one that starts it can stand in its way.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from concurrent.futures.process import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from typing import Any

from beats_signer.errors import SignerError
from beats_signer.verify.readable import Readable
from beats_signer.verify.whole import Whole, find_whole

__all__ = ["Opener", "SealRange", "Workers"]

Opener = Callable[[], Readable]
"""Opens the source once more, in another process: it must be picklable."""


@dataclass(frozen=True, slots=True)
class SealRange:
    """Some seals of one chain, with their entries."""

    origin: str
    chain: bytes
    """The chain id that the origin is trusted to have."""
    first: int
    stop: int
    """One more than the number of the last seal."""


class Workers:
    """Some processes, each with the source open for itself."""

    def __init__(self, opener: Opener, jobs: int, on_death: Callable[[], None]) -> None:
        """Prepare ``jobs`` processes; each is started when there is work for it.

        ``on_death`` is called once when one of them has died.
        """
        self._on_death = on_death
        self._is_dead = False
        self._context = context = _Context()
        held, self._hold = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(jobs, context, _begin, (opener, held))

    def start(self, part: SealRange) -> "Future[dict[bytes, Whole]] | None":
        """Let a range be looked at; ``None``: there is nobody who could."""
        try:
            with _uninterrupted():
                return self._pool.submit(_examine, part)
        except (BrokenExecutor, OSError):  # the second: there is no room for one more
            self._tell()
            return None

    def wait(self, answer: "Future[dict[bytes, Whole]]") -> dict[bytes, Whole]:
        """Return what is whole in a range; nothing when nobody can say it."""
        try:
            return answer.result()
        except (BrokenExecutor, CancelledError):
            self._tell()
            return {}

    def close(self) -> None:
        """End all processes at once, whatever they do. Idempotent."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._hold.close()
        for process in self._context.known:
            if process.pid is not None:
                process.kill()  # it may be at its imports, and not hold the pipe yet

    def _tell(self) -> None:
        if not self._is_dead:
            self._is_dead = True
            self._on_death()


class _Context(SpawnContext):
    """Starts processes, and knows which."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[SpawnProcess] = []

    def Process(self, *args: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: ANN401
        """Prepare a process; the pool starts it."""
        process = SpawnProcess(*args, **named)
        self.known.append(process)
        return process


class _Here:
    """What this process has, when it is a worker."""

    opener: Opener
    source: Readable | None = None


def _begin(opener: Opener, held: Connection) -> None:
    """Begin to be a worker."""
    _Here.opener = opener
    Thread(target=_end_with, args=(held,), daemon=True).start()


def _end_with(held: Connection) -> None:
    """End this process when the other end is closed, by its owner or its death."""
    with suppress(EOFError, OSError):
        held.recv_bytes()
    os._exit(0)


def _examine(part: SealRange) -> dict[bytes, Whole]:
    """Return what is whole in a range; nothing when it cannot be read."""
    try:
        if _Here.source is None:
            _Here.source = _Here.opener()
        source = _Here.source
        source.pin(part.origin, part.chain)
        return find_whole(source.read_range(part.origin, part.first, part.stop))
    except SignerError:
        return {}


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Start processes that never hear Ctrl-C, which reaches all of a terminal."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
