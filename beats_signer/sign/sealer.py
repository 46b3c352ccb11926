"""Steps 2 to 4 of a seal: make it, journal it, erase its key. One thread.

| crash after | left behind                              | at restart          |
|-------------|------------------------------------------|---------------------|
| 2 seal      | nothing; its key is unused               | senders resend      |
| 3 journal   | a journaled seal, its key still there    | advance, then send  |
| 4 advance   | a journaled seal that cannot be made anew| send                |

The order may not change: before 3 no byte has left the process, so the number
may be used again; after 4 nobody, whoever holds the machine, can sign it again.

A ``close`` erases the key file in step 4. A crash before that leaves a chain that
has ended by the journal, and the next start erases the keys of such chains.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from beats_signer.chain.head import Head, build_seal
from beats_signer.chain.seal import ZERO, Kind, SealRecord, sign_seal
from beats_signer.sign.draft import Draft, draft_control, draft_records
from beats_signer.sign.drafting import Drafting
from beats_signer.sign.journal import Journal
from beats_signer.sign.journal_rows import UnstoredSeal
from beats_signer.sign.keyfile import Entropy, KeyFile
from beats_signer.sign.window import (
    Acknowledged,
    Control,
    Item,
    Lost,
    Notice,
    Records,
    Window,
)
from beats_signer.store.contract import Sealed, Store, Write

__all__ = ["Clock", "OpenChain", "SealedGroup", "Sealer"]

Clock = Callable[[], int]
"""Returns nanoseconds since 1970, as ``time.time_ns`` does."""


@dataclass(frozen=True, slots=True)
class OpenChain:
    """A chain that can be written: where it stands, and its keys."""

    origin: str
    chain: bytes
    head: Head
    salt_bytes: int
    keys: KeyFile | None
    """``None`` for a chain that has ended: it gets no more seals."""


@dataclass(frozen=True, slots=True)
class SealedGroup:
    """What became of some items that were sealed together.

    ``write`` is ``None`` when all of them were windows sent before. ``waits``
    holds, for each item but the notices, the number of the seal that must be
    stored before the item counts as stored.
    """

    write: Write | None
    head: Head
    waits: tuple[int, ...]


class Sealer:
    """The one maker of a chain's seals. The sealing thread alone calls it."""

    def __init__(
        self,
        opened: OpenChain,
        journal: Journal,
        store: Store,
        *,
        read_ahead: int,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.origin = opened.origin
        self.chain = opened.chain
        self.head = opened.head
        self._keys = opened.keys
        self._journal = journal
        self._store = store
        self._clock = clock
        self._drafting = Drafting(
            read_ahead, journal.windows(self.chain), opened.salt_bytes, entropy
        )

    @property
    def recognised_windows(self) -> int:
        """Return how many windows came again; any thread may ask."""
        return self._drafting.recognised_windows

    def seal(self, items: Sequence[Item | Notice]) -> SealedGroup:
        """Seal, journal and advance.

        All *items* are of one kind; between windows there may be notices.

        Raises:
            DurabilityError: Step 3 or 4 failed, so what the disk holds is
                unknown. End the process.
        """
        draft, waits = self._draft(items)
        write = None if draft is None else self._finish(draft)
        return SealedGroup(write, self.head, waits)

    def tidy(self, notices: Sequence[Notice]) -> None:
        """Take news, and forget for good the windows that cannot come again.

        Raises:
            DurabilityError: As in ``seal``.
        """
        for notice in notices:
            self._drafting.note(notice)
        if forgotten := self._drafting.tidy(self._clock()):
            self._journal.forget(self.chain, forgotten)

    def unstored(self) -> list[UnstoredSeal]:
        """Return what an earlier process journaled and did not see confirmed."""
        return self._journal.unstored(self.chain)

    def write(self, number: int) -> Write:
        """Return the bytes of an unstored seal, to be sent again."""
        return self._journal.write(self.chain, number)

    def mark_stored(self, number: int, bare: Sequence[int] = ()) -> None:
        """Step 7: note in the journal that the store has confirmed this seal.

        *bare* are the entries of it that the catalogue has to list. Any thread
        may call this.

        Raises:
            DurabilityError: As in ``seal``.
        """
        self._journal.mark_stored(self.chain, number, bare)

    def close(self) -> None:
        """Let go of the key file."""
        if self._keys is not None:
            self._keys.close()

    def _draft(
        self, items: Sequence[Item | Notice]
    ) -> tuple[Draft | None, tuple[int, ...]]:
        number, first = self.head.seals, self.head.entries
        # Items of one kind make a group; see ``Waiting.take``.
        match [item for item in items if not isinstance(item, Acknowledged | Lost)]:
            case [Control() as control]:
                return draft_control(control), (number,)
            case [Records(), *_] as groups:
                records = cast(list[Records], groups)
                return draft_records(records), (number,) * len(groups)
            case _:
                windows = cast(Sequence[Window | Notice], items)
                return self._drafting.draft(windows, number, first)

    def _finish(self, draft: Draft) -> Write:
        assert self._keys is not None, "a chain that has ended gets no seals"
        number, closes = self.head.seals, draft.kind is Kind.CLOSE
        seal = build_seal(
            self.head,
            origin=self.origin,
            kind=draft.kind,
            leaves=draft.leaves,
            body=draft.body,
            time=self._clock(),
            next_public=ZERO if closes else self._keys.public(number + 1),
        )
        note = sign_seal(seal, self._keys.key(number))
        record = SealRecord(note, draft.body, b"".join(draft.leaves))
        sealed = Sealed(
            self.chain, seal, record, draft.entries, draft.windows, draft.destinations
        )
        write = Write(self.chain, seal, record, self._store.encode(sealed))
        head = self.head.after(seal, seal.hash())
        self._journal.commit(write, head, draft.effects)
        if closes:
            self._keys.erase()
        else:
            self._keys.advance(number)
        self.head = head
        return write
