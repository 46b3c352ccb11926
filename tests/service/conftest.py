"""A signer of its own for each test of the service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.senders.conftest import founded
from tests.senders.running import RunningSigner

__all__ = ["founded", "signer"]


@pytest.fixture
def signer(founded: Path, tmp_path: Path) -> Iterator[RunningSigner]:
    """Return a signer that is not running yet."""
    one = RunningSigner(founded, tmp_path / "signer")
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def serving(founded: Path, tmp_path: Path) -> Iterator[RunningSigner]:
    """Return a running signer whose limits are the default."""
    one = RunningSigner(founded, tmp_path / "serving", {"limits": {}})
    try:
        one.start()
        yield one
    finally:
        one.close()
