"""One index of the fake server: documents, and what a search sees of them."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.elasticsearch.mapping import Mapping
from tests.elasticsearch.refusal import Refusal

__all__ = ["Document", "Index"]


@dataclass(frozen=True)
class Document:
    """One version of a document; a change makes another."""

    id: str
    source: bytes
    number: int
    """The server's ``_seq_no``."""
    version: int = 1

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The source as values."""
        parsed: dict[str, Any] = json.loads(self.source)
        return parsed


@dataclass
class Index:
    """Documents by ``_id``; ``visible`` is what the last refresh left."""

    name: str
    settings: dict[str, str]
    """With flat keys that start with ``index.``."""
    mapping: Mapping
    stream: str | None = None
    """The data stream that this is a backing index of."""
    documents: dict[str, Document] = field(default_factory=dict)
    visible: dict[str, Document] = field(default_factory=dict)
    closed: bool = False
    uuid: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _numbers: int = 0

    def setting(self, name: str, default: str = "") -> str:
        """Return a setting of the index, without its prefix."""
        return str(self.settings.get(f"index.{name}", default))

    def refresh(self) -> None:
        """Let searches see what is there now."""
        self.visible = dict(self.documents)

    def write(
        self,
        id: str | None,
        source: bytes,
        *,
        create: bool,
        version: tuple[int, int] | None = None,
    ) -> Document:
        """Store a document, in the place of a version if one is named.

        Raises:
            Refusal: The index is not writable, the id is taken, or another
                version stands there.
        """
        self._check_writable()
        if id is None:
            id = base64.urlsafe_b64encode(secrets.token_bytes(15)).decode()
        old = self.documents.get(id)
        if old is not None and create:
            raise Refusal(
                409,
                "version_conflict_engine_exception",
                f"[{id}]: version conflict, document already exists"
                f" (current version [{old.version}])",
                self.name,
            )
        if version is not None and (old is None or version != (old.number, 1)):
            raise Refusal(
                409,
                "version_conflict_engine_exception",
                f"[{id}]: version conflict, required seqNo [{version[0]}], primary term"
                f" [{version[1]}]",
                self.name,
            )
        count = old.version + 1 if old else 1
        self.documents[id] = Document(id, source, self._numbers, count)
        self._numbers += 1
        return self.documents[id]

    def delete(self, id: str) -> Document | None:
        """Delete a document; ``None``: there was none."""
        self._check_writable()
        return self.documents.pop(id, None)

    def check_open(self) -> None:
        """Refuse when the index is closed."""
        if self.closed:
            raise Refusal(400, "index_closed_exception", "closed", self.name)

    def _check_writable(self) -> None:
        self.check_open()
        for block, number, reason, status in (
            ("read_only_allow_delete", 12, "disk usage exceeded flood-stage", 429),
            ("read_only", 5, "index read-only (api)", 403),
            ("write", 8, "index write (api)", 403),
        ):
            if self.setting(f"blocks.{block}") == "true":
                raise Refusal(
                    status,
                    "cluster_block_exception",
                    f"index [{self.name}] blocked by: [{reason};{number}]",
                    self.name,
                )
