"""What a signer has sealed, read from its archive, and whether it holds."""

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from beats_signer.chain.body import EventsBody, WindowRecord, parse_body
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.verify.report import Verdict
from beats_signer.verify.source import open_source
from beats_signer.verify.text import write_report
from beats_signer.verify.trusting import parse_trust
from beats_signer.verify.writer import ExportWriter
from tests.verify.independent import check_folder
from tests.verify.verifying import verify_folder

__all__ = ["Arrival", "check_all", "payloads_of", "read_arrivals", "read_windows"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A window in which events arrived, with the events that it brought."""

    window: WindowRecord
    forms: str
    payloads: tuple[bytes, ...]


def read_windows(archive: Path) -> list[WindowRecord]:
    """Return every window of every event chain, in sealed order.

    One that was recognised as sent before has no events.
    """
    with ArchiveSource(archive) as source:
        return [
            window
            for origin in _event_chains(source)
            for part in source.read(origin)
            if isinstance(part, SealRecord)
            for window in _windows(part)
        ]


def read_arrivals(archive: Path) -> list[Arrival]:
    """Return every window that brought events, with them, in sealed order."""
    arrivals: list[Arrival] = []
    with ArchiveSource(archive) as source:
        for origin in _event_chains(source):
            forms, payloads = _entries(source, origin)
            at = 0
            for part in source.read(origin):
                for window in _windows(part) if isinstance(part, SealRecord) else ():
                    end = at + window.events
                    if window.events:
                        arrivals.append(
                            Arrival(window, forms[at:end], tuple(payloads[at:end]))
                        )
                    at = end
    return arrivals


def payloads_of(archive: Path) -> list[bytes]:
    """Return the payload of every event, in sealed order."""
    return [payload for one in read_arrivals(archive) for payload in one.payloads]


def check_all(archive: Path, trust: Path) -> None:
    """Verify every chain twice: as an auditor does, and by the written format alone.

    Raises:
        AssertionError: The verifier has found something.
        UntrueError: Something does not hold by the format.
    """
    report = verify_folder(archive, parse_trust(str(trust)), time.time_ns())
    assert report.verdict is Verdict.VERIFIED, "\n".join(write_report(report))
    with tempfile.TemporaryDirectory() as name, closing(open_source(archive)) as source:
        folder = Path(name)
        ExportWriter(
            source, folder, is_compressed=False, on_entries=lambda count: None
        ).write()
        check_folder(folder, trust.read_text())


def _event_chains(source: ArchiveSource) -> list[str]:
    return [origin for origin in source.origins() if origin != source.catalogue()]


def _windows(record: SealRecord) -> tuple[WindowRecord, ...]:
    body = parse_body(parse_seal_note(record.note)[0], record.body)
    return body.windows if isinstance(body, EventsBody) else ()


def _entries(source: ArchiveSource, origin: str) -> tuple[str, list[bytes]]:
    forms, payloads = bytearray(), list[bytes]()
    for part in source.read(origin):
        if not isinstance(part, SealRecord):
            forms += part.entries.forms
            payloads += part.entries.payloads
    return forms.decode(), payloads
