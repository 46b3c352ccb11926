"""Recorded byte streams of real clients, replayed over a socket."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumberjack import Batch, Connection
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import read_arrivals

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
CLIENTS = sorted(path.name.split(".")[0] for path in CAPTURES.glob("*.sent.bin"))
FOR_EVER = "npm-lumberjack-protocol"
"""Announces one window and sends for ever. The recorded receiver acknowledged that
window alone; ours acknowledges each that is full, and takes the rest unasked."""


@pytest.fixture(scope="module")
def recorded(
    founded: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSigner]:
    """Serve all recordings."""
    signer = RunningSigner(founded, tmp_path_factory.mktemp("recorded") / "signer")
    try:
        signer.start()
        yield signer
    finally:
        signer.close()


def _read(client: str, part: str) -> bytes:
    return (CAPTURES / f"{client}.{part}.bin").read_bytes()


def _replay(signer: RunningSigner, client: str) -> tuple[str, bytes]:
    """Send a recording in pieces; return our address and what was answered."""
    sent, cuts = _read(client, "sent"), random.Random(client)
    with socket.create_connection((HOST, signer.plain_port)) as connection:
        host, port = connection.getsockname()
        while sent:
            size = cuts.randrange(1, 2000)
            connection.sendall(sent[:size])
            sent = sent[size:]
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    return f"{host}:{port}", answer


def _windows(client: str) -> list[Batch]:
    """Return the windows of a recording, with what its end leaves unasked."""
    connection = Connection()
    connection.receive_data(_read(client, "sent"))
    connection.receive_eof()
    return list(iter(connection.next_batch, None))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_recorded_client_gets_its_acks_and_its_events_are_sealed(
    recorded: RunningSigner, client: str
) -> None:
    peer, answer = _replay(recorded, client)

    arrivals = [
        (one.window.version, one.forms.encode(), one.payloads)
        for one in read_arrivals(recorded.archive)
        if one.window.peer == peer
    ]
    recording = _read(client, "acks")
    assert answer == recording + (b"1A\0\0\0\x14" if client == FOR_EVER else b"")
    assert arrivals == [
        (batch.version, batch.forms, batch.payloads) for batch in _windows(client)
    ]
