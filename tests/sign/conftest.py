"""The world that most of these tests happen in."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sign.world import World

RAM = Path("/dev/shm")


@pytest.fixture
def world() -> Iterator[World]:
    """Yield a world in RAM, where there is such a place.

    Syncs to a disk take most of the time of a test and decide nothing in it:
    no power is cut.
    """
    where = RAM if RAM.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="beats-signer-", dir=where) as folder:
        yield World(Path(folder))
