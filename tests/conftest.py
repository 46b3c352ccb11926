"""What every test may use: coroutine tests, and a loop of the kind that serves."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop

from tests.elasticsearch.distribution import MissingProgramError
from tests.elasticsearch.server import Access, RunElasticsearch, Server, given, running


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in a fresh uvloop, as the program itself runs."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {
        name: pyfuncitem.funcargs[name]
        for name in inspect.signature(pyfuncitem.obj).parameters
    }
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture(scope="session")
def run_elasticsearch() -> RunElasticsearch:
    """Run real servers of our own, to limit, kill and start again.

    Who asks for one carries the mark ``elasticsearch``, as with all that follow.
    """
    if given() is not None:
        pytest.skip("ELASTICSEARCH_URL names a server that is not ours to kill")
    return _running


@pytest.fixture(scope="session")
def real_elasticsearch() -> Iterator[Access]:
    """Reach the real server that ELASTICSEARCH_URL names, else one of our own.

    One server for all tests: each takes names of its own.
    """
    if (access := given()) is not None:
        yield access
        return
    with _running() as server:
        yield server.access


@pytest.fixture(scope="session")
def secured_elasticsearch(run_elasticsearch: RunElasticsearch) -> Iterator[Access]:
    """Reach a real server of our own with TLS, users and API keys."""
    with run_elasticsearch(security=True) as server:
        yield server.access


@contextmanager
def _running(**options: Any) -> Iterator[Server]:
    """Run a server; without a program that it needs, end the run and say so."""
    try:
        with running(**options) as server:
            yield server
    except MissingProgramError as error:
        pytest.exit(
            f"No real Elasticsearch: {error}. Install it, or set ELASTICSEARCH_URL"
            " to a server that may be written to.",
            returncode=1,
        )
