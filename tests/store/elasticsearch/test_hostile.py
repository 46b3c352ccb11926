"""Events that somebody has thought about: none stops its chain, none is lost."""

import base64
import json
from dataclasses import replace

import pytest

from beats_signer.chain.merkle import leaf_hash
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.places import id_of
from lumberjack import build_pairs
from tests.elasticsearch.asking import bulk, event, put_pipeline
from tests.elasticsearch.server import VERSION
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.rooms import append, opened, to_write

PATIENCE = 3

_LARGE_BYTES = (10 if VERSION.startswith("8.") else 3) << 20
"""From version 9 on, a document has at most a fiftieth of the heap."""


def nested(levels: int, opening: bytes, closing: bytes) -> bytes:
    return b'{"d":' + opening * levels + b"1" + closing * levels + b"}"


def keyed(key: str, value: str = "1") -> bytes:
    return f'{{"{key}":{value},"@timestamp":"2026-11-23T09:00:00Z"}}'.encode()


METADATA_FIELDS = [
    "_id",
    "_index",
    "_routing",
    "_version",
    "_version_type",
    "_source",
    "_seq_no",
    "_field_names",
    "_ignored",
    "_tier",
    "_type",
    "_ingest",
    "_op_type",
    "_if_seq_no",
    "_dynamic_templates",
]
NAMES = [
    "",
    " ",
    ".",
    "...",
    ".a",
    "a.",
    "a..b",
    "a. .b",
    "a\\u0000b",
    "\\u2028",
    "*",
    "@timestamp.x",
    "tags.x",
    "error.x",
    "beats_signer_sender.name.x",
    "x" * 40_000,
    "x" * 60_000,
]
HOSTILE = [
    *map(keyed, METADATA_FIELDS),
    *map(keyed, NAMES),
    keyed("_doc_count", "0"),
    keyed("n", "9" * 1001),
    keyed("n", "1e999999999"),
    keyed("n", "-1E-999999999"),
    keyed("error", '"text"'),
    keyed("tags", '{"a":1}'),
    keyed("beats_signer_sender", '"web-1"'),
    keyed("x", '[1,{"y":2},[3,"4"]]'),
    keyed("long", '"' + "x" * 40_000 + '"'),
    keyed("many", "{" + ",".join(f'"k{n}":1' for n in range(1100)) + "}"),
    b'{"a":1,"a":2}',
    b'{"@timestamp":"2026-11-23T09:00:00Z","@timestamp":"2026-11-23T09:00:01Z"}',
    b'{"@timestamp":["2026-11-23T09:00:00Z"]}',
    b'{"o":1,"o.p":2}',
    b'{"o.p":1,"o":{"p":2}}',
    b'{"data_stream":{"type":"metrics","dataset":"other","namespace":"other"}}',
    b'{"@metadata":{"pipeline":"x","_id":"y","index":"z"},"a":1}',
    b'{"beats\\u005fsigner":{"index":0},"beats_signer.payload":"x"}',
    b'{"create":{"_index":"other"}}\n{"a":1}',
    *(nested(levels, b"[", b"]") for levels in (20, 100, 499, 500, 997, 3000)),
    *(nested(levels, b'{"d":', b"}") for levels in (19, 20, 21, 499, 500, 3000)),
]


def names(sealed: Sealed) -> list[str]:
    first, leaves = sealed.seal.first, sealed.record.leaves
    return [
        id_of(sealed.chain, first + n, leaves[n * 32 : n * 32 + 32])
        for n in range(sealed.seal.count)
    ]


async def stored(place: Place, sealed: Sealed) -> tuple[int, ...]:
    async with opened(place.access) as store:
        return (await append(store, to_write(store, sealed), PATIENCE)).bare


def leaves(place: Place, sealed: Sealed) -> bytes:
    """Return the leaves of what is stored under the names of the entries."""
    documents = place.documents()
    found = []
    for name in names(sealed):
        signed = documents[name]["beats_signer"]
        text = signed.get("payload")
        data = base64.b64decode(signed["payload_base64"]) if text is None else text
        payload = data if isinstance(data, bytes) else data.encode()
        found.append(leaf_hash(signed["form"].encode(), payload))
    return b"".join(found)


@pytest.mark.parametrize("has_pipeline", [False, True])
async def test_no_event_stops_its_chain_or_loses_its_payload(
    place: Place, has_pipeline: bool
) -> None:
    put_pipeline(place.client, place.target, {"set": {"field": "z", "value": "1"}})
    through = Destination(place.target, place.target if has_pipeline else None)
    sealed = place.chain.events(HOSTILE)
    sealed = replace(sealed, destinations=[through] * len(HOSTILE))
    bare = await stored(place, sealed)

    assert leaves(place, sealed) == sealed.record.leaves
    assert await stored(place, sealed) == bare  # and it is recognised


async def test_lines_and_pairs_are_no_better(place: Place) -> None:
    pairs = [
        [(b"", b"x"), (b".", b"y"), (b"\xff", b"z"), (b"\xfe", b"z")],
        [(b"_id", b"x"), (b"@timestamp", b"\xff")],
        [(b"beats_signer", b"x"), (b"a", b"\0" * 100)],
        [(b"message", b"\n\r\xe2\x80\xa8")] * 3,
        [],
    ]
    payloads = [*map(build_pairs, pairs), *HOSTILE]
    forms = b"D" * len(pairs) + b"L" * len(HOSTILE)
    sealed = place.chain.events(payloads, forms)
    bare = await stored(place, sealed)

    found = place.documents()
    assert sorted(found) == sorted(names(sealed))
    assert await stored(place, sealed) == bare


async def test_an_event_of_megabytes_is_stored(place: Place) -> None:
    text = "x" * _LARGE_BYTES
    sealed = place.chain.events([b'{"message":"%b"}' % text.encode()])

    assert await stored(place, sealed) == ()
    (document,) = place.documents().values()
    assert document["message"] == text
    assert json.loads(document["beats_signer"]["payload"]) == {"message": text}


async def test_who_takes_our_name_before_us_is_gone_around(place: Place) -> None:
    sealed = place.chain.events([b'{"n":1}', b'{"n":2}'])
    bulk(place.client, place.target, [(names(sealed)[1], event(n=3))])

    assert await stored(place, sealed) == ()
    found = {name: one["n"] for name, one in place.documents().items()}
    first, second = names(sealed)
    assert found == {first: 1, second: 3, f"{second}.1": 2}
    assert await stored(place, sealed) == ()
    assert len(place.documents()) == 3
