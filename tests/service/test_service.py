"""The process: how it serves, drains and ends."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from typing import Any

import pytest

from beats_signer.chain.records import StartRecord, StopRecord, parse_record
from beats_signer.chain.seal import SealRecord
from beats_signer.sign.lock import StateLock
from beats_signer.store.archive_source import ArchiveSource
from lumberjack import KEEPALIVE_V2, Sender
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.senders.output import Output
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import check_all, payloads_of, read_windows

SOON_SECONDS = 5.0
"""Far above what is needed on an idle machine, far below what senders bear."""

PAYLOADS = [b'{"message":"one"}', b'{"message":"two"}']
ACK = b"2A\0\0\0\2"


@contextmanager
def connected(signer: RunningSigner) -> Iterator[socket.socket]:
    """Connect to the plain listener."""
    with socket.create_connection((HOST, signer.plain_port), 20) as connection:
        yield connection


def send(connection: socket.socket) -> None:
    connection.sendall(Sender().send(PAYLOADS))


def wait_until_taken(connection: socket.socket) -> None:
    """Wait for the keep-alive that only a window gets which waits for the store."""
    assert connection.recv(6, socket.MSG_WAITALL) == KEEPALIVE_V2


def read_to_the_end(connection: socket.socket) -> bytes:
    """Return what still comes, without keep-alives."""
    answer = b"".join(iter(lambda: connection.recv(4096), b""))
    return answer.replace(KEEPALIVE_V2, b"")


def records_of(archive: Path) -> list[type]:
    """Return the kinds of all records in the catalogue, in order."""
    with ArchiveSource(archive) as source:
        return [
            type(parse_record(payload))
            for part in source.read(source.catalogue())
            if not isinstance(part, SealRecord)
            for payload in part.entries.payloads
        ]


def status_of(signer: RunningSigner) -> dict[str, Any]:
    address = StateLock.read(signer.folder / "state")["http"]
    with urllib.request.urlopen(f"http://{address}/status", timeout=10) as answer:
        status: dict[str, Any] = json.load(answer)
    return status


# The drain.


@pytest.mark.parametrize("number", [Signals.SIGTERM, Signals.SIGINT])
def test_a_drain_acknowledges_what_is_complete_and_records_its_stop(
    signer: RunningSigner, number: Signals
) -> None:
    signer.start()
    with connected(signer) as connection:
        with signer.store_waiting():
            send(connection)
            wait_until_taken(connection)
            signer.tell(number)
            signer.wait_for("stopping")
        assert read_to_the_end(connection) == ACK
    assert signer.wait() == 0

    assert payloads_of(signer.archive) == PAYLOADS
    kinds = records_of(signer.archive)
    assert (kinds[0], kinds[-1]) == (StartRecord, StopRecord)
    check_all(signer.archive, signer.trust)


def test_nobody_can_connect_while_it_drains(signer: RunningSigner) -> None:
    signer.start()
    with connected(signer) as connection, signer.store_waiting():
        send(connection)
        wait_until_taken(connection)
        signer.tell(Signals.SIGTERM)
        signer.wait_for("stopping")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, signer.plain_port))
        assert status_of(signer)["draining"]
    assert signer.wait() == 0


def test_idle_connections_do_not_delay_the_end(signer: RunningSigner) -> None:
    signer.start()
    with connected(signer) as silent, connected(signer) as idle:
        send(idle)
        assert idle.recv(6, socket.MSG_WAITALL) == ACK
        before = time.monotonic()
        assert signer.end() == 0
        assert time.monotonic() - before < SOON_SECONDS
        assert (read_to_the_end(silent), read_to_the_end(idle)) == (b"", b"")


def test_what_a_drain_does_not_reach_comes_again_and_is_sealed_once(
    signer: RunningSigner,
) -> None:
    signer.start()
    with connected(signer) as connection, signer.store_waiting():
        send(connection)
        wait_until_taken(connection)
        assert signer.end() == 0
        assert read_to_the_end(connection) == b""
    signer.wait_for("stopped before everything was stored; senders send the rest again")
    signer.start()
    with connected(signer) as connection:
        send(connection)
        assert connection.recv(6, socket.MSG_WAITALL) == ACK
    assert signer.end() == 0

    assert payloads_of(signer.archive) == PAYLOADS
    check_all(signer.archive, signer.trust)


def test_a_second_signal_ends_it_at_once(signer: RunningSigner) -> None:
    signer.start()
    with connected(signer) as connection, signer.store_waiting():
        send(connection)
        wait_until_taken(connection)
        signer.tell(Signals.SIGTERM)
        signer.wait_for("stopping")
        before = time.monotonic()
        assert signer.end() == 128 + Signals.SIGTERM
        assert time.monotonic() - before < 1
    signer.start()
    assert signer.end() == 0


# Starts.


def test_it_is_ready_again_soon_after_it_was_killed(signer: RunningSigner) -> None:
    signer.start()
    with connected(signer) as connection:
        send(connection)
        assert connection.recv(6, socket.MSG_WAITALL) == ACK
        signer.end(Signals.SIGKILL)
    before = time.monotonic()
    signer.start()
    assert time.monotonic() - before < SOON_SECONDS

    assert signer.end() == 0
    assert [window.events for window in read_windows(signer.archive)] == [2]


def test_a_start_that_waits_for_its_store_says_so_and_can_be_stopped(
    signer: RunningSigner,
) -> None:
    signer.start()
    assert signer.end() == 0
    settings = json.loads((signer.folder / "test.yml").read_text())
    with socket.create_server((HOST, 0)) as free:
        settings["http"] = {"address": f"{HOST}:{free.getsockname()[1]}"}
    path = signer.folder / "other.yml"
    path.write_text(json.dumps(settings))
    with signer.store_waiting():
        process = subprocess.Popen(
            [*COMMAND, "serve", "--config", str(path)],
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
        )
        assert process.stderr is not None
        log = Output(process.stderr)
        log.wait_for(lambda lines: lines or None, "a complaint about the store")
        url = f"http://{settings['http']['address']}/status"
        with urllib.request.urlopen(url, timeout=10) as answer:
            status = json.load(answer)
        process.send_signal(Signals.SIGTERM)
        assert process.wait(20) == 0
        log.join()

    assert (status["signer"], status["state"]) == (settings["signer"], "starting")
    assert "stopped before it was ready" in log.lines[-1]
    signer.start()
    assert signer.end() == 0
    check_all(signer.archive, signer.trust)


def test_a_core_dump_cannot_show_its_keys(signer: RunningSigner) -> None:
    signer.start()
    holder = StateLock.read(signer.folder / "state")["pid"]
    limits = Path(f"/proc/{holder}/limits").read_text().splitlines()

    (core,) = [line.split() for line in limits if line.startswith("Max core file")]
    assert core[4:6] == ["0", "0"]
