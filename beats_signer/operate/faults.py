"""Say in the log that this program has made a mistake in a callback.

What the event loop calls for a connection closes that connection when it fails,
before it comes here; nothing else is touched, and the process goes on: no sender
may be able to end it. Tasks that must not fail belong to a task group, which
ends the process by itself.

An error's own text may hold what a sender sent, so only its type and the places
where it passed are logged.
"""

import asyncio
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from structlog.typing import FilteringBoundLogger

__all__ = ["build_fault_handler"]

FaultHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]


def build_fault_handler(log: FilteringBoundLogger) -> FaultHandler:
    """Return an exception handler for the event loop: one line for each fault."""

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:
            log.error("the event loop complains", error=context["message"])
        else:
            log.error(
                "an error in this program",
                error=type(error).__name__,
                places=_places(error),
            )

    return handle


def _places(error: BaseException) -> str:
    """Return where an error passed, the innermost place first."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )
