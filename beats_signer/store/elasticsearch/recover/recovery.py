"""Give bare documents their visible fields back, where a mapping was mended.

A run looks for places, page by page, and settles one page before it looks at the
next: what it holds in memory is one page. It may be ended at any time and run any
number of times; what is recovered is not found again.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from beats_signer.errors import SourceError, UsageError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.recover.document import Place
from beats_signer.store.elasticsearch.recover.page import RecoveryPage
from beats_signer.store.elasticsearch.recover.plan import PipelineOf, RecoveryPlan
from beats_signer.store.elasticsearch.recover.report import RecoveryReport
from beats_signer.store.elasticsearch.recover.requests import (
    RecoveryRequests,
    Sleep,
    insist,
)
from beats_signer.store.elasticsearch.recover.search import (
    RecoverySearch,
    Scope,
    join_patterns,
)
from beats_signer.store.elasticsearch.recover.senders import SenderFields
from beats_signer.store.elasticsearch.recover.trial import RecoveryTrial
from beats_signer.store.elasticsearch.recover.writing import Writing
from beats_signer.store.elasticsearch.write.bulk import Bulk
from beats_signer.store.elasticsearch.write.capacity import Capacity
from beats_signer.store.elasticsearch.write.outcomes import Action
from beats_signer.store.elasticsearch.write.seals import StoredSeals

__all__ = ["Recovery", "find_chains"]

_CHAIN_DIGITS = 32
_SLOT = b"recover"
_FIRST = 16
"""Documents that are read before anything is known of their size."""
_PAGE_BYTES = 8 << 20
"""About how much is read at once."""


async def find_chains(
    client: Client,
    signer: str,
    patterns: Sequence[str],
    only: Sequence[str] = (),
    sleep: Sleep = asyncio.sleep,
) -> dict[str, str]:
    """Return the first digits of the id of each chain, by origin.

    The catalogue is among them; of the others all, or ``only`` those that are named.

    Raises:
        RefusedError: Whoever asks may not write to ``patterns``. Then chains could
            not be seen either, and be taken for none.
        SourceError: The signer has no chain there.
        UsageError: A chain is named that it does not have.
    """
    await RecoveryRequests(client, sleep).check_rights(patterns)
    found = await insist(lambda: StoredSeals(client).chains(signer), sleep)
    chains = {origin: chain.hex()[:_CHAIN_DIGITS] for origin, chain in found.items()}
    if signer not in chains:
        raise SourceError(
            f"no chain of {signer} is in this Elasticsearch",
            hint="See that hosts and signer are those of the configuration that "
            "`beats-signer serve` uses.",
        )
    for origin in only:
        if origin not in chains or origin == signer:
            others = sorted(chains.keys() - {signer})
            raise UsageError(
                f"{signer} has no chain {origin} in this Elasticsearch",
                hint="\n".join(["It has these:", *others] if others else []),
            )
    wanted = {signer, *only} if only else chains.keys()
    return {origin: chain for origin, chain in chains.items() if origin in wanted}


class Recovery:
    """One run over a scope."""

    def __init__(
        self,
        client: Client,
        scope: Scope,
        report: RecoveryReport,
        *,
        pipeline_of: PipelineOf,
        part_bytes: int,
        has_sender_fields: bool = False,
        on_places: Callable[[int], None] = lambda count: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take the client, which the owner closes.

        ``pipeline_of`` says which ingest pipeline rules give a document;
        ``on_places`` hears of each page how many documents it had.
        """
        self._requests = RecoveryRequests(client, sleep)
        self._search = RecoverySearch(self._requests, scope)
        self._scope = scope
        self._report = report
        self._on_places = on_places
        self._sleep = sleep
        capacity = Capacity(1, part_bytes)
        bulk = Bulk(client, capacity, _SLOT, clock(), clock, Action.INDEX)
        self._writing = Writing(bulk)
        self._plan = RecoveryPlan(
            {chain: origin for origin, chain in scope.chains.items()},
            pipeline_of,
            SenderFields(StoredSeals(client) if has_sender_fields else None),
        )

    def done(self) -> float:
        """Return how much is looked at, from 0 to 1."""
        return self._search.done()

    async def run(self) -> None:
        """Look at the whole scope; the report grows meanwhile.

        When it is cancelled, it ends after the page that has begun.

        Raises:
            StoreError: The server does not answer, or not any more.
            RefusedError: Whoever asks may not.
        """
        for patterns in join_patterns(self._scope.patterns):
            for index in await self._requests.closed(patterns):
                self._report.leave_open(
                    f"{index} is closed, and what it holds was not looked at: open it, "
                    "and run this again"
                )
        async for places in self._search.pages():
            at = 0
            while at < len(places):
                part = places[at : at + self._fitting()]
                await _finish(self._run_page(part))
                self._on_places(len(part))
                at += len(part)

    def _fitting(self) -> int:
        """Return how many documents are likely to have the bytes of a page."""
        mean = self._requests.document_bytes
        return max(1, _PAGE_BYTES // mean) if mean else _FIRST

    async def _run_page(self, places: Sequence[Place]) -> None:
        requests, report, plan = self._requests, self._report, self._plan
        if report.is_dry_run:
            await RecoveryTrial(places, requests, report, plan).run()
            return
        writing, sleep = self._writing, self._sleep
        await RecoveryPage(places, requests, writing, report, plan, sleep).run()


async def _finish(page: Coroutine[Any, Any, None]) -> None:
    """Run a page; a cancellation waits until it is settled, and then holds."""
    task = asyncio.ensure_future(page)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.exception()  # whatever it is, the run has ended by another hand
        raise
