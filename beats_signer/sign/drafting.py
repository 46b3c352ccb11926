"""From windows to the contents of a seal, without those that were sealed before."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from beats_signer.chain.body import EventsBody, WindowRecord
from beats_signer.chain.merkle import leaf_hashes
from beats_signer.chain.seal import Kind
from beats_signer.sign.draft import Draft
from beats_signer.sign.journal_rows import SideEffects
from beats_signer.sign.keyfile import Entropy
from beats_signer.sign.parting import join_destinations
from beats_signer.sign.recognition import RecognisedWindows, SentWindow
from beats_signer.sign.window import Acknowledged, Lost, Notice, Window
from beats_signer.store.contract import Entries

__all__ = ["Drafting"]

_REPEATS_BYTES = 1 << 20
"""Records of recognised windows that wait for the next seal with entries. Above
it windows are sealed again, so that no sender can make a body grow for ever."""


@dataclass(slots=True)
class _Repeats:
    """Records of recognised windows, for the next seal with entries."""

    records: list[WindowRecord] = field(default_factory=list)
    bytes: int = 0


@dataclass(slots=True)
class _Contents:
    """What one seal gathers, window by window."""

    records: list[WindowRecord]
    repeats_bytes: int
    """Size of those records that repeat a window."""
    sent: list[SentWindow] = field(default_factory=list)
    forms: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)


class Drafting:
    """Turn one chain's windows into drafts. The sealing thread alone uses it."""

    def __init__(
        self,
        read_ahead: int,
        earlier: Iterable[SentWindow],
        salt_bytes: int,
        entropy: Entropy,
    ) -> None:
        """Start with the windows that the journal still holds."""
        self._read_ahead = read_ahead
        self._recognised = RecognisedWindows(read_ahead, earlier)
        self._salt_bytes = salt_bytes
        self._entropy = entropy
        self._repeats = _Repeats()
        self.recognised_windows = 0
        """Windows that were sealed before; any thread may read it."""

    def draft(
        self, items: Sequence[Window | Notice], number: int, first: int
    ) -> tuple[Draft | None, tuple[int, ...]]:
        """Return the contents of seal *number*, whose entries begin at *first*.

        The draft is ``None`` when all windows were sealed before. Then, for
        each window, the number of the seal that holds its events.
        """
        contents = _Contents(self._repeats.records, self._repeats.bytes)
        self._repeats = _Repeats()
        waits = []
        for item in items:
            if isinstance(item, Window):
                waits.append(self._place(item, contents, number, first))
            else:
                self.note(item)
        if contents.leaves:
            return self._finish(contents), tuple(waits)
        self._repeats = _Repeats(contents.records, contents.repeats_bytes)
        return None, tuple(waits)

    def note(self, notice: Notice) -> None:
        """Take news of a connection; it counts for the windows that follow."""
        match notice:
            case Acknowledged(connection, number):
                self._recognised.acknowledged((connection, number))
            case Lost(connection, at):
                self._recognised.lost(connection, at)

    def tidy(self, now: int) -> list[tuple[str, int]]:
        """Return the windows that need not stay in the journal."""
        self._recognised.expire(now)
        return self._recognised.take_forgotten()

    def _place(
        self, window: Window, contents: _Contents, number: int, first: int
    ) -> int:
        """Add a window, or the record of its repetition; return the seal to wait for.

        ``same`` can only point back, so a copy within one seal is recorded in
        the next.
        """
        leaves = leaf_hashes(window.forms, window.payloads, None)
        sent = _sent(window, leaves, first + len(contents.leaves), number)
        earlier = self._recognise(window, sent, contents)
        if earlier is None:
            contents.records.append(_record(window, events=window.entries))
            contents.sent.append(sent)
            contents.forms.append(window.forms)
            contents.payloads.extend(window.payloads)
            contents.leaves.extend(leaves)
            contents.windows.append(window)
            self._recognised.sealed(sent)
            return number
        self.recognised_windows += 1
        record = _record(window, events=0, same=earlier.first)
        if earlier.seal < number:
            contents.records.append(record)
            contents.repeats_bytes += window.record_bytes
        else:
            self._repeats.records.append(record)
            self._repeats.bytes += window.record_bytes
        return earlier.seal

    def _recognise(
        self, window: Window, sent: SentWindow, contents: _Contents
    ) -> SentWindow | None:
        repeats_bytes = contents.repeats_bytes + self._repeats.bytes
        if repeats_bytes + window.record_bytes > _REPEATS_BYTES:
            return None
        if window.number > self._read_ahead:
            return None
        return self._recognised.match(sent, window.source.opened)

    def _finish(self, contents: _Contents) -> Draft:
        salts = self._salts(len(contents.payloads))
        entries = Entries(b"".join(contents.forms), contents.payloads, salts)
        leaves = contents.leaves
        if salts is not None:
            leaves = leaf_hashes(entries.forms, entries.payloads, salts)
        body = EventsBody(tuple(contents.records))
        effects = SideEffects(
            windows=contents.sent, forgotten=self._recognised.take_forgotten()
        )
        return Draft(
            Kind.EVENTS,
            body.to_json(),
            entries,
            leaves,
            body.windows,
            effects,
            join_destinations(contents.windows),
        )

    def _salts(self, count: int) -> list[bytes] | None:
        if not self._salt_bytes:
            return None
        size = self._salt_bytes
        fresh = self._entropy(size * count)
        return [fresh[at : at + size] for at in range(0, size * count, size)]


def _record(window: Window, *, events: int, same: int | None = None) -> WindowRecord:
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


def _sent(window: Window, leaves: list[bytes], first: int, seal: int) -> SentWindow:
    source = window.source
    return SentWindow(
        connection=source.connection,
        window=window.number,
        certificate=source.certificate,
        address=source.address,
        fingerprint=hashlib.sha256(b"".join(leaves)).digest(),
        first=first,
        seal=seal,
        received=window.received,
        arrival=window.arrival,
    )
