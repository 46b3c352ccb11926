"""A fake server for each test of the write path."""

from collections.abc import Iterator

import pytest

from tests.elasticsearch.fake import Fake


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Run a fake server, empty."""
    with Fake() as server:
        yield server
