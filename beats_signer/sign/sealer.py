"""Steps 2 to 4 of a seal: make it, journal it, erase its key. One thread.

| crash after | left behind                              | at restart          |
|-------------|------------------------------------------|---------------------|
| 2 seal      | nothing; its key is unused               | senders resend      |
| 3 journal   | a journaled seal, its key still there    | advance, then send  |
| 4 advance   | a journaled seal that cannot be made anew| send                |

The order may not change: before 3 no byte has left the process, so the number
may be used again; after 4 nobody, whoever holds the machine, can sign it again.
"""

import hashlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from beats_signer.chain.body import EventsBody, WindowRecord
from beats_signer.chain.head import Head, build_seal
from beats_signer.chain.merkle import leaf_hashes
from beats_signer.chain.seal import Kind, SealRecord, sign_seal
from beats_signer.errors import DurabilityError
from beats_signer.sign.journal import Journal, SideEffects
from beats_signer.sign.keyfile import Entropy, KeyFile
from beats_signer.sign.parting import join_destinations
from beats_signer.sign.recognition import RecognisedWindows, SentWindow
from beats_signer.sign.window import Control, Item, Records, Window
from beats_signer.store.contract import Destination, Entries, Sealed, Store, Write

__all__ = ["Clock", "Notice", "OpenChain", "SealedGroup", "Sealer"]

Clock = Callable[[], int]
"""Returns nanoseconds since 1970, as ``time.time_ns`` does."""

Notice = Callable[[RecognisedWindows], None]
"""News of a connection or an ack, for the windows that may come again."""

_EXPIRY_NS = 60 * 10**9
_EMPTY_BODY = "{}"


@dataclass(frozen=True, slots=True)
class OpenChain:
    """A chain that can be written: where it stands, and its keys."""

    origin: str
    chain: bytes
    head: Head
    keys: KeyFile
    salt_bytes: int


@dataclass(frozen=True, slots=True)
class SealedGroup:
    """What became of some items that were sealed together.

    ``write`` is ``None`` when all of them were windows sent before. ``waits``
    holds, for each item, the number of the seal that must be stored before
    the item counts as stored.
    """

    write: Write | None
    head: Head
    waits: tuple[int, ...]


class Sealer:
    """The one maker of a chain's seals."""

    def __init__(
        self,
        opened: OpenChain,
        journal: Journal,
        store: Store,
        *,
        read_ahead: int,
        clock: Clock,
        entropy: Entropy,
        notices: deque[Notice],
    ) -> None:
        """Take the chain, and *notices* in which the loop leaves news for it."""
        self.origin = opened.origin
        self.chain = opened.chain
        self.head = opened.head
        self.journal = journal
        self._keys = opened.keys
        self._salt_bytes = opened.salt_bytes
        self._store = store
        self._read_ahead = read_ahead
        self._clock = clock
        self._entropy = entropy
        self._recognised = RecognisedWindows(read_ahead, journal.windows(self.chain))
        self._repeats: list[WindowRecord] = []
        self._next_expiry = 0
        self._notices = notices

    def seal(self, items: Sequence[Item]) -> SealedGroup:
        """Seal, journal and advance; all *items* are of one kind.

        Raises:
            DurabilityError: Step 3 or 4 failed, so what the disk holds is
                unknown. End the process.
        """
        match items:
            case [Control() as control]:
                return self._seal_control(control)
            case [Records(), *_]:
                return self._seal_records(items)  # type: ignore[arg-type]
            case _:
                return self._seal_windows(items)  # type: ignore[arg-type]

    def mark_stored(self, number: int, bare: Sequence[int] = ()) -> None:
        """Step 7: note in the journal that the store has confirmed this seal.

        ``bare`` are the entries of it that the catalogue has to list.

        Raises:
            DurabilityError: As in ``seal``.
        """
        try:
            self.journal.mark_stored(self.chain, [number], bare)
        except (OSError, sqlite3.Error) as error:
            raise self._durability_error(number, error) from error

    def _seal_control(self, control: Control) -> SealedGroup:
        write = self._finish(
            control.kind, [], control.body, Entries(b"", (), None), (), SideEffects()
        )
        return SealedGroup(write, self.head, (write.seal.number,))

    def _seal_records(self, groups: Sequence[Records]) -> SealedGroup:
        payloads = [payload for group in groups for payload in group.payloads]
        entries = Entries(b"R" * len(payloads), payloads, None)
        effects = SideEffects(
            catalogued=[chain for group in groups for chain in group.catalogued],
            reported={
                chain: size
                for group in groups
                for chain, size in group.reported.items()
            },
            listed={
                chain: indexes
                for group in groups
                for chain, indexes in group.listed.items()
            },
        )
        leaves = leaf_hashes(entries.forms, payloads, None)
        write = self._finish(Kind.EVENTS, leaves, _EMPTY_BODY, entries, (), effects)
        return SealedGroup(write, self.head, (write.seal.number,) * len(groups))

    def _seal_windows(self, windows: Sequence[Window]) -> SealedGroup:
        self._take_notices()
        number, first = self.head.seals, self.head.entries
        records, self._repeats = self._repeats, []
        sent: list[SentWindow] = []
        waits: list[int] = []
        forms: list[bytes] = []
        payloads: list[bytes] = []
        leaves: list[bytes] = []
        sealed_here: list[Window] = []
        for window in windows:
            own_leaves = leaf_hashes(window.forms, window.payloads, None)
            fingerprint = hashlib.sha256(b"".join(own_leaves)).digest()
            earlier = self._recognise(window, fingerprint)
            if earlier is not None:
                records.append(_record(window, events=0, same=earlier.first))
                waits.append(earlier.seal)
                continue
            records.append(_record(window, events=window.entries, same=None))
            waits.append(number)
            sent.append(
                _sent(window, fingerprint, first=first + len(leaves), seal=number)
            )
            forms.append(window.forms)
            payloads.extend(window.payloads)
            leaves.extend(own_leaves)
            sealed_here.append(window)
        if not leaves:
            self._repeats = records
            return SealedGroup(None, self.head, tuple(waits))
        entries = Entries(b"".join(forms), payloads, self._salts(len(payloads)))
        if entries.salts is not None:
            leaves = leaf_hashes(entries.forms, payloads, entries.salts)
        body = EventsBody(tuple(records))
        effects = SideEffects(windows=sent, forgotten=self._recognised.take_forgotten())
        write = self._finish(
            Kind.EVENTS,
            leaves,
            body.to_json(),
            entries,
            body.windows,
            effects,
            join_destinations(sealed_here),
        )
        for sent_window in sent:
            self._recognised.sealed(sent_window)
        return SealedGroup(write, self.head, tuple(waits))

    def _finish(
        self,
        kind: Kind,
        leaves: list[bytes],
        body: str,
        entries: Entries,
        windows: tuple[WindowRecord, ...],
        effects: SideEffects,
        destinations: Sequence[Destination | None] | None = None,
    ) -> Write:
        number = self.head.seals
        seal = build_seal(
            self.head,
            origin=self.origin,
            kind=kind,
            leaves=leaves,
            body=body,
            time=self._clock(),
            next_public=self._keys.public(number + 1),
        )
        note = sign_seal(seal, self._keys.key(number))
        record = SealRecord(note, body, b"".join(leaves))
        sealed = Sealed(self.chain, seal, record, entries, windows, destinations)
        write = Write(self.chain, seal, record, self._store.encode(sealed))
        head = self.head.after(seal, seal.hash())
        try:
            self.journal.commit(write, head, effects)
            self._keys.advance(number)
        except (OSError, sqlite3.Error) as error:
            raise self._durability_error(number, error) from error
        self.head = head
        return write

    def _durability_error(self, number: int, error: Exception) -> DurabilityError:
        return DurabilityError(
            f"seal {number} of {self.origin} could not be made durable: {error}",
            hint=f"See that {self.journal.path.parent} has space and its disk is "
            "sound, then start again: nothing that was acknowledged is lost.",
        )

    def _take_notices(self) -> None:
        while self._notices:
            self._notices.popleft()(self._recognised)
        now = self._clock()
        if now >= self._next_expiry:
            self._recognised.expire(now)
            self._next_expiry = now + _EXPIRY_NS

    def _recognise(self, window: Window, fingerprint: bytes) -> SentWindow | None:
        if window.number > self._read_ahead:
            return None
        source = window.source
        return self._recognised.match(
            (source.certificate, source.address),
            fingerprint,
            (source.connection, window.number),
            source.opened,
            window.arrival,
        )

    def _salts(self, count: int) -> list[bytes] | None:
        if not self._salt_bytes:
            return None
        size = self._salt_bytes
        fresh = self._entropy(size * count)
        return [fresh[at : at + size] for at in range(0, size * count, size)]


def _record(window: Window, *, events: int, same: int | None) -> WindowRecord:
    source = window.source
    return WindowRecord(
        sender=source.sender,
        certificate=source.certificate,
        peer=source.peer,
        connection=source.connection,
        window=window.number,
        version=window.version,
        size=window.size,
        events=events,
        received=window.received,
        same=same,
    )


def _sent(window: Window, fingerprint: bytes, *, first: int, seal: int) -> SentWindow:
    source = window.source
    return SentWindow(
        connection=source.connection,
        window=window.number,
        certificate=source.certificate,
        address=source.address,
        fingerprint=fingerprint,
        first=first,
        seal=seal,
        received=window.received,
        arrival=window.arrival,
    )
