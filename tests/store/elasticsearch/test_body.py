"""The bytes of a write: what is sent for a seal and its entries."""

import json
from dataclasses import replace
from typing import Any

import pytest

from beats_signer.chain.encoding import decode_base64
from beats_signer.chain.merkle import leaf_hash
from beats_signer.chain.window import WindowRecord
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.places import (
    default_target,
    id_of,
    ids_of,
    seal_id,
    seals_index,
)
from beats_signer.store.elasticsearch.write.body import (
    BodyError,
    Part,
    build_body,
    build_part,
    open_part,
    split_body,
)
from tests.store.chains import SIGNER, Chain

LARGE = 1 << 30


def window(sender: str, events: int, received: int = 0) -> WindowRecord:
    peer = f"[2001:db8::{len(sender)}]:5044"
    return WindowRecord(sender, None, peer, "c", 1, 2, events, events, received)


def lines(sealed: Sealed, **options: Any) -> list[dict[str, Any]]:
    """Return action, document and so on as values."""
    body = build_body(sealed, LARGE, **options)
    return [json.loads(line) for part in split_body(body) for line in open_part(part)]


def documents(sealed: Sealed, **options: Any) -> list[dict[str, Any]]:
    return lines(sealed, **options)[1:-1:2]


def actions(sealed: Sealed) -> list[dict[str, Any]]:
    return [line["create"] for line in lines(sealed)[::2]]


def test_an_event_has_the_signed_object_beside_its_fields() -> None:
    chain = Chain()
    payload = b'{"@timestamp":"2026-11-23T09:00:00Z","@metadata":{},"message":"x"}'
    sealed = replace(chain.events([payload]), windows=(window("web-1", 1),))

    (document,) = documents(sealed)
    assert document == {
        "beats_signer": {
            "chain": chain.id.hex()[:32],
            "index": 0,
            "seal": 1,
            "form": "J",
            "sender": "web-1",
            "payload": payload.decode(),
        },
        "@timestamp": "2026-11-23T09:00:00Z",
        "message": "x",
    }


def test_a_name_is_chain_index_and_leaf() -> None:
    chain = Chain()
    chain.events([b"1", b"2"])
    sealed = chain.events([b"3", b"4"])

    leaf = leaf_hash(b"J", b"4")
    raw = chain.id[:8] + (3).to_bytes(6, "big") + leaf[:7]
    name = actions(sealed)[1]["_id"]
    assert decode_base64(name.replace("-", "+").replace("_", "/"), "id", 21) == raw
    assert name == id_of(chain.id, 3, leaf)
    assert len(name) == 28


def test_names_sort_as_their_indexes_do() -> None:
    leaves = bytes(32 * 300)
    joined = ids_of(b"c" * 32, 0, leaves)
    names = [joined[at : at + 28] for at in range(0, len(joined), 28)]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    assert sorted(names, key=lambda name: [alphabet.index(c) for c in name]) == names
    assert len(set(names)) == 300


def test_entries_go_to_the_place_of_their_chain() -> None:
    sealed = Chain("nginx").events([b"{}"])

    assert [one["_index"] for one in actions(sealed)] == [
        "logs-nginx-acme",
        "beats-signer-seals-2026.11",
    ]
    assert default_target(SIGNER) == "beats-signer-catalogue"


def test_entries_go_where_routing_says() -> None:
    sealed = replace(
        Chain().events([b"{}"] * 4),
        destinations=[
            None,
            Destination("other", "clean"),
            Destination("other", "clean"),
            Destination("x"),
        ],
    )

    found = [(one["_index"], one.get("pipeline")) for one in actions(sealed)]
    assert found[:4] == [
        ("logs-syslog-acme", None),
        ("other", "clean"),
        ("other", "clean"),
        ("x", None),
    ]


def test_what_a_sender_chose_is_marked_and_not_sent() -> None:
    chosen = Destination("y", is_chosen_by_sender=True)
    sealed = replace(
        Chain().events([b"x" * 500] * 4),
        destinations=[None, chosen, Destination("x"), chosen],
    )

    parts = split_body(build_body(sealed, 2700))
    assert [(part.count, part.chosen) for part in parts] == [(2, (1,)), (3, (1,))]
    assert actions(sealed)[1].keys() == {"_index", "_id"}


def test_each_window_has_its_sender_and_time() -> None:
    hour = 3600 * 10**9
    sealed = replace(
        Chain().events([b"{}"] * 3),
        windows=(
            window('we"b\n1', 2, hour),
            replace(window("again", 2), events=0, same=0),
            window("web-2", 1, 2 * hour),
        ),
    )

    found = [
        (one["beats_signer"]["sender"], one["@timestamp"][11:16])
        for one in documents(sealed)
    ]
    assert found == [
        ('we"b\n1', "01:00"),
        ('we"b\n1', "01:00"),
        ("web-2", "02:00"),
    ]


def test_entries_without_a_window_are_those_of_the_signer() -> None:
    (document,) = documents(Chain().events([b"{}"]))

    assert document["beats_signer"]["sender"] == SIGNER


def test_the_sender_is_a_field_on_request() -> None:
    sealed = replace(Chain().events([b"{}"]), windows=(window("web-1", 1),))

    (document,) = documents(sealed, has_sender_fields=True)
    assert document["beats_signer_sender"] == {
        "name": "web-1",
        "address": "2001:db8::5",
    }


def test_bytes_that_are_no_text_are_base64() -> None:
    (document,) = documents(Chain().events([b"\xff\x00"]))

    assert document["beats_signer"]["payload_base64"] == "/wA="
    assert "payload" not in document["beats_signer"]


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x01" * 100_000, "payload"),
        (b"\x01" * 1_000_000, "payload_base64"),
        (b'"' * 1_000_000, "payload"),
        (b"x" * 2_000_000, "payload"),
    ],
    ids=["short", "escapes", "quotes", "text"],
)
def test_a_long_text_is_base64_where_escapes_would_make_it_much_longer(
    payload: bytes, key: str
) -> None:
    (document,) = documents(Chain().events([payload], b"L"))

    signed = document["beats_signer"]
    assert signed.keys() & {"payload", "payload_base64"} == {key}
    if key == "payload":
        assert signed[key].encode() == payload
    else:
        assert decode_base64(signed[key], "payload", len(payload)) == payload


def test_an_entry_of_an_erasable_chain_has_its_salt() -> None:
    sealed = Chain(erasable=True).events([b"{}", b"\xff"])
    assert sealed.entries.salts is not None

    for document, salt in zip(documents(sealed), sealed.entries.salts, strict=True):
        assert decode_base64(document["beats_signer"]["salt"], "salt", 16) == salt


@pytest.mark.parametrize("form", ["J", "L", "D"])
def test_every_form_is_named(form: str) -> None:
    payload = b"\0\0\0\0" if form == "D" else b"{}"
    (document,) = documents(Chain().events([payload], form.encode()))

    assert document["beats_signer"]["form"] == form


def test_a_seal_is_a_document_of_its_month() -> None:
    sealed = Chain().events([b"{}", b"{}"])
    action, document = lines(sealed)[-2:]

    assert action["create"] == {
        "_index": "beats-signer-seals-2026.11",
        "_id": f"{sealed.chain.hex()[:32]}-000000000001",
    }
    assert document == {
        "chain": sealed.chain.hex()[:32],
        "origin": sealed.seal.origin,
        "seal": 1,
        "kind": "events",
        "first": 0,
        "count": 2,
        "time": "2026-11-23T09:00:00.000000001Z",
        "note": sealed.record.note,
        "body": sealed.record.body,
        "leaves": document["leaves"],
    }
    assert decode_base64(document["leaves"], "leaves", 64) == sealed.record.leaves


def test_a_seal_without_entries_is_one_item() -> None:
    chain = Chain()
    for sealed in (chain.founding, chain.config()):
        (part,) = split_body(build_body(sealed, LARGE))
        assert part.count == 1


def test_months_are_those_of_utc() -> None:
    assert seals_index(0) == "beats-signer-seals-1970.01"
    assert seals_index(1_796_083_199_999_999_999) == "beats-signer-seals-2026.11"
    assert seals_index(1_796_083_200_000_000_000) == "beats-signer-seals-2026.12"
    assert seal_id(b"\xab" * 32, 7) == "ab" * 16 + "-000000000007"


def test_a_large_seal_is_several_requests_in_order() -> None:
    sealed = Chain().events([b"%d" % n for n in range(100)])
    parts = split_body(build_body(sealed, 3000))

    assert len(parts) > 5
    assert sum(part.count for part in parts) == 101
    joined = [line for part in parts for line in open_part(part)]
    (whole,) = split_body(build_body(sealed, LARGE))
    assert joined == open_part(whole)


def test_one_large_entry_is_one_request() -> None:
    sealed = Chain().events([b"x" * 10, b"y" * 10_000, b"z" * 10])
    parts = split_body(build_body(sealed, 3000))

    assert [part.count for part in parts] == [1, 1, 2]


def test_the_same_seal_has_the_same_bytes() -> None:
    sealed = Chain().events([b"{}"] * 10)

    assert build_body(sealed, 2000) == build_body(sealed, 2000)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Part(1, 10, b"not gzip"), "is cut"),
        (Part(1, 10, b"no gzip at all, but longer"), "does not inflate"),
        (Part(2, 6, build_part([b"{}\n", b"{}\n"]).data), "of 2 items has 2"),
        (Part(1, 5, build_part([b"{}\n", b"{}\n"]).data), "of 1 items has 2"),
        (Part(1, 7, build_part([b"{}\n", b"{}\n"]).data), "of 1 items has 2"),
        (Part(1, 5, build_part([b"{}\n", b"{}"]).data), "of 1 items has 1"),
        (Part(1, 6, build_part([b"{}\n", b"{}\n"]).data[:-1]), "is cut"),
    ],
)
def test_a_request_that_is_damaged_is_not_sent(part: Part, message: str) -> None:
    with pytest.raises(BodyError, match=message):
        open_part(part)


def test_a_carriage_return_does_not_end_a_line() -> None:
    part = build_part([b"{}\n", b'"\r"\n'])

    assert open_part(part) == [b"{}\n", b'"\r"\n']
