"""The log: ECS JSON for machines, lines for people, and never in the way."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from beats_signer.operate.logging import LEVELS, LogHandler, Threshold, build_logger


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_ecs() -> None:
    stream = io.StringIO()

    build_logger(stream).info("connection closed")

    (line,) = lines(stream)
    assert line["message"] == "connection closed"
    assert line["log.level"] == "info"
    assert line["service"]["name"] == "beats-signer"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["@timestamp"])


def test_facts_get_the_names_of_ecs() -> None:
    stream = io.StringIO()

    build_logger(stream).warning(
        "refused",
        peer="10.0.0.1:4000",
        sender="web-1",
        certificate="ab",
        action="handshake",
        outcome="failure",
        error="unknown authority",
    )

    (line,) = lines(stream)
    assert line["client"] == {"address": "10.0.0.1:4000"}
    assert line["tls"] == {"client": {"subject": "web-1", "hash": {"sha256": "ab"}}}
    assert line["event"] == {"action": "handshake", "outcome": "failure"}
    assert line["error"] == {"message": "unknown authority"}


def test_a_fact_without_an_ecs_field_stands_below_signer() -> None:
    stream = io.StringIO()

    build_logger(stream).bind(connection="c1").info("stored", seal=12)

    (line,) = lines(stream)
    assert line["signer"] == {"connection": "c1", "seal": 12}
    assert "beats_signer" not in line


def test_text_of_a_peer_cannot_begin_a_line() -> None:
    stream, terminal = io.StringIO(), Terminal()

    build_logger(stream).info("refused", sender='x\n{"message":"forged"}')
    build_logger(terminal).info("refused", sender="x\n12:00:00 [info] forged")

    assert len(stream.getvalue().splitlines()) == 1
    assert len(terminal.getvalue().splitlines()) == 1


def test_a_terminal_gets_text() -> None:
    stream = Terminal()

    build_logger(stream).info("connection closed", peer="10.0.0.1:4000")

    assert not stream.getvalue().startswith("{")
    assert "connection closed" in stream.getvalue()
    assert "10.0.0.1:4000" in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_traceback_shows_no_local_variable(stream: io.StringIO) -> None:
    logger = build_logger(stream)
    private_key = "do not " + "print"

    try:
        raise KeyError(len(private_key))
    except KeyError:
        logger.exception("failed")

    assert "KeyError" in stream.getvalue()
    assert "do not print" not in stream.getvalue()


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_less_than_the_level_is_not_written(level: str, written: list[str]) -> None:
    stream = io.StringIO()
    logger = build_logger(stream, level=level)

    for name in LEVELS:
        getattr(logger, name)("hello")

    assert [line["log.level"] for line in lines(stream)] == written


def test_a_broken_stream_does_not_reach_the_caller() -> None:
    build_logger(Broken()).info("hello")


def test_a_closed_stream_does_not_reach_the_caller() -> None:
    stream = io.StringIO()
    logger = build_logger(stream)
    stream.close()

    logger.info("hello")


class TestLibraries:
    @pytest.fixture
    def library(self) -> Iterator[tuple[logging.Logger, io.StringIO]]:
        """Return the logger of a library, and where its lines end up."""
        stream = io.StringIO()
        handler = LogHandler(build_logger(stream))
        logger = logging.getLogger("some.library")
        logger.addHandler(handler)
        yield logger, stream
        logger.removeHandler(handler)

    def test_what_libraries_log_is_ecs_too(
        self, library: tuple[logging.Logger, io.StringIO]
    ) -> None:
        logger, stream = library

        logger.warning("slow: %d ms", 12)

        (line,) = lines(stream)
        assert line["message"] == "slow: 12 ms"
        assert line["log.level"] == "warning"
        assert line["log"] == {"logger": "some.library"}

    def test_their_tracebacks_are_kept(
        self, library: tuple[logging.Logger, io.StringIO]
    ) -> None:
        logger, stream = library

        try:
            raise KeyError("x")
        except KeyError:
            logger.exception("failed")

        (line,) = lines(stream)
        assert "KeyError: 'x'" in line["error"]["stack_trace"]


def test_a_level_that_changes_counts_for_loggers_that_are_bound_already() -> None:
    stream = io.StringIO()
    threshold = Threshold("warning")
    logger = build_logger(stream, level=threshold).bind(connection="c1")

    logger.info("one")
    threshold.level = "info"
    logger.info("two")
    logger.critical("three")
    threshold.level = "error"
    logger.warning("four")
    logger.critical("five")

    assert [line["message"] for line in lines(stream)] == ["two", "three", "five"]
