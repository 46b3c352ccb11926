"""What a signer has stored in Elasticsearch, read and judged by the format alone.

Nothing of the program reads here: the official client pages through everything,
and the reader of ``tests.verify.independent`` checks what came. It is a second
opinion beside ``beats-signer verify``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from tests.verify.independent import check_folder

__all__ = ["Document", "Stored", "read_stored"]

_PAGE = 250
"""So many of the largest events of the tests fit into the heap of a small server."""


@dataclass(frozen=True, slots=True)
class Document:
    """An entry as it is stored."""

    place: str
    """The index, behind a data stream."""
    id: str
    source: dict[str, Any]

    @property
    def signed(self) -> dict[str, Any]:
        """Return the signer's own object in it."""
        signed: dict[str, Any] = self.source["beats_signer"]
        return signed

    @property
    def payload(self) -> bytes:
        """Return the exact bytes of the event."""
        return str(self.signed["payload"]).encode()

    @property
    def tags(self) -> list[str]:
        """Return its tags."""
        return list(self.source.get("tags", ()))


class Stored:
    """All seals and entries of one signer, as they were at one moment."""

    def __init__(
        self,
        signer: str,
        checkpoint: str,
        seals: dict[str, list[dict[str, Any]]],
        entries: dict[str, list[Document]],
    ) -> None:
        """Take seals by origin, and entries by the chain's 32 digits, sorted."""
        self.signer = signer
        self._checkpoint = checkpoint
        self._seals = seals
        self._entries = entries

    @property
    def events(self) -> list[Document]:
        """Return all events, chain after chain, each in its order."""
        return [
            document
            for origin, seals in sorted(self._seals.items())
            if origin != self.signer
            for document in self._entries.get(seals[0]["chain"], ())
        ]

    @property
    def payloads(self) -> list[bytes]:
        """Return the payload of each."""
        return [event.payload for event in self.events]

    def listed_bare(self) -> set[tuple[str, int]]:
        """Return origin and index of what the catalogue says is stored bare."""
        catalogue = self._entries[self._seals[self.signer][0]["chain"]]
        records = [msgspec.json.decode(record.payload) for record in catalogue]
        return {
            (record["origin"], index)
            for record in records
            if record["kind"] == "bare"
            for index in record["indexes"]
        }

    def origin_of(self, document: Document) -> str:
        """Return the origin of an event's chain."""
        chain = document.signed["chain"]
        return next(
            origin
            for origin, seals in self._seals.items()
            if seals[0]["chain"] == chain
        )

    def check(self, trust: str, folder: Path) -> None:
        """Write all of it down as an export, and check that.

        Raises:
            AssertionError: An entry or a seal is there twice.
            UntrueError: Something does not hold by the format.
        """
        assert self._twice() == []
        folder.mkdir()
        (folder / "catalogue.checkpoint").write_text(self._checkpoint)
        for number, origin in enumerate(sorted(self._seals)):
            name = "catalogue" if origin == self.signer else f"chain-{number}"
            with (folder / f"{name}.ndjson").open("wb") as file:
                file.writelines(self._lines(origin))
        check_folder(folder, trust)

    def _twice(self) -> list[tuple[str, int]]:
        entries = Counter(
            (chain, one.signed["index"])
            for chain, documents in self._entries.items()
            for one in documents
        )
        seals = Counter(
            (origin, seal["seal"])
            for origin, seals in self._seals.items()
            for seal in seals
        )
        return [place for place, times in (entries + seals).items() if times > 1]

    def _lines(self, origin: str) -> Iterator[bytes]:
        seals = self._seals[origin]
        entries = iter(self._entries.get(seals[0]["chain"], ()))
        for seal in seals:
            line = {name: seal[name] for name in ("note", "body", "leaves")}
            yield _line({"seal": {"number": seal["seal"], **line}})
            for _, entry in zip(range(seal["count"]), entries, strict=False):
                yield _line({"entry": _entry(entry.signed)})
        for entry in entries:  # no seal covers it: that is found by the check
            yield _line({"entry": _entry(entry.signed)})


def read_stored(client: Elasticsearch, signer: str) -> Stored:
    """Read everything of a signer that a search finds after a refresh."""
    client.indices.refresh(index="*", expand_wildcards="all")
    seals: dict[str, list[dict[str, Any]]] = {}
    for hit in _search(client, "beats-signer-seals-*", {"match_all": {}}):
        origin = hit["_source"]["origin"]
        if origin == signer or origin.startswith(f"{signer}/"):
            seals.setdefault(origin, []).append(hit["_source"])
    for of_chain in seals.values():
        of_chain.sort(key=lambda seal: int(seal["seal"]))
    chains = [_chain_id(of_chain[0]) for of_chain in seals.values()]
    entries: dict[str, list[Document]] = {}
    query = {"terms": {"beats_signer.chain": chains}}
    for hit in _search(client, "*", query):
        document = Document(hit["_index"], hit["_id"], hit["_source"])
        entries.setdefault(document.signed["chain"], []).append(document)
    for documents in entries.values():
        documents.sort(key=lambda document: int(document.signed["index"]))
    note = client.get(index="beats-signer-checkpoints", id=signer)["_source"]["note"]
    return Stored(signer, note, seals, entries)


def _search(
    client: Elasticsearch, index: str, query: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield all hits; a shard that does not answer is an error and no gap."""
    pit = client.open_point_in_time(
        index=index, keep_alive="1m", allow_partial_search_results=False
    )["id"]
    after: list[Any] | None = None
    while True:
        answer = client.search(
            pit={"id": pit, "keep_alive": "1m"},
            query=query,
            sort=["_shard_doc"],
            search_after=after,
            size=_PAGE,
            allow_partial_search_results=False,
        )
        assert not answer["timed_out"] and not answer["_shards"]["failed"]
        hits = answer["hits"]["hits"]
        yield from hits
        if len(hits) < _PAGE:
            client.close_point_in_time(id=pit)
            return
        after = hits[-1]["sort"]


def _chain_id(founding: dict[str, Any]) -> str:
    """Return the first half of the founding's hash: what a document may claim."""
    text = founding["note"].split("\n\n")[0] + "\n"
    digits = sha256(b"\0" + text.encode()).hexdigest()[:32]
    assert founding["chain"] == digits, "the seal's document names another chain"
    return digits


def _entry(signed: dict[str, Any]) -> dict[str, Any]:
    names = ("index", "form", "payload", "payload_base64", "salt")
    return {name: signed[name] for name in names if name in signed}


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
