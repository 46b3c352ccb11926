"""A signer that is at work while its chains are verified raises no alarm."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from time import time_ns

import pytest

from beats_signer.chain.trust import TrustLine
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.showing import Showing
from beats_signer.store.elasticsearch.read.source import ElasticsearchSource
from beats_signer.verify.report import Report, Verdict
from beats_signer.verify.run import Verification
from beats_signer.verify.trusting import claimed_trust
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.test_signing import POISON, name, signing, window

__all__ = ["name"]

_DELAY = 300 * 10**9


def opened(place: Place, signer: str, delay: int = _DELAY) -> ElasticsearchSource:
    """Open what a signer has stored by now, and shows."""
    url, now = place.access.url, time_ns()
    asking = Asking(BlockingClient(Client(url, timeout_seconds=20)), url)
    return ElasticsearchSource(
        asking,
        signer,
        indices=f"{place.target}*",
        now=now,
        settled=now - delay,
        compare=Showing().compare,
    )


def trust_of(place: Place, signer: str) -> TrustLine:
    """Return the trust line of a signer, once searches show its founding."""
    refresh(place)
    with closing(opened(place, signer)) as source:
        return claimed_trust(source)


def verify(place: Place, trust: TrustLine, delay: int = _DELAY) -> Report:
    """Verify what is there by now."""
    now = time_ns()
    report = Report("", now)
    with closing(opened(place, trust.identity.name, delay)) as source:
        Verification(source, trust, report, now=now, is_live=True).run()
    return report


def wrong(report: Report) -> list[str]:
    """Return what is wrong, in words."""
    return [found.message for found in report.open_findings] + report.undecided


@pytest.mark.parametrize("refreshed", [1, 3, 1000])
async def test_a_growing_signer_is_verified_at_any_moment(
    place: Place, tmp_path: Path, name: str, refreshed: int
) -> None:
    reports = []
    async with signing(tmp_path / "state", place, name) as signer:
        trust = await asyncio.to_thread(trust_of, place, name)
        for number in range(1, 13):
            events = [json.dumps({"n": number, "m": m}).encode() for m in range(number)]
            receipt = signer.append(window(number, *events))
            if number % 2:
                await receipt
            if number % refreshed == 0:
                await asyncio.to_thread(refresh, place)
            reports.append(await asyncio.to_thread(verify, place, trust))
            await receipt
        await signer.stop()
    await asyncio.to_thread(refresh, place)
    last = await asyncio.to_thread(verify, place, trust, 0)

    assert [wrong(report) for report in reports] == [[]] * len(reports)
    assert wrong(last) == []
    assert (last.verdict, last.entries) == (Verdict.VERIFIED, sum(range(1, 13)))


async def test_what_a_signer_stores_bare_is_listed_and_verified(
    place: Place, tmp_path: Path, name: str
) -> None:
    async with signing(tmp_path / "state", place, name) as signer:
        await signer.append(window(1, b'{"n":1}', POISON, b"no json", b'{"n":"?"}'))
        await signer.stop()
    trust = await asyncio.to_thread(trust_of, place, name)

    report = await asyncio.to_thread(verify, place, trust, 0)

    assert wrong(report) == []
    assert (report.entries, report.bare) == (4, 2)


def refresh(place: Place) -> None:
    """Let searches see everything."""
    place.client.indices.refresh(index=f"{place.target}*,beats-signer-*")
