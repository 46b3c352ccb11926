"""Write documents in the place of the versions that were read."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from beats_signer.store.elasticsearch.body import build_part
from beats_signer.store.elasticsearch.bulk import Bulk, NothingTakenError
from beats_signer.store.elasticsearch.outcomes import Outcome
from beats_signer.store.elasticsearch.recover_document import Present

__all__ = ["Replacement", "Writing"]

_ENCODE = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is written in place of what."""

    present: Present
    document: bytes
    pipeline: str | None

    def lines(self) -> list[bytes]:
        """Return action and document."""
        index, name = self.present.place
        action: dict[str, Any] = {
            "_index": index,
            "_id": name,
            "if_seq_no": self.present.seq_no,
            "if_primary_term": self.present.primary_term,
        }
        if self.pipeline is not None:
            action["pipeline"] = self.pipeline
        return [_ENCODE({"index": action}) + b"\n", self.document]


class Writing:
    """Bulk requests, each small enough."""

    def __init__(self, bulk: Bulk) -> None:
        """Take requests that judge answers to ``index``."""
        self._bulk = bulk

    async def send(self, items: Sequence[Replacement]) -> list[Outcome]:
        """Return the outcome of each.

        Raises:
            StoreError: Of any of them, nothing is known.
            RefusedError: None of what is left to send will be taken from us.
        """
        lines = [line for item in items for line in item.lines()]
        part = await asyncio.to_thread(build_part, lines)
        try:
            return await self._bulk.send(part)
        except NothingTakenError as nothing:
            if len(items) == 1:
                return [nothing.outcome]
        half = len(items) // 2
        return await self.send(items[:half]) + await self.send(items[half:])
