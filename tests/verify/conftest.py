"""What the attacks on an exported folder start from."""

from collections.abc import Iterator

import pytest

from tests.elasticsearch.fake import Fake
from tests.verify.damage import Lines, whole_world
from tests.verify.signer import World
from tests.verify.stored import Stored, new_world


@pytest.fixture
def world() -> World:
    """A world that nobody has touched."""
    return whole_world()


@pytest.fixture
def lines(world: World) -> Lines:
    """Lines of its first chain, to change."""
    return world.chains[0].lines


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.elasticsearch)])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    """Store a world on the fake server and, with their mark, on a real one."""
    if request.param == "real":
        access = request.getfixturevalue("real_elasticsearch")
    else:
        access = request.getfixturevalue("fake").access
    with access.connect(max_retries=0) as client:
        stored = Stored(access, client, new_world())
        stored.set_up()
        stored.store()
        yield stored


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Run a fake server, empty."""
    with Fake() as server:
        yield server
