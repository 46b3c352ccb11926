"""What the attacks on an exported folder start from."""

import pytest

from tests.verify.damage import Lines, whole_world
from tests.verify.signer import World


@pytest.fixture
def world() -> World:
    """A world that nobody has touched."""
    return whole_world()


@pytest.fixture
def lines(world: World) -> Lines:
    """Lines of its first chain, to change."""
    return world.chains[0].lines
