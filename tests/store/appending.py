"""A process that appends until it is killed or its disk is full.

``python -m tests.store.appending ARCHIVE [BYTES]`` prints the number of each
seal that is stored. With a limit for the size of its files it prints the error
that this brings, lifts the limit, appends the rest and ends.
"""

import asyncio
import random
import resource
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from beats_signer.errors import StoreError
from beats_signer.store import Archive, Sealed
from tests.store.chains import Chain, to_write

__all__ = ["seals"]

_LIMITED = 40


def seals(chain: Chain) -> Iterator[Sealed]:
    """Make the same seals in every process; what they hold does not compress."""
    yield chain.founding
    for number in count(1):
        source = random.Random(number)
        yield chain.events([source.randbytes(500) for _ in range(number % 7 * 20 + 1)])


async def _append(path: Path, limit: int | None) -> None:
    archive = Archive(path)
    await archive.open()
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    most = None if limit is None else _LIMITED
    for sealed in islice(seals(Chain()), most):
        write = to_write(sealed)
        try:
            await archive.append(write)
        except StoreError as error:
            print(f"{error} -- {error.hint}", flush=True)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            await archive.append(write)
        print(sealed.seal.number, flush=True)
    await archive.close()


if __name__ == "__main__":
    asyncio.run(
        _append(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
    )
