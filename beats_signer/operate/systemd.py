"""Tell systemd how the service is: ready, stopping, alive.

The protocol is one datagram per message, to a socket that the environment names;
without that name nothing is sent. The watchdog is fed by who does the work: a
message goes out only after ``probe`` has been through the pipeline, so a process
whose loop turns while its threads hang is restarted.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

__all__ = ["Systemd"]


class Systemd:
    """The service manager that started this process, if there is one."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        # An address that begins with @ is an abstract one, without a file.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._watchdog_seconds = _interval(environment)

    def ready(self, status: str) -> None:
        """Say that the service serves."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Say that it drains."""
        self._send("STOPPING=1\nSTATUS=stopping: acknowledging what was taken")

    def say(self, status: str) -> None:
        """Show one line in ``systemctl status``."""
        self._send(f"STATUS={status}")

    async def feed(self, probe: Callable[[], Awaitable[object]]) -> None:
        """Feed the watchdog, for ever, each time when *probe* has returned."""
        if not self._address or self._watchdog_seconds is None:
            return
        while True:
            await probe()
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 3)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        with socket.socket(socket.AF_UNIX, kind) as one:
            one.setblocking(False)
            try:
                one.sendto(message.encode(), self._address)
            except OSError:
                return  # nobody listens there any more: that is not our problem


def _interval(environment: Mapping[str, str]) -> float | None:
    """Return the watchdog's interval; it may be meant for another process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environment.get("WATCHDOG_USEC", "")
    return int(microseconds) / 10**6 if microseconds.isdecimal() else None
