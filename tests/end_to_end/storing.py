"""A signer whose store is Elasticsearch, and the questions that tests ask of it."""

import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.elasticsearch.server import Access
from tests.end_to_end.live import Stored, read_stored
from tests.senders.running import RunningSigner, command

__all__ = ["StoringSigner"]


class StoringSigner(RunningSigner):
    """One signer with an own name, which is that of the tenant of all its events."""

    def __init__(
        self,
        name: str,
        founded: Path,
        folder: Path,
        url: str,
        access: Access,
        settings: Mapping[str, Any],
    ) -> None:
        """Take where it writes to, and how a test reads what it wrote."""
        self.name = name
        self._access = access
        own = {
            "signer": name,
            "elasticsearch": {
                "hosts": [url],
                "grace_seconds": 1,
                "replicas": 0,
            },
            "routing": {"tenant": name},
            "catalogue": {"head_seconds": 1},
        }
        super().__init__(founded, folder, _merged(own, settings))

    def target(self, stream: str = "generic") -> str:
        """Return where the events of a stream are."""
        return f"logs-{stream}-{self.name}"

    def stored(self) -> Stored:
        """Read what is stored, and check it by the written format.

        The signer has ended, or nothing is on its way.
        """
        with self._access.connect(request_timeout=60) as client:
            stored = read_stored(client, self.name)
        number = len(list(self.folder.glob("read-*")))
        stored.check(self.trust.read_text(), self.folder / f"read-{number}")
        return stored

    def check_stored(self, acknowledged: Iterable[bytes]) -> Stored:
        """Hold what is stored to what was acknowledged: all of it, each once.

        It is verified twice: by the written format alone, and as an auditor does.
        """
        stored = self.stored()
        assert _difference(stored.payloads, acknowledged) == ([], [])
        verifying = command(
            *("verify", self._access.url, "--trust", str(self.trust), "--delay", "0")
        )
        verified = subprocess.run(verifying, capture_output=True, text=True)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        return stored


def _merged(own: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings section by section; what a test says counts."""
    merged = dict(own)
    for name, value in settings.items():
        before = merged.get(name)
        merged[name] = {**before, **value} if isinstance(before, dict) else value
    return merged


def _difference(
    stored: Iterable[bytes], acknowledged: Iterable[bytes]
) -> tuple[list[bytes], list[bytes]]:
    """Return what is there too often, and what is lost; not more than a few."""
    here, due = Counter(stored), Counter(acknowledged)
    return list(here - due)[:3], list(due - here)[:3]
