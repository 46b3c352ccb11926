"""Events that no mapping or pipeline takes, sent by a real client among others."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from beats_signer.cli.sample import sample_events
from tests.elasticsearch.asking import JSON, put_pipeline
from tests.end_to_end.conftest import MakeSigner
from tests.peers.peer import Client, Link, Peer

pytestmark = pytest.mark.peers

BARE, NO_PIPELINE, WRAPPED = (
    "_beats_signer_bare",
    "_beats_signer_no_pipeline",
    "_beats_signer_wrapped",
)
COMPONENT = "beats-signer@custom"
PIPELINES: dict[str, dict[str, Any]] = {
    "dropping": {"drop": {}},
    "failing": {"fail": {"message": "it fails"}},
    "renaming": {"rename": {"field": "absent", "target_field": "renamed"}},
}


@dataclass(frozen=True, slots=True)
class Poison:
    """An event, and the tag that its document has to have."""

    payload: bytes
    tag: str


def kind(name: str) -> bytes:
    return json.dumps({"kind": name, "code": 7}).encode()


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


POISONS = {
    "a value that is not of its field's type": Poison(b'{"code":{"deep":1}}', BARE),
    "a pipeline that does not exist": Poison(kind("missing"), NO_PIPELINE),
    "a pipeline that drops it": Poison(kind("dropping"), BARE),
    "a pipeline that fails": Poison(kind("failing"), BARE),
    "a processor that cannot do it": Poison(kind("renaming"), BARE),
    "a key twice": Poison(b'{"a":1,"a":2}', BARE),
    "a keyword of 40 KB": Poison(b'{"huge":"%b"}' % (b"x" * 40_000), BARE),
    "objects 40 deep": Poison(nested(40), BARE),
    "objects 5000 deep": Poison(nested(5000), WRAPPED),
    "1500 fields": Poison(
        json.dumps({f"field-{n}": n for n in range(1500)}).encode(), BARE
    ),
    "an array": Poison(b"[1,2,3]", WRAPPED),
    "no JSON at all": Poison(b"Zo\xc3\xab says {", WRAPPED),
    "our own name": Poison(b'{"beats_signer":{"chain":"mine"}}', WRAPPED),
    "a field with two dots": Poison(b'{"a..b":1}', BARE),
    "an empty name": Poison(b'{"":1}', BARE),
}


@pytest.fixture(autouse=True)
def mapped(client: Elasticsearch) -> Iterator[None]:
    """Give events a mapping and pipelines that not all of them suit."""
    properties = {"code": {"type": "long"}, "huge": {"type": "keyword"}}
    path = f"/_component_template/{COMPONENT}"
    body = {"template": {"mappings": {"properties": properties}}}
    client.perform_request("PUT", path, headers=JSON, body=body)
    for name, processor in PIPELINES.items():
        put_pipeline(client, name, processor)
    yield
    # What is composed of it may stay: it need not be there.
    client.options(ignore_status=(400, 404)).perform_request(
        "DELETE", path, headers={"accept": "application/json"}
    )


def test_poison_events_hold_up_nobody_and_are_all_there(
    make_signer: MakeSigner, client: Elasticsearch
) -> None:
    rules = [
        {"when": {"fields": {"kind": [name]}}, "pipeline": name}
        for name in (*PIPELINES, "missing")
    ]
    signer = make_signer(routing={"rules": rules})
    usual = sample_events(2 * len(POISONS), host="web-1", seed=1)
    events: list[bytes] = []
    for place, poison in enumerate(POISONS.values()):
        events += [usual[2 * place], poison.payload, usual[2 * place + 1]]

    order = {"window": 10, "compression": 3, "pipelining": 2}
    with Peer(Client.GO_LUMBER, signer, Link.MUTUAL_TLS, events, order) as peer:
        peer.finish()
    assert signer.end() == 0

    stored = signer.check_stored(events)
    assert (peer.acked[-1], peer.losses) == (len(events), [])
    assert stored.payloads == events
    tags = {one.payload: one.tags for one in stored.events}
    assert {what: tags[one.payload] for what, one in POISONS.items()} == {
        what: [one.tag] for what, one in POISONS.items()
    }
    assert all("message" in one.source for one in stored.events[::3])
    bare = {
        (stored.origin_of(one), one.signed["index"])
        for one in stored.events
        if BARE in one.tags
    }
    assert stored.listed_bare() == bare
