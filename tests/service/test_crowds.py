"""Crowds of bad or waiting senders around a real process: nobody else suffers.

The table of faults in the design's reference has a figure for each of these. The
short ones run always; those of full size are slow.
"""

import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lumberjack import build_window
from tests.receive.issuing import Authority
from tests.senders.running import HOST, RunningSigner
from tests.service.crowd import (
    EVENT,
    WINDOW,
    Honest,
    Usage,
    connect_many,
    listen_to_all,
    record,
)

MIB = 1 << 20
KEEPALIVE = b"2A\0\0\0\0"
HANDSHAKE_FAILED = "the TLS handshake failed"


@pytest.fixture
def honest(serving: RunningSigner) -> Iterator[Honest]:
    """Return a sender that was there before all others."""
    with socket.create_connection((HOST, serving.plain_port), 60) as connection:
        one = Honest(connection, WINDOW)
        one.publish()
        yield one


def give_few(signer: RunningSigner, descriptors: int) -> None:
    """Let the process have so few descriptors from now on."""
    limit = (descriptors, descriptors)
    resource.prlimit(signer.pid, resource.RLIMIT_NOFILE, limit)


# Descriptors.


def test_when_descriptors_run_out_the_old_are_served_and_the_new_wait(
    serving: RunningSigner, honest: Honest
) -> None:
    soft, hard = resource.prlimit(serving.pid, resource.RLIMIT_NOFILE)
    assert soft == hard
    give_few(serving, 256)
    with connect_many(serving.plain_port, 400):
        serving.wait_for("few file descriptors are left, who connects has to wait")
        # It says so itself: status, journal and store have descriptors left.
        problems = [one["symptom"] for one in serving.status()["problems"]]
        honest.publish()
        assert "few file descriptors are left" in problems
    with socket.create_connection((HOST, serving.plain_port), 60) as late:
        Honest(late, [b"{}"]).publish()
    assert serving.end() == 0


@pytest.mark.slow
def test_waiting_for_descriptors_costs_less_than_a_fifth_of_a_core(
    serving: RunningSigner, honest: Honest
) -> None:
    give_few(serving, 256)
    usage = Usage(serving)
    with connect_many(serving.plain_port, 400):
        serving.wait_for("few file descriptors are left, who connects has to wait")
        cpu = usage.cpu_seconds
        time.sleep(10)
        load = (usage.cpu_seconds - cpu) / 10
    began = time.monotonic()
    with socket.create_connection((HOST, serving.plain_port), 60) as late:
        Honest(late, [b"{}"]).publish()
    recovery = time.monotonic() - began

    record("descriptors", cores=f"{load:.3f}", recovery_seconds=f"{recovery:.2f}")
    assert load < 0.2
    assert recovery < 2


# Keep-alives.


def waiting_gaps(signer: RunningSigner, count: int, seconds: float) -> list[float]:
    """Let so many wait for the store; return the pauses between signs of life."""
    window = build_window([b"{}"] * 2)
    with connect_many(signer.plain_port, count) as senders, signer.store_waiting():
        for sender in senders:
            sender.sendall(window)
        heard = listen_to_all(senders, seconds)
        for answers in heard:
            assert {data for _, data in answers} == {KEEPALIVE}
        return [
            later - earlier
            for answers in heard
            for (earlier, _), (later, _) in pairwise(answers)
        ]


@pytest.mark.slow
def test_five_hundred_that_wait_get_a_sign_of_life_every_five_seconds(
    serving: RunningSigner,
) -> None:
    gaps = waiting_gaps(serving, 500, 32)

    assert len(gaps) >= 500 * 5
    record("keep-alives", least=f"{min(gaps):.3f}", most=f"{max(gaps):.3f}")
    assert min(gaps) > 4
    assert max(gaps) < 6


# Slow and silent senders.


@pytest.mark.slow
def test_a_thousand_silent_connections_cost_the_others_little(
    serving: RunningSigner, honest: Honest
) -> None:
    honest.publish_for(3)
    honest.seconds.clear()
    alone = honest.publish_for(15)
    p99_alone = p99(honest.seconds)
    honest.seconds.clear()
    usage = Usage(serving)
    resident = usage.resident_bytes
    signer_limits = serving.status()["connections"]
    assert signer_limits == 1
    with connect_many(serving.tls_port, 500), connect_many(serving.plain_port, 500):
        beside = honest.publish_for(15)
        p99_beside = p99(honest.seconds)
        grown = usage.resident_bytes - resident
        # Those without a handshake are gone after 10 seconds.
        (line, *_) = serving.wait_for(HANDSHAKE_FAILED)
        assert line["error"]["message"] == "the sender did not finish in time"

    record(
        "1,000 silent",
        alone=alone,
        beside=beside,
        p99_alone=f"{p99_alone:.4f}",
        p99_beside=f"{p99_beside:.4f}",
        kib_each=grown // 1000 >> 10,
    )
    assert grown < 1000 * MIB // 2


@pytest.mark.slow
def test_a_byte_per_second_costs_less_than_half_a_mebibyte_and_ends_after_a_minute(
    serving: RunningSigner, honest: Honest
) -> None:
    usage = Usage(serving)
    resident = usage.resident_bytes
    window = build_window([EVENT] * 4)
    with connect_many(serving.plain_port, 200) as slow:
        for second in range(55):
            for connection in slow:
                connection.sendall(window[second : second + 1])
            honest.publish_for(0.5)
        assert serving.status()["connections"] == 201
        grown = usage.resident_bytes - resident
        lines = serving.wait_for(
            "the sender did not complete its window, its connection is closed", times=90
        )

    record("200 of a byte a second", kib_each=grown // 200 >> 10, told=len(lines))
    assert grown < 200 * MIB // 2


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]


# Floods.


@pytest.mark.slow
@pytest.mark.parametrize("is_spread", [False, True], ids=["one-address", "many"])
def test_a_flood_of_handshakes_leaves_the_others_most_of_the_machine(
    serving: RunningSigner, honest: Honest, tmp_path: Path, is_spread: bool
) -> None:
    Authority(tmp_path / "other").issue("stranger")
    usage = Usage(serving)
    honest.publish_for(3)
    cpu = usage.cpu_seconds
    alone = honest.publish_for(15)
    cpu_alone = (usage.cpu_seconds - cpu) / alone
    resident = usage.resident_bytes
    arguments = [serving.mutual_port, tmp_path / "other", 300, 60, int(is_spread)]
    flood = subprocess.Popen(
        [sys.executable, "-m", "tests.service.flood", *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    cpu = usage.cpu_seconds
    beside = honest.publish_for(60)
    cpu_flood = (usage.cpu_seconds - cpu) - cpu_alone * beside
    tried = int(flood.communicate()[0])
    grown = usage.resident_bytes - resident
    refused: dict[str, Any] = serving.status()["refused_senders"]

    record(
        "flood",
        spread=is_spread,
        tried=tried,
        alone_per_second=f"{alone / 15:.1f}",
        beside_per_second=f"{beside / 60:.1f}",
        flood_cores=f"{cpu_flood / 60:.3f}",
        grown_mib=grown // MIB,
        refused={why: count for why, count in refused.items() if count},
        log_lines=len(serving.log.lines),
    )
    assert sum(refused.values()) >= tried * 0.95
    assert cpu_flood / 60 < 0.3
    assert grown < 64 * MIB
    assert len(serving.log.lines) < 500


def test_a_flood_of_bad_senders_is_counted_in_full_and_told_in_part(
    founded: Path, tmp_path: Path
) -> None:
    settings = {"limits": {"handshakes_per_second": 1}}
    signer = RunningSigner(founded, tmp_path / "signer", settings)
    try:
        signer.start()
        for _ in range(300):
            with (
                socket.create_connection((HOST, signer.tls_port), 60) as bad,
                suppress(ConnectionError),
            ):
                bad.sendall(b"GET / HTTP/1.1\r\n\r\n")
                while bad.recv(4096):
                    pass
        context = signer.client_context()
        refused = signer.status()["refused_senders"]
        assert refused["other"] + refused["handshakes"] == 300
        assert refused["handshakes"] > 200
        told = [line for line in signer.facts if "turned away" in line["message"]]
        assert len(told) < 150
        with (
            pytest.raises((ssl.SSLError, OSError)),
            socket.create_connection((HOST, signer.tls_port), 60) as plain,
        ):
            context.wrap_socket(plain, server_hostname="localhost")
        with socket.create_connection((HOST, signer.plain_port), 60) as plain:
            Honest(plain, [b"{}"]).publish()
        assert signer.end() == 0
    finally:
        signer.close()
