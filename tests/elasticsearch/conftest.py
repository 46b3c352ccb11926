"""The two servers that one contract holds."""

import secrets
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from tests.elasticsearch.asking import put_template
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.server import Access

_BOTH = ["fake", pytest.param("real", marks=pytest.mark.elasticsearch)]


@pytest.fixture(params=_BOTH)
def elasticsearch(request: pytest.FixtureRequest) -> Iterator[Access]:
    """Reach the fake server and, in ``make test-elasticsearch``, the real one."""
    if request.param == "real":
        yield request.getfixturevalue("real_elasticsearch")
        return
    with Fake() as fake:
        yield fake.access


@pytest.fixture
def client(elasticsearch: Access) -> Iterator[Elasticsearch]:
    """Connect to it."""
    with elasticsearch.connect(max_retries=0) as connected:
        yield connected


@pytest.fixture
def name() -> str:
    """Return a name that no other test has used on this server."""
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def stream(client: Elasticsearch, name: str) -> str:
    """Return the name of a data stream that the first write makes."""
    put_template(client, name)
    return name
