"""What the attacks on an exported folder start from."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.elasticsearch.access import Access
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


_BOTH = ["fake", pytest.param("real", marks=pytest.mark.elasticsearch)]


@pytest.fixture
def stored(fake: Fake) -> Iterator[Stored]:
    """Store a world on the fake server."""
    with _set_up(fake.access) as place:
        place.store()
        yield place


@pytest.fixture
def shared(stored: Stored) -> None:
    """Let several share the work of verifying, too: they have to find the same."""
    stored.is_divided = True


@pytest.fixture
def anywhere(unstored: Stored) -> Stored:
    """Store a world on the fake server and, with their mark, on a real one."""
    unstored.store()
    return unstored


@pytest.fixture(params=_BOTH)
def unstored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    """Prepare the fake server and a real one for a world that is to be stored."""
    real = request.param == "real"
    access = request.getfixturevalue("real_elasticsearch" if real else "fake")
    with _set_up(access if real else access.access) as place:
        yield place


@pytest.fixture
def really_unstored(real_elasticsearch: Access) -> Iterator[Stored]:
    """Prepare a real server for a world that is to be stored."""
    with _set_up(real_elasticsearch) as place:
        yield place


@contextmanager
def _set_up(access: Access) -> Iterator[Stored]:
    with access.connect(max_retries=0) as client:
        place = Stored(access, client, new_world())
        place.set_up()
        yield place


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Run a fake server, empty."""
    with Fake() as server:
        yield server
