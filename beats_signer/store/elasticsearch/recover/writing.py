"""Write documents in the place of the versions that were read."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from beats_signer.store.elasticsearch.recover.document import Present
from beats_signer.store.elasticsearch.write.body import build_part
from beats_signer.store.elasticsearch.write.bulk import Bulk, NothingTakenError
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict

__all__ = ["Replacement", "Writing"]

_TOO_LARGE: Final = Verdict.TOO_LARGE
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
            outcomes = await self._bulk.send(part)
        except NothingTakenError as nothing:
            if len(items) == 1:
                return [nothing.outcome]
        else:
            return await self._send_apart(items, outcomes)
        half = len(items) // 2
        return await self.send(items[:half]) + await self.send(items[half:])

    async def _send_apart(
        self, items: Sequence[Replacement], outcomes: list[Outcome]
    ) -> list[Outcome]:
        """Send again what was too large together: one large item refuses them all."""
        large = [n for n, one in enumerate(outcomes) if one.verdict is _TOO_LARGE]
        half = len(large) // 2
        for part in (large[:half], large[half:]) if half else ():
            again = await self.send([items[n] for n in part])
            for n, outcome in zip(part, again, strict=True):
                outcomes[n] = outcome
        return outcomes
