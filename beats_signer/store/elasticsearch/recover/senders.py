"""Show who has sent an event, where the settings want it, as when it was new.

The address of a sender is in no document but that of the seal.
"""

from collections.abc import Iterable

from beats_signer.chain.errors import ChainError
from beats_signer.chain.seal import parse_seal_note
from beats_signer.store.elasticsearch.read.senders import Senders, read_senders
from beats_signer.store.elasticsearch.recover.document import Present, seal_of
from beats_signer.store.elasticsearch.write.lines import build_sender_member
from beats_signer.store.elasticsearch.write.outcomes import Outcome
from beats_signer.store.elasticsearch.write.seals import StoredSeals
from beats_signer.store.elasticsearch.write.standing import Signed

__all__ = ["SenderFields"]

_SEALS = 1000
"""Seals whose senders are remembered."""


class SenderFields:
    """The visible fields of senders; without seals, nobody wants them."""

    def __init__(self, seals: StoredSeals | None) -> None:
        self._seals = seals
        self._known: dict[tuple[bytes, int], Senders] = {}

    async def look_up(self, found: Iterable[Present | Outcome | None]) -> None:
        """Read the seals of those that look bare.

        Raises:
            StoreError: They cannot be read now.
        """
        if self._seals is None:
            return
        if len(self._known) >= _SEALS:
            self._known.clear()
        for one in found:
            place = seal_of(one) if isinstance(one, Present) else None
            if place is None or place in self._known:
                continue
            record = await self._seals.seal(*place)
            try:
                if record is not None:
                    seal, _ = parse_seal_note(record.note)
                    self._known[place] = read_senders(seal, record)
            except ChainError:
                continue  # it is for ``verify`` to report; nobody is shown

    def member(self, signed: Signed) -> bytes | None:
        """Return the visible member, ``None`` when it is unknown or not wanted."""
        if self._seals is None or not isinstance(signed.seal, int):
            return None
        senders = self._known.get((bytes.fromhex(signed.chain), signed.seal))
        sent = None if senders is None else senders.of(signed.index)
        return None if sent is None else build_sender_member(*sent)
