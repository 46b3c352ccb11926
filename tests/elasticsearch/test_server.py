"""What takes a real server of one's own: limits, rights, and its death."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from elastic_transport import ConnectionTimeout
from elasticsearch import ApiError, AuthenticationException, Elasticsearch

from tests.elasticsearch.asking import CREATED, bulk, gist
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.server import Access, RunElasticsearch, Server

pytestmark = pytest.mark.elasticsearch

_LIMITS = {
    "http.max_content_length": "1mb",
    "indexing_pressure.memory.limit": "400kb",
}


@pytest.fixture(scope="module")
def server(run_elasticsearch: RunElasticsearch) -> Iterator[Server]:
    """Run a server that takes little at once."""
    with run_elasticsearch(settings=_LIMITS) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[Elasticsearch]:
    with server.access.connect(max_retries=0, request_timeout=30) as connected:
        yield connected


def test_a_body_above_the_limit_is_answered_413_with_nothing_in_it(
    client: Elasticsearch, name: str
) -> None:
    with pytest.raises(ApiError) as caught:
        bulk(client, name, [("a", {"a": "x" * 2_000_000})])

    assert caught.value.status_code == 413
    assert not caught.value.body
    assert gist(*bulk(client, name, [("a", {"a": "x"})])) == CREATED


def test_a_body_above_the_pressure_limit_is_answered_429_as_a_whole(
    client: Elasticsearch, name: str
) -> None:
    with pytest.raises(ApiError) as caught:
        bulk(client, name, [("a", {"a": "x" * 500_000}), ("b", {})])

    assert caught.value.status_code == 429
    assert caught.value.error == "es_rejected_execution_exception"
    assert not client.indices.exists(index=name)


def test_a_hanging_server_answers_when_it_wakes(
    server: Server, client: Elasticsearch, name: str
) -> None:
    server.pause()
    try:
        with pytest.raises(ConnectionTimeout):
            bulk(client.options(request_timeout=0.2), name, [("a", {})])
    finally:
        server.resume()

    assert bulk(client, name, [("b", {})])[0]["status"] == 201


def test_a_killed_server_comes_back_with_what_it_had_confirmed(
    server: Server, client: Elasticsearch, name: str
) -> None:
    client.create(index=name, id="1", document={"a": 1})
    before = server.pid

    server.kill()
    server.start()

    assert server.pid != before
    assert client.get(index=name, id="1")["_source"] == {"a": 1}


def test_a_key_does_what_its_rights_allow(secured_elasticsearch: Access) -> None:
    rights = {"names": ["own-*"], "privileges": ["create_doc", "auto_configure"]}
    with secured_elasticsearch.connect() as client:
        key = client.security.create_api_key(
            name="writer", role_descriptors={"writer": {"indices": [rights]}}
        )["encoded"]
        writer = client.options(api_key=key)

        (own,) = bulk(writer, "own-1", [("a", {})])
        (other,) = bulk(writer, "other-1", [("a", {})])

        assert gist(own) == CREATED
        assert gist(other) == (403, None, "security_exception")
        with pytest.raises(ApiError) as caught:
            writer.get(index="own-1", id="a")
        assert caught.value.status_code == 403


def test_a_wrong_password_is_answered_401(secured_elasticsearch: Access) -> None:
    with secured_elasticsearch.connect() as client:
        stranger = client.options(basic_auth=("elastic", "wrong"))
        with pytest.raises(AuthenticationException):
            bulk(stranger, "own-2", [("a", {})])


def test_rights_are_told_in_the_same_shape_by_the_fake_server(
    secured_elasticsearch: Access,
) -> None:
    asked = [{"names": ["logs-*"], "privileges": ["create_doc", "read"]}]
    answers = []
    with Fake() as fake:
        fake.administration.secured = True
        for access in (fake.access, secured_elasticsearch):
            with access.connect() as client:
                answer = client.security.has_privileges(
                    cluster=["monitor"], index=asked
                )
                answers.append({**answer, "username": "any"})

    assert answers[0] == answers[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_session_that_was_ended(
    run_elasticsearch: RunElasticsearch, how: signal.Signals
) -> None:
    """Two of them run at once, and the one that is left has lost nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", _SESSION], stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdout is not None
        told = json.loads(session.stdout.readline())
        with run_elasticsearch() as other, other.access.connect() as client:
            client.create(index="kept", id="1", document={"a": 1})
            session.send_signal(how)
            session.wait()
            _wait_until_gone(told["pid"], Path(told["folder"]))

            assert client.get(index="kept", id="1")["_source"] == {"a": 1}


_SESSION = """
import json, time
from tests.elasticsearch.server import running

with running() as server:
    print(json.dumps({"pid": server.pid, "folder": str(server.folder)}), flush=True)
    time.sleep(600)
"""


def _wait_until_gone(pid: int, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() or folder.exists():
        assert time.monotonic() < deadline, f"{pid} or {folder} is left"
        time.sleep(0.05)
