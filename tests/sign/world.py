"""A signer with everything around it: state, store, time, and an auditor."""

import io
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from beats_signer.chain.body import EventsBody, WindowRecord
from beats_signer.chain.export import build_entry_lines, build_seal_line
from beats_signer.chain.records import CatalogueRecord, parse_record
from beats_signer.chain.seal import Kind, Seal, parse_seal_note
from beats_signer.chain.trust import TrustLine
from beats_signer.operate.logging import build_logger
from beats_signer.sign.disk import Disk
from beats_signer.sign.founding import initialise
from beats_signer.sign.pace import Pace
from beats_signer.sign.signer import Signer, SigningSettings, open_signer
from beats_signer.store.contract import EntryBlock, Store
from beats_signer.verify.folder import ExportFolder
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from tests.fakes.memory import MemorySource, MemoryStore
from tests.fakes.times import ManualClock, ManualTimer
from tests.sign.scripted import Script, ScriptedStore
from tests.sign.watched import WatchedStore
from tests.verify.independent import Checked, check_folder

__all__ = ["SIGNER", "World"]

SIGNER = "audit-1"


class World:
    """All that a signer touches; it outlives the signer."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.folder = folder
        self.memory = MemoryStore()
        self.store = WatchedStore(self.memory)
        self.clock = ManualClock()
        self.timer = ManualTimer()
        self.disk = Disk()
        self.settings = SigningSettings(pace=Pace(linger_seconds=0.0))
        self.arrivals = count(1)
        self.log = io.StringIO()
        self.trust = self.initialise(self.state)
        self._exports = count()

    def initialise(self, path: Path, signer: str = SIGNER) -> TrustLine:
        return initialise(
            path,
            signer=signer,
            heartbeat_seconds=60,
            encode=self.memory.encode,
            clock=self.clock,
        )

    def pace(self, **changes: Any) -> None:
        pace = replace(self.settings.pace, **changes)
        self.settings = replace(self.settings, pace=pace)

    @asynccontextmanager
    async def running(
        self,
        found: str | None = None,
        *,
        state: Path | None = None,
        store: Store | None = None,
    ) -> AsyncIterator[Signer]:
        """Run a signer that ends like a crash unless the test stops it."""
        signer, lock = open_signer(
            state or self.state,
            SIGNER,
            store or self.store,
            self.settings,
            build_logger(self.log),
            clock=self.clock,
            disk=self.disk,
            timer=self.timer,
        )
        try:
            async with signer.running(found):
                yield signer
        finally:
            lock.release()

    def script(self, script: Script) -> ScriptedStore:
        """Let the store fail for some seals from here on."""
        scripted = ScriptedStore(self.memory, script)
        self.store.store = scripted
        return scripted

    def copy_state(self, name: str) -> Path:
        """Copy the state directory as it is on the disk now."""
        target = self.folder / name
        shutil.copytree(self.state, target, ignore=shutil.ignore_patterns("*-shm"))
        return target

    def messages(self) -> list[str]:
        lines = self.log.getvalue().splitlines()
        return [json.loads(line)["message"] for line in lines]

    def origins(self) -> list[str]:
        """Return the origins of the chains in the store, without the catalogue."""
        return sorted(set(self.memory.origins()) - {SIGNER})

    def seals(self, origin: str) -> list[Seal]:
        return [seal for seal, _ in self.sealed(origin)]

    def sealed(self, origin: str) -> Iterator[tuple[Seal, str]]:
        """Yield each seal of a chain with its body."""
        for item in MemorySource(self.memory).read(origin):
            if not isinstance(item, EntryBlock):
                yield parse_seal_note(item.note)[0], item.body

    def windows(self, origin: str) -> list[WindowRecord]:
        """Return the records of all windows of a chain."""
        return [
            window
            for seal, body in self.sealed(origin)
            if seal.kind is Kind.EVENTS
            for window in EventsBody.parse(body).windows
        ]

    def payloads(self, origin: str) -> list[bytes]:
        """Return all entries of a chain."""
        return [
            bytes(payload)
            for item in MemorySource(self.memory).read(origin)
            if isinstance(item, EntryBlock)
            for payload in item.entries.payloads
        ]

    def events(self) -> list[bytes]:
        """Return the entries of all chains but the catalogue."""
        return [one for origin in self.origins() for one in self.payloads(origin)]

    def records(self) -> list[CatalogueRecord]:
        """Return what the catalogue says."""
        return [parse_record(payload) for payload in self.payloads(SIGNER)]

    def verify(self, *, discontinuities: int = 0) -> dict[str, Checked]:
        """Verify all that the store holds, with the verifier and without it.

        No number may ever have had two notes, stored or not. Successors of
        damaged chains are findings; how many is for the test to know.
        """
        assert all(len(notes) == 1 for notes in self.store.notes.values())
        folder = self._export()
        checked = check_folder(folder, str(self.trust))
        now = self.clock() + 10**9
        report = Report(str(folder), now)
        Verification(ExportFolder(folder), self.trust, report, now=now).run()
        kinds = [finding.kind.value for finding in report.open_findings]
        assert kinds == ["discontinuity"] * discontinuities
        assert report.undecided == []
        return checked

    def _export(self) -> Path:
        folder = self.folder / f"export-{next(self._exports)}"
        folder.mkdir()
        source = MemorySource(self.memory)
        for origin in source.origins():
            name = "catalogue" if origin == SIGNER else origin.replace("/", "_")
            lines = [_line(item) for item in source.read(origin)]
            (folder / f"{name}.ndjson").write_bytes(b"".join(lines))
        checkpoint = source.checkpoint()
        assert checkpoint is not None
        (folder / "catalogue.checkpoint").write_text(checkpoint)
        return folder


def _line(item: Any) -> bytes:
    if isinstance(item, EntryBlock):
        columns = item.entries
        return build_entry_lines(
            item.first, columns.forms, columns.payloads, columns.salts
        )
    return build_seal_line(parse_seal_note(item.note)[0].number, item)
