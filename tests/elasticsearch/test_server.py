"""The real server that the tests run: it starts, dies and comes back."""

import pytest

from tests.elasticsearch.server import running

pytestmark = pytest.mark.elasticsearch


def test_a_killed_server_comes_back_with_what_it_had_confirmed() -> None:
    with running() as server, server.access.connect() as client:
        client.create(index="kept", id="1", document={"a": 1})
        before = server.pid

        server.kill()
        server.start()

        assert server.pid != before
        assert client.get(index="kept", id="1")["_source"] == {"a": 1}


def test_a_secured_server_speaks_tls_and_issues_api_keys() -> None:
    with running(security=True) as server:
        assert server.access.url.startswith("https://")
        with server.access.connect() as client:
            assert client.security.create_api_key(name="any")["encoded"]
