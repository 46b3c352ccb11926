"""Worlds in Elasticsearch, as a signer stores them, and ways to damage them there."""

import asyncio
import base64
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from elasticsearch import Elasticsearch

from beats_signer.chain.body import EventsBody, parse_body
from beats_signer.chain.findings import Document
from beats_signer.chain.seal import Kind, Seal, SealRecord
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.prepare.setup import Setup
from beats_signer.store.elasticsearch.prepare.templates import TargetPattern
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.showing import Showing
from beats_signer.store.elasticsearch.read.source import ElasticsearchSource
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from tests.elasticsearch.server import Access
from tests.store.elasticsearch.rooms import Log, append, to_write
from tests.verify.archives import to_entries
from tests.verify.damage import whole_world
from tests.verify.dividing import Others, divided, same
from tests.verify.signer import SignedChain, World
from tests.verify.verifying import NOW

_OWN = ("beats-signer-seals-*", "beats-signer-catalogue", "beats-signer-checkpoints")

_BACKING = re.compile(r"\.ds-(.+)-\d{4}\.\d\d\.\d\d-\d{6}")


def no_pause(seconds: float) -> None:
    """Try again at once."""


@dataclass
class Stored:
    """A world on a server; nobody else has its names there."""

    access: Access
    client: Elasticsearch
    world: World
    destination: Destination | None = None
    """Where the events of the first chain go; ``None``: to its default target."""
    derived: tuple[str, ...] = ()
    """Fields that pipelines make."""
    timeout_seconds: float = 20
    pause: Callable[[float], None] = no_pause
    settings: ElasticsearchConfig | None = None
    """How to connect to a server that asks who one is."""
    options: dict[str, Any] = field(default_factory=dict)
    """How the source is opened, besides the defaults."""
    is_divided: bool = False
    """Whether several that share the work have to find the same."""

    @property
    def chain(self) -> SignedChain:
        """The chain that tests damage."""
        return self.world.chains[0]

    @property
    def target(self) -> str:
        """The data stream of that chain."""
        return self.target_of(self.chain)

    def target_of(self, chain: SignedChain) -> str:
        """Return the data stream of a chain."""
        _, tenant, stream, _ = chain.origin.rsplit("/", 3)
        return f"logs-{stream}-{tenant}"

    def set_up(self, *more: str) -> None:
        """Put the templates, as an operator does; for more targets too."""
        patterns = [f"logs-*-{self.world.tenant}", *more]
        asyncio.run(_set_up(self.access, patterns))

    def store(self) -> None:
        """Store what the world has by now, with its checkpoint."""
        self.write_all()
        self.refresh()

    def refresh(self) -> None:
        """Let searches see everything."""
        self.client.indices.refresh(
            index=["*", ".ds-*"], expand_wildcards=["open", "hidden"]
        )

    def verify(self, now: int = NOW, **options: Any) -> Report:
        """Return the report about what is there."""
        report = Report(self.access.url, now)
        with closing(self.open(now)) as source:
            Verification(source, self.world.trust, report, now=now, **options).run()
        if self.is_divided:
            same(report, self._verify_divided(now, **options))
        return report

    def _verify_divided(self, now: int, **options: Any) -> Report:
        report = Report(self.access.url, now)
        others = Others(partial(self.open, now))
        with closing(self.open(now)) as source, divided(source, others) as division:
            options["division"] = division
            Verification(source, self.world.trust, report, now=now, **options).run()
        return report

    def open(self, now: int = NOW, **options: Any) -> ElasticsearchSource:
        """Open the source; the caller closes it."""
        asking = Asking(BlockingClient(self._connect()), self.access.url, self.pause)
        defaults: dict[str, Any] = {
            "now": now,
            "settled": now - 300 * 10**9,
            "compare": Showing(self.derived).compare,
        }
        indices = f"*{self.world.tenant}*"
        chosen = {"indices": indices} | defaults | self.options | options
        return ElasticsearchSource(asking, self.world.signer, **chosen)

    def find(self, chain: SignedChain, index: int) -> Document:
        """Return where the document of an entry stands."""
        (found,) = self.find_all(chain, index)
        return found

    def find_all(self, chain: SignedChain, index: int) -> list[Document]:
        """Return where all documents stand that claim to be an entry."""
        found = self.client.search(
            index="*",
            expand_wildcards=["open", "hidden"],
            query={
                "bool": {
                    "filter": [
                        {"term": {"beats_signer.chain": chain.hashes[0].hex()[:32]}},
                        {"term": {"beats_signer.index": index}},
                    ]
                }
            },
        )
        return [Document(hit["_index"], hit["_id"]) for hit in found["hits"]["hits"]]

    def find_seal(self, chain: SignedChain, number: int) -> Document:
        """Return where the document of a seal stands."""
        name = f"{chain.hashes[0].hex()[:32]}-{number:012d}"
        found = self.client.search(
            index="beats-signer-seals-*", query={"ids": {"values": [name]}}
        )
        (hit,) = found["hits"]["hits"]
        return Document(hit["_index"], hit["_id"])

    def read(self, document: Document) -> dict[str, Any]:
        """Return the source of a document."""
        found = self.client.get(index=document.index, id=document.id)
        source: dict[str, Any] = found["_source"]
        return source

    def write(self, document: Document, source: dict[str, Any]) -> None:
        """Put a document there, whatever stands there.

        A data stream takes what is new by its own name only, and lets nobody change
        a document who has not read it.
        """
        known = self.client.options(ignore_status=404).get(
            index=document.index, id=document.id
        )
        options: dict[str, Any] = {"index": document.index}
        if known.get("found"):
            options["if_seq_no"] = known["_seq_no"]
            options["if_primary_term"] = known["_primary_term"]
        elif backing := _BACKING.fullmatch(document.index):
            options = {"index": backing[1], "op_type": "create"}
        self.client.index(id=document.id, document=source, refresh=True, **options)

    def change(
        self, document: Document, how: Callable[[dict[str, Any]], object]
    ) -> Document:
        """Change the source of a document in place; return which it was."""
        source = self.read(document)
        how(source)
        self.write(document, source)
        return document

    def delete(self, document: Document) -> Document:
        """Delete a document; return which it was."""
        self.client.delete(index=document.index, id=document.id, refresh=True)
        return document

    def write_all(self) -> None:
        """Store what the world has by now, without letting searches see it."""
        asyncio.run(self._write_all())

    async def _write_all(self) -> None:
        store = ElasticsearchStore(
            self._connect(),
            structlog.wrap_logger(None, processors=[Log([])]),
            grace_seconds=0,
        )
        await store.open()
        try:
            for chain in (self.world.catalogue, *self.world.chains):
                for sealed in to_sealed(chain, self._destination_of(chain)):
                    await append(store, to_write(store, sealed))
            if self.world.checkpoint is not None:
                note = self.world.checkpoint or self.world.sign_checkpoint()
                await store.publish_checkpoint(self.world.signer, note)
        finally:
            await store.close()

    def _connect(self) -> Client:
        if self.settings is not None:
            return connect(self.settings)
        return Client(self.access.url, timeout_seconds=self.timeout_seconds)

    def _destination_of(self, chain: SignedChain) -> Destination | None:
        return self.destination if chain is self.chain else None


def to_sealed(
    chain: SignedChain, destination: Destination | None = None
) -> Iterable[Sealed]:
    """Yield all seals of a chain as a signer hands them to its store."""
    seals: list[tuple[Seal, SealRecord, list[dict[str, str]]]] = []
    for line in chain.lines:
        if "seal" in line:
            seal = Seal.parse(chain.texts[line["seal"]["number"]])
            leaves = base64.b64decode(line["seal"]["leaves"])
            record = SealRecord(line["seal"]["note"], line["seal"]["body"], leaves)
            seals.append((seal, record, []))
        else:
            seals[-1][2].append(line["entry"])
    for seal, record, entries in seals:
        body = parse_body(seal, record.body) if seal.kind is Kind.EVENTS else None
        windows = body.windows if isinstance(body, EventsBody) else ()
        columns = to_entries(entries)
        places = None if destination is None else [destination] * len(entries)
        yield Sealed(chain.hashes[0], seal, record, columns, windows, places)


async def _set_up(access: Access, patterns: Iterable[str]) -> None:
    client = Client(access.url)
    config = ElasticsearchConfig(hosts=(HostUrl(access.url),), replicas=0)
    targets = [TargetPattern(pattern, None) for pattern in patterns]
    try:
        async for _ in Setup(client, config, targets).run(dry_run=False):
            pass
    finally:
        await client.close()


def new_world() -> World:
    """Return a whole world whose names nobody else has."""
    name = secrets.token_hex(6)
    return whole_world(f"signer-{name}", f"t{name}")
