"""What systemd is told, and when the watchdog is fed."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from beats_signer.operate.systemd import Systemd


class Manager:
    """The end of the socket at which systemd listens."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(5)

    def hear(self) -> str:
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def manager(place: str) -> Iterator[Manager]:
    manager = Manager(place)
    yield manager
    manager.close()


def test_ready_and_stopping_come_with_a_line_for_people(
    manager: Manager, place: str
) -> None:
    systemd = Systemd({"NOTIFY_SOCKET": place})
    systemd.ready("3 chains")
    systemd.say("4 chains")
    systemd.stopping()

    assert manager.hear() == "READY=1\nSTATUS=3 chains"
    assert manager.hear() == "STATUS=4 chains"
    assert manager.hear().startswith("STOPPING=1\nSTATUS=")


def test_an_abstract_address_is_understood() -> None:
    manager = Manager(f"\0beats-signer-test-{os.getpid()}")
    Systemd({"NOTIFY_SOCKET": f"@beats-signer-test-{os.getpid()}"}).ready("")

    assert manager.hear() == "READY=1\nSTATUS="
    manager.close()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_systemd_nothing_happens(environment: dict[str, str]) -> None:
    Systemd(environment).ready("")


async def test_the_watchdog_is_fed_by_who_does_the_work(
    manager: Manager, place: str
) -> None:
    passed = asyncio.Event()
    systemd = Systemd({"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "30000"})
    feeding = asyncio.create_task(systemd.feed(passed.wait))
    await asyncio.sleep(0)
    systemd.say("the pipeline hangs")
    assert await asyncio.to_thread(manager.hear) == "STATUS=the pipeline hangs"
    passed.set()

    assert await asyncio.to_thread(manager.hear) == "WATCHDOG=1"
    assert await asyncio.to_thread(manager.hear) == "WATCHDOG=1"
    feeding.cancel()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0x10"},
        {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
    ],
)
async def test_a_watchdog_that_is_not_ours_is_not_fed(
    place: str, environment: dict[str, str]
) -> None:
    async def probe() -> None:
        raise AssertionError("nobody asked")

    await Systemd({"NOTIFY_SOCKET": place, **environment}).feed(probe)
