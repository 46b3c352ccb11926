"""One sender of fifty connections that never pause, and one that is as Beats are."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.senders.running import HOST, RunningSigner
from tests.service.crowd import WINDOW, Honest, record

SECONDS = 20


@contextmanager
def noise(signer: RunningSigner) -> Iterator[None]:
    """Let another process send all it can."""
    command = [sys.executable, "-m", "tests.service.noise", str(signer.plain_port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


def paced(honest: Honest, seconds: int) -> int:
    """Send a window twice a second; return how many were acknowledged in time."""
    began, stored = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        honest.publish()
        stored += 1
        time.sleep(max(0.0, stored / 2 - (time.monotonic() - began)))
    return stored


def median(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


@pytest.mark.slow
def test_a_sender_of_fifty_connections_costs_another_less_than_a_tenth(
    serving: RunningSigner,
) -> None:
    with socket.create_connection((HOST, serving.plain_port), 60) as connection:
        honest = Honest(connection, WINDOW[:200])
        alone, waited_alone = paced(honest, SECONDS), median(honest.seconds)
        with noise(serving):
            paced(honest, 5)
            honest.seconds.clear()
            beside, waited_beside = paced(honest, SECONDS), median(honest.seconds)
            senders = serving.status()["senders"]
    noisy = sum(one["acked"] for one in senders if "127.0.0.2" in one["peer"])

    record(
        "noisy",
        alone=alone,
        beside=beside,
        waited_alone=f"{waited_alone:.3f}",
        waited_beside=f"{waited_beside:.3f}",
        noisy_events=noisy,
    )
    assert noisy > 50 * 200 * beside
    assert beside >= 0.9 * alone
