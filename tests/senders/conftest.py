"""A signer of its own for each test of a sender."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.senders.running import RunningSigner, found_signer


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a signer that was founded and has never served."""
    folder = tmp_path_factory.mktemp("founded") / "signer"
    found_signer(folder)
    return folder


@pytest.fixture
def signer(founded: Path, tmp_path: Path) -> Iterator[RunningSigner]:
    """Serve; keep-alives come as often as they can be set to."""
    one = RunningSigner(founded, tmp_path / "signer")
    try:
        one.start()
        yield one
    finally:
        one.close()
