"""What tests of the receiving room share."""

from collections.abc import Iterator

import pytest

from tests.receive.certificates import Certificates
from tests.receive.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Return a world of sessions that has to end without an error in the program."""
    world = World()
    yield world
    assert world.timers.errors == []


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return the certificates that listener and senders have in common."""
    return Certificates(tmp_path_factory.mktemp("tls") / "own")


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return the certificates of an authority that the listener does not know."""
    return Certificates(tmp_path_factory.mktemp("tls") / "other")
