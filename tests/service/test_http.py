"""The signer's own HTTP: what it answers, and an address that may be taken."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import Any

import pytest

from beats_signer.config import Address
from beats_signer.errors import ConfigError
from beats_signer.operate.history import History
from beats_signer.operate.http import Answers, HttpServer
from tests.operate.status import build_status

ADDRESS = Address("127.0.0.1:0")
PROBLEM = {"symptom": "it hurts", "impact": "badly", "action": "rest"}


def get(address: str, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def headers_of(address: str) -> Message:
    with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
        headers: Message = answer.headers
        return headers


def answers(status: Mapping[str, Any]) -> Answers:
    return Answers(lambda: status, lambda: b"beats_signer_ready 1\n", History())


async def ask(status: Mapping[str, Any], path: str) -> tuple[int, bytes]:
    server = await HttpServer.open(ADDRESS, answers(status))
    try:
        return await asyncio.to_thread(get, server.address, path)
    finally:
        await server.close()


async def test_status_is_what_is_true_at_that_moment() -> None:
    facts = build_status()
    server = await HttpServer.open(ADDRESS, answers(facts))
    facts["connections"] = 2

    code, body = await asyncio.to_thread(get, server.address, "/status")
    await server.close()
    assert (code, json.loads(body)) == (200, facts)


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/", b"<!DOCTYPE html>"),
        ("/metrics", b"beats_signer_ready 1"),
        ("/livez", b"ok"),
        ("/readyz", b"ok"),
        ("/healthz", b"ok"),
        ("/healthz?verbose", b'{"status": "green"'),
    ],
)
async def test_a_healthy_signer_answers_everywhere(path: str, start: bytes) -> None:
    code, body = await ask(build_status(), path)

    assert code == 200
    assert body.startswith(start)


@pytest.mark.parametrize(
    ("changes", "path", "code", "part"),
    [
        ({"state": "stopping"}, "/readyz", 503, b"the signer is stopping\n"),
        ({"state": "stopping"}, "/livez", 200, b"ok"),
        ({"state": "stopping"}, "/healthz?verbose", 503, b'"status": "red"'),
        ({"problems": [PROBLEM]}, "/readyz", 200, b"ok"),
        ({"problems": [PROBLEM]}, "/healthz", 503, b"it hurts\n"),
        ({"problems": [PROBLEM]}, "/healthz?verbose", 503, b'"action": "rest"'),
    ],
)
async def test_health_says_what_is_wrong(
    changes: dict[str, Any], path: str, code: int, part: bytes
) -> None:
    answered, body = await ask(build_status(**changes), path)

    assert answered == code
    assert part in body


async def test_it_knows_nothing_else() -> None:
    code, _ = await ask(build_status(), "/status/x")

    assert code == 404


async def test_the_page_comes_with_its_policy_and_is_not_kept() -> None:
    server = await HttpServer.open(ADDRESS, answers(build_status()))
    headers = await asyncio.to_thread(headers_of, server.address)
    await server.close()

    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


async def test_a_taken_port_is_an_error_of_the_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"HTTP on {address}: Address already"):
            await HttpServer.open(Address(address), answers({}))


async def test_nobody_answers_after_the_close() -> None:
    server = await HttpServer.open(ADDRESS, answers({}))
    host, _, port = server.address.rpartition(":")
    await server.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
