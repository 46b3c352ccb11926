"""A running signer with rules: several chains, one acknowledgement."""

import asyncio
from pathlib import Path

import structlog

from beats_signer.sign.founding import initialise
from beats_signer.sign.naming import Template
from beats_signer.sign.routing import Condition, Routing, Rule
from beats_signer.sign.signer import SigningSettings, open_signer
from beats_signer.sign.window import Source, Window
from beats_signer.store.block import open_block, split_blocks
from beats_signer.store.contract import Sealed
from tests.fakes.memory import MemoryStore

SIGNER = "audit-1"
RULES = Routing(
    rules=(
        Rule(conditions=(Condition("to", ("a",)),), stream=Template("a")),
        Rule(
            conditions=(Condition("to", ("b",)),),
            tenant=Template("acme"),
            stream=Template("{to}"),
            target=Template("own-{stream}"),
            retention_days=90,
        ),
    )
)


class Placing(MemoryStore):
    """Remembers the destinations of what it encodes, by origin."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, list[str | None]] = {}

    def encode(self, sealed: Sealed) -> bytes:
        name = sealed.seal.origin.rpartition("/")[0]
        self.places.setdefault(name, []).extend(
            one.target if one else None for one in sealed.destinations or ()
        )
        return super().encode(sealed)

    def founding(self, name: str) -> str:
        return self.writes[self.chain(name)][0].record.body

    def chain(self, name: str) -> bytes:
        (chain,) = [
            c for origin, c in self.origins().items() if origin.startswith(name)
        ]
        return chain

    def payloads(self, name: str) -> list[bytes]:
        return [
            bytes(payload)
            for _, write in sorted(self.writes[self.chain(name)].items())
            for block in split_blocks(write.body, write.seal.first)
            for payload in open_block(block.data).payloads
        ]


def window(*names: str, number: int = 1) -> Window:
    payloads = tuple(
        b'{"to":"%s","n":%d}' % (n.encode(), i) for i, n in enumerate(names)
    )
    return Window(
        source=Source("web-1", None, "192.0.2.7", "192.0.2.7:1", "c1", 1),
        number=number,
        arrival=number,
        received=1,
        version=2,
        size=len(names),
        forms=b"J" * len(names),
        payloads=payloads,
        payload_bytes=sum(map(len, payloads)),
    )


async def test_each_event_is_sealed_in_the_chain_it_belongs_to(tmp_path: Path) -> None:
    store = Placing()
    path = tmp_path / "state"
    initialise(
        path, signer=SIGNER, heartbeat_seconds=60, encode=store.encode, clock=lambda: 1
    )
    log = structlog.get_logger()
    signer, lock = open_signer(path, SIGNER, store, SigningSettings(routing=RULES), log)
    sent = window("a", "b", "c", "a", "b")

    async with signer.running():
        async with asyncio.timeout(10):
            await signer.append(sent)
            signer.acknowledged("c1", 1)
            signer.lost("c1")
            await signer.stop()
        counted = signer.status()["astray_events"]
    lock.release()

    a0, b1, c2, a3, b4 = sent.payloads
    assert store.payloads("audit-1/default/a/") == [a0, a3]
    assert store.payloads("audit-1/acme/b/") == [b1, b4]
    assert store.payloads("audit-1/default/generic/") == [c2]
    assert '"retention_days":90' in store.founding("audit-1/acme/b/")
    assert store.places["audit-1/acme/b"] == ["own-b", "own-b"]
    assert store.places["audit-1/default/a"] == []
    assert counted == {"no_match": 1, "invalid_name": 0, "too_many": 0}
