"""The signer's own HTTP: one answer, and an address that may be taken."""

import asyncio
import json
import socket
import urllib.error
import urllib.request

import pytest

from beats_signer.config import Address, HttpConfig
from beats_signer.errors import ConfigError
from beats_signer.operate.http import StatusServer


def get(address: str, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def config(address: str) -> HttpConfig:
    return HttpConfig(address=Address(address))


async def test_it_answers_with_what_is_true_at_that_moment() -> None:
    facts = {"connections": 1}
    server = await StatusServer.open(config("127.0.0.1:0"), lambda: facts)
    facts["connections"] = 2

    code, body = await asyncio.to_thread(get, server.address, "/status")
    await server.close()
    assert (code, json.loads(body)) == (200, {"connections": 2})


@pytest.mark.parametrize("path", ["/", "/status/x", "/metrics"])
async def test_it_knows_nothing_else(path: str) -> None:
    server = await StatusServer.open(config("127.0.0.1:0"), dict)

    code, _ = await asyncio.to_thread(get, server.address, path)
    await server.close()
    assert code == 404


async def test_a_taken_port_is_an_error_of_the_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"cannot answer HTTP on {address}: "):
            await StatusServer.open(config(address), dict)


async def test_nobody_answers_after_the_close() -> None:
    server = await StatusServer.open(config("127.0.0.1:0"), dict)
    host, _, port = server.address.rpartition(":")
    await server.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
