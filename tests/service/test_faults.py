"""Mistakes of this program: one line each, and nothing of what a sender sent."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import structlog
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger

from beats_signer.operate.faults import build_fault_handler

SECRET = "payload-of-a-sender"


class Logged:
    """A loop whose faults are written down."""

    def __init__(self) -> None:
        self._log = LogCapture()
        logger = structlog.wrap_logger(
            None,
            processors=[self._log],
            wrapper_class=structlog.make_filtering_bound_logger("debug"),
        )
        handler = build_fault_handler(cast(FilteringBoundLogger, logger))
        asyncio.get_running_loop().set_exception_handler(handler)

    @property
    def lines(self) -> list[Mapping[str, Any]]:
        return list(self._log.entries)


async def test_an_error_in_a_callback_is_one_line_without_its_text() -> None:
    logged = Logged()

    def fail() -> None:
        raise KeyError(SECRET)

    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    (line,) = logged.lines
    assert (line["log_level"], line["error"]) == ("error", "KeyError")
    assert line["places"].startswith("test_faults.py:")
    assert line["places"].split(" < ")[0].endswith(" fail")
    assert SECRET not in repr(line)


async def test_the_innermost_place_comes_first() -> None:
    logged = Logged()

    def inner() -> None:
        raise ValueError(SECRET)

    def outer() -> None:
        inner()

    asyncio.get_running_loop().call_soon(outer)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    (line,) = logged.lines
    first, second, *_ = line["places"].split(" < ")
    assert first.endswith(" inner") and second.endswith(" outer")


async def test_a_complaint_without_an_error_is_logged_as_it_is() -> None:
    logged = Logged()
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "something was never awaited"})

    (line,) = logged.lines
    assert line["error"] == "something was never awaited"
