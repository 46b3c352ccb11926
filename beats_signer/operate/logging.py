"""Write what happens: ECS JSON for machines, one readable line on a terminal.

A log line names its facts in the words of this project; here they become the
fields of the Elastic Common Schema. What has no field there goes below
``signer``, never below ``beats_signer``: that object belongs to sealed events.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from typing import TextIO, cast

import structlog
from ecs_logging import StructlogFormatter
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from beats_signer import __version__
from beats_signer.operate.repeats import Repeats

__all__ = ["LEVELS", "LogHandler", "Threshold", "build_logger"]

LEVELS = ("debug", "info", "warning", "error")
"""The levels that can be asked for, the most talkative first."""

_FIELDS = {
    "action": "event.action",
    "outcome": "event.outcome",
    "peer": "client.address",
    "sender": "tls.client.subject",
    "certificate": "tls.client.hash.sha256",
    "error": "error.message",
    "logger": "log.logger",
    "exception": "error.stack_trace",
}
"""Words of this project that ECS has a field for."""

_SERVICE = {"service.name": "beats-signer", "service.version": __version__}


class Threshold:
    """The least level that is written. It may change at any time."""

    def __init__(self, level: str) -> None:
        self.level = level

    def __call__(
        self, _logger: WrappedLogger, method: str, facts: EventDict
    ) -> EventDict:
        """Drop what is below the level; what has another name is never below."""
        if method in LEVELS[: LEVELS.index(self.level)]:
            raise structlog.DropEvent
        return facts


def build_logger(
    stream: TextIO, *, level: str | Threshold = "info"
) -> FilteringBoundLogger:
    """Return a logger that writes to a stream, in the form that suits it.

    Nothing that goes wrong with the stream reaches the caller: a signer whose
    log reader went away goes on signing.

    Args:
        stream: Where to write; a terminal gets text, anything else ECS JSON.
        level: The least of ``LEVELS`` that is written; or that and its changes.
    """
    threshold = level if isinstance(level, Threshold) else Threshold(level)
    render = _human() if stream.isatty() else _ecs()
    logger = structlog.wrap_logger(
        _Lines(stream),
        processors=[threshold, Repeats(time.monotonic), *render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[0]),
        context_class=dict,
    )
    return cast(FilteringBoundLogger, logger)  # wrap_logger is typed as Any


class LogHandler(logging.Handler):
    """Hand what libraries log with the standard library to our logger."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record of a library."""
        facts = {"logger": record.name, "exc_info": record.exc_info}
        self._logger.log(record.levelno, record.getMessage(), **facts)


class _Lines:
    """Write one line per call and ignore that nobody can read it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        # A closed stream raises ValueError, a broken one OSError.
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = write


def _human() -> list[Processor]:
    # A plain traceback on purpose: the default one shows local variables, and
    # a local variable may be a private key.
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(
            repr_native_str=True,
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _ecs() -> list[Processor]:
    # Its annotation says dict where every processor gets a mutable mapping.
    format_line = cast(Processor, StructlogFormatter(ensure_ascii=False))
    return [structlog.processors.format_exc_info, _name_fields, format_line]


def _name_fields(_logger: WrappedLogger, _method: str, facts: EventDict) -> EventDict:
    """Give every fact the name of its ECS field; a dotted name is one already."""
    named: EventDict = {"event": facts.pop("event"), **_SERVICE}
    named["process.pid"] = os.getpid()
    for word, value in facts.items():
        field = word if "." in word else _FIELDS.get(word, f"signer.{word}")
        named[field] = value
    return named
