"""Who sends requests from another thread leaves nothing behind."""

import gc
import logging
import socket
from concurrent.futures import CancelledError

import pytest

from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Client


def test_a_request_without_an_answer_ends_with_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        client = BlockingClient(Client(url, timeout_seconds=90))
        request = client.start("GET", "/")
        with mute.accept()[0]:
            client.close()

    with pytest.raises(CancelledError):
        request.result(timeout=0)
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        del client, request
        gc.collect()
    assert caplog.text == ""


def test_a_client_can_be_closed_twice() -> None:
    client = BlockingClient(Client("http://127.0.0.1:1", timeout_seconds=90))

    client.close()
    client.close()
