"""What tests of the receiving room share."""

from collections.abc import Iterator

import pytest

from tests.receive.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Return a world of sessions that has to end without an error in the program."""
    world = World()
    yield world
    assert world.timers.errors == []
