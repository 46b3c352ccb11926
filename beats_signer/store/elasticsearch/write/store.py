"""Store chains in Elasticsearch: the ``Store`` of every real installation.

Entries go where routing says, seals to an index per month, the catalogue's
records to one of their own. Nothing here trusts a search before a refresh.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import ForkError, Problem
from beats_signer.store.contract import Appended, Entries, Sealed, Write
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.places import DEFAULT_TARGET, default_target
from beats_signer.store.elasticsearch.write.bareness import Bareness
from beats_signer.store.elasticsearch.write.body import build_body
from beats_signer.store.elasticsearch.write.bulk import Bulk
from beats_signer.store.elasticsearch.write.capacity import Capacity
from beats_signer.store.elasticsearch.write.delivery import Delivery
from beats_signer.store.elasticsearch.write.seals import StoredSeals
from beats_signer.store.tally import StoreTally

__all__ = ["ElasticsearchStore"]

_PART_BYTES = 8 << 20
_IN_FLIGHT = 4
_GRACE_SECONDS = 5.0
_BARE_SHARE = 0.05


class ElasticsearchStore:
    """A ``Store`` in one cluster."""

    def __init__(
        self,
        client: Client,
        log: FilteringBoundLogger,
        *,
        in_flight: int = _IN_FLIGHT,
        part_bytes: int = _PART_BYTES,
        target: str = DEFAULT_TARGET,
        grace_seconds: float = _GRACE_SECONDS,
        has_sender_fields: bool = False,
        bare_share: float = _BARE_SHARE,
        tally: StoreTally | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the client, which ``close`` closes, and the bounds of the settings.

        ``target`` names the default place of each chain, from {tenant} and {stream}.
        ``grace_seconds`` have to pass after an unanswered request before a
        conflict with our own bytes counts as stored. ``has_sender_fields`` shows
        the sender's name and address among an event's fields. From ``bare_share`` on
        of its newest entries, the bare documents of a chain are a problem.
        """
        self._client = client
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._target = target
        self._grace_seconds = grace_seconds
        self._has_sender_fields = has_sender_fields
        self._bare_share = bare_share
        self._tally = tally or StoreTally()
        self._tally.limit = in_flight
        self._bareness: dict[bytes, Bareness] = {}
        self.capacity = Capacity(in_flight, part_bytes)
        self._seals = StoredSeals(client)
        self._opened = clock()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        # Writes that are not stored in whole, with what is known of each.
        self._deliveries: dict[tuple[bytes, int], Delivery] = {}

    def encode(self, sealed: Sealed) -> bytes:
        """See ``Store.encode``: bulk requests, compressed."""
        return build_body(
            sealed,
            self.capacity.part_bytes,
            target=self._target,
            has_sender_fields=self._has_sender_fields,
        )

    async def open(self) -> None:
        """See ``Store.open``. What an earlier process sent may still be under way."""
        self._opened = self._clock()

    async def close(self) -> None:
        """See ``Store.close``. No request lasts longer than its timeout."""
        await self._idle.wait()
        await self._client.close()

    async def append(self, write: Write) -> Appended:
        """See ``Store.append``: bulk requests, each item of them confirmed."""
        self._under_way += 1
        self._idle.clear()
        try:
            return await self._append(self._own(write))
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    def problems(self) -> Sequence[Problem]:
        """See ``Store.problems``: what is too large, chains that are largely bare."""
        stuck = [one.problem for one in self._deliveries.values()]
        bare = [one.problem() for one in self._bareness.values() if one.is_problem]
        return [one for one in stuck if one is not None] + bare

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        """See ``Store.publish_checkpoint``."""
        await self._seals.publish_checkpoint(signer, note)

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        """See ``Store.seal``."""
        return await self._seals.seal(chain, number)

    async def highest(self, chain: bytes) -> int | None:
        """See ``Store.highest``."""
        return await self._seals.highest(chain)

    async def chains(self, signer: str) -> dict[str, bytes]:
        """See ``Store.chains``."""
        return await self._seals.chains(signer)

    async def _append(self, write: Write) -> Appended:
        place = write.chain, write.seal.number
        delivery = self._deliveries.pop(place, None)
        if delivery is None or delivery.write != write:
            delivery = self._delivery(write)
        self._deliveries[place] = delivery
        try:
            appended = await delivery.run()
        except ForkError:
            del self._deliveries[place]  # the chain stops: nobody asks again
            raise
        del self._deliveries[place]
        self._count(write, appended)
        return appended

    def _own(self, write: Write) -> Write:
        """Return a seal without entries as this store renders it.

        The catalogue's founding is journaled by ``init``, when the store may not
        be chosen yet. There are no entries that could come out differently.
        """
        if write.seal.count:
            return write
        sealed = Sealed(
            write.chain, write.seal, write.record, Entries(b"", (), None), ()
        )
        return replace(write, body=self.encode(sealed))

    def _count(self, write: Write, appended: Appended) -> None:
        seal = write.seal
        if not seal.count:
            return
        bareness = self._bareness.get(write.chain)
        if bareness is None:
            bareness = Bareness(seal.origin, self._bare_share)
            self._bareness[write.chain] = bareness
        if bareness.add(seal.count, len(appended.bare)):
            problem = bareness.problem()
            self._log.error(problem.symptom, chain=seal.origin, action=problem.action)

    def _delivery(self, write: Write) -> Delivery:
        bulk = Bulk(
            self._client,
            self.capacity,
            write.chain,
            self._opened,
            self._clock,
            tally=self._tally,
        )
        return Delivery(
            write,
            bulk,
            self.capacity,
            self._log,
            target=default_target(write.seal.origin, self._target),
            grace_seconds=self._grace_seconds,
            clock=self._clock,
            sleep=self._sleep,
        )
