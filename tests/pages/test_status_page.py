"""The status page in a real browser: it shows what it should and runs nothing."""

import asyncio
import re
from html import unescape
from pathlib import Path

import pytest

from beats_signer.config import Address
from beats_signer.operate.history import History
from beats_signer.operate.http import Answers, HttpServer
from tests.operate.status import HOSTILE, build_status
from tests.pages.browser import open_page, save_screenshot

pytestmark = pytest.mark.pages

_PICTURES = Path(__file__).parents[2] / "build" / "pages"


def history() -> History:
    """Return an hour with a pause in it."""
    history, acked = History(), 0
    for interval in range(120):
        if not 60 <= interval < 70:
            acked += 600_000 + 1000 * (interval % 7)
            history.observe(0.1 + interval % 5 / 20)
        history.turn(acked)
    return history


async def show(**changes: object) -> str:
    answers = Answers(lambda: build_status(**changes), lambda: b"", history())
    server = await HttpServer.open(Address("127.0.0.1:0"), answers)
    try:
        url = f"http://{server.address}/"
        await asyncio.to_thread(save_screenshot, url, _PICTURES / "status.png")
        return await asyncio.to_thread(open_page, url)
    finally:
        await server.close()


async def test_the_page_is_read_by_a_browser_as_it_was_meant() -> None:
    document = await show()

    assert "<title>beats-signer: audit-1</title>" in document
    rows = re.findall(r"<tr>.*?</tr>", document, re.S)
    assert sum("audit-1/acme/nginx/20261123T090000Z" in row for row in rows) == 1
    assert document.count("<path d=") == 2
    assert len(re.findall(r"M[\d.]+ 120V", document)) == 230


async def test_nothing_that_a_sender_says_runs() -> None:
    senders = [build_status()["senders"][0] | {"sender": HOSTILE}]
    document = await show(signer=HOSTILE, senders=senders)

    (title,) = re.findall(r"<title>(.*?)</title>", document, re.S)
    assert unescape(title) == f"beats-signer: {HOSTILE}"
    assert "<script" not in document
    assert "<img" not in document
