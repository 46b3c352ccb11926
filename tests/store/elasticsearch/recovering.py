"""Signers whose events went bare, and runs that bring them back."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beats_signer.chain.merkle import leaf_hash
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.recover.document import Bare
from beats_signer.store.elasticsearch.recover.recovery import Recovery, find_chains
from beats_signer.store.elasticsearch.recover.report import RecoveryReport
from beats_signer.store.elasticsearch.recover.search import Scope
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.test_signing import signing, window

__all__ = ["FITTING", "HOSTILE", "POISON", "Bared", "leaf_of", "members", "no_pause"]

FITTING = b'{"@timestamp":"2026-11-23T09:00:00Z","n":1}'
POISON = b'{"@timestamp":"2026-11-23T09:00:01Z","n":"x"}'
"""It does not fit once ``FITTING`` was there."""
HOSTILE = b'{"error":"text","tags":{"a":1},"n":1}'
"""After it, no document of the index can have an error or a tag."""


async def no_pause(seconds: float) -> None:
    """Try again at once."""


@dataclass
class Bared:
    """A signer that has stored in a place, and what stands there."""

    place: Place
    path: Path
    name: str

    async def store(
        self, *windows: bytes | tuple[bytes, ...], is_listed: bool = True
    ) -> None:
        """Store events, each in a window of its own unless they come together."""
        async with signing(self.path, self.place, self.name) as signer:
            run = f"c-{time.monotonic_ns()}"
            for number, one in enumerate(windows, 1):
                payloads = one if isinstance(one, tuple) else (one,)
                await signer.append(window(number, *payloads, connection=run))
            if is_listed:
                await signer.stop()

    async def recover(
        self,
        *,
        patterns: Sequence[str] = (),
        only: Sequence[str] = (),
        since: str | None = None,
        until: str | None = None,
        is_dry_run: bool = False,
        pipeline_of: Callable[[Bare], str | None] = lambda bare: None,
        has_sender_fields: bool = False,
        timeout_seconds: float = 10,
        sleep: Callable[[float], Awaitable[None]] = no_pause,
        report: RecoveryReport | None = None,
        client: Client | None = None,
    ) -> RecoveryReport:
        """Run once, over the target of the place; close the client."""
        wanted = tuple(patterns) or (self.place.target,)
        report = report or RecoveryReport(self.name, wanted, is_dry_run)
        url = self.place.access.url
        client = client or Client(url, timeout_seconds=timeout_seconds)
        try:
            chains = await find_chains(client, self.name, wanted, only, no_pause)
            catalogue = chains.pop(self.name)
            await Recovery(
                client,
                Scope(wanted, chains, catalogue, since, until),
                report,
                pipeline_of=pipeline_of,
                part_bytes=1 << 20,
                has_sender_fields=has_sender_fields,
                sleep=sleep,
            ).run()
        finally:
            await client.close()
        return report

    def refresh(self) -> None:
        """Let searches see all that was written."""
        indices = [self.place.target, "beats-signer-catalogue", "beats-signer-seals-*"]
        self.place.client.indices.refresh(index=indices)

    def hits(self) -> list[Any]:
        """Return the documents with where they stand, by the index of their entry."""
        self.refresh()
        found = self.place.client.search(
            index=self.place.target,
            size=1000,
            sort=["beats_signer.index"],
            seq_no_primary_term=True,
        )
        return list(found["hits"]["hits"])

    def sources(self) -> list[Any]:
        """Return the documents, by the index of their entry."""
        return [hit["_source"] for hit in self.hits()]

    def mend(self, field: str = "n") -> None:
        """Let the mapping accept what it did not."""
        self.place.client.indices.put_mapping(
            index=self.place.target,
            properties={field: {"type": "long", "ignore_malformed": True}},
        )


def leaf_of(source: Any) -> bytes:
    """Return the leaf of a document."""
    signed = source["beats_signer"]
    return leaf_hash(signed["form"].encode(), signed["payload"].encode())


def members(payload: bytes) -> Any:
    """Return what a payload shows."""
    return json.loads(payload)
