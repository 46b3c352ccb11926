"""What every test may use: coroutine tests, and a loop of the kind that serves."""

import asyncio
import inspect
from collections.abc import Iterator

import pytest
import uvloop

from tests.elasticsearch.server import Access, given, running


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
def real_elasticsearch() -> Iterator[Access]:
    """Reach the real server that ELASTICSEARCH_URL names, else one of our own.

    One server for all tests: each takes names of its own. Who asks for it carries
    the mark ``elasticsearch``; without the programs that it needs, it fails.
    """
    if (access := given()) is not None:
        yield access
        return
    with running() as server:
        yield server.access
