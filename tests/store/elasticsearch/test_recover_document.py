"""Which documents are bare, and what becomes of them; no server is asked."""

import base64
import json
from typing import Any

import pytest

from beats_signer.chain.merkle import leaf_hash
from beats_signer.store.elasticsearch.places import id_of
from beats_signer.store.elasticsearch.recover.document import (
    MismatchError,
    Present,
    check_name,
    examine,
)
from beats_signer.store.elasticsearch.write.lines import build_entry_lines
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.rendering import Item, Rendering, render
from tests.store.chains import Chain

CHAIN = Chain()
DIGITS = CHAIN.id.hex()[:32]
ORIGINS = {DIGITS: CHAIN.origin}
TIME = "2026-11-23T09:00:00.000000000Z"
WHY = Outcome(Verdict.REJECTED, "document_parsing_exception", "it did not fit")
PAIRS = b"\x00\x00\x00\x01\x00\x00\x00\x01a\x00\x00\x00\x01b"

ODD = [
    (b"J", b'{"n":1}'),
    (b"J", b'{"@timestamp":"2026-11-22T09:00:00Z","n":1,"tags":["a"],"error":"e"}'),
    (b"J", b'{"@metadata":{"x":1},"n":1}'),
    (b"J", b'{"@timestamp":"?","n":1}'),
    (b"J", b'{"beats_signer":{"index":7}}'),
    (b"J", b"null"),
    (b"J", b"\xff\xfe"),
    (b"J", b'{"a":\r\n1}\n'),
    (b"L", b'{"n":1}'),
    (b"L", b"a line"),
    (b"D", PAIRS),
]
"""Forms and payloads, each with something to be seen."""


def stored(
    form: bytes, payload: bytes, rendering: Rendering, *, erasable: bool = False
) -> Present:
    """Return an event as it was stored."""
    chain = Chain(erasable=erasable)
    action, document = build_entry_lines(chain.events([payload], form))
    item = Item(0, action, document, Rendering.FULL)
    if rendering is not Rendering.FULL:
        item = render(item, rendering, WHY, target="logs-syslog-acme", time=TIME)
    return Present(("index", item.place[1]), item.document.rstrip(b"\n"), 3, 1)


def document(payload: bytes, form: bytes = b"J", **members: Any) -> Present:
    """Return a document of this payload, under the name that is its own."""
    leaf = leaf_hash(form, payload)
    signed = {
        "chain": DIGITS,
        "index": 0,
        "seal": 1,
        "form": form.decode(),
        "sender": "web-1",
        "payload": payload.decode(),
    }
    source = json.dumps({"beats_signer": signed, "@timestamp": TIME, **members})
    return Present(("index", id_of(CHAIN.id, 0, leaf)), source.encode(), 3, 1)


@pytest.mark.parametrize("rendering", [Rendering.BARE, Rendering.MINIMAL])
@pytest.mark.parametrize(("form", "payload"), ODD)
@pytest.mark.parametrize("erasable", [False, True])
def test_what_becomes_of_it_is_what_it_would_have_been_but_for_the_time(
    form: bytes, payload: bytes, rendering: Rendering, erasable: bool
) -> None:
    full = stored(form, payload, Rendering.FULL, erasable=erasable)
    bare = stored(form, payload, rendering, erasable=erasable)
    origins = {Chain(erasable=erasable).id.hex()[:32]: CHAIN.origin}

    found = examine(bare, origins)

    assert found is not None
    assert found.document.count(b"\n") == 1
    expected, became = json.loads(full.source), json.loads(found.document)
    if expected["@timestamp"] != "2026-11-22T09:00:00Z":
        expected["@timestamp"] = json.loads(bare.source)["@timestamp"]
    assert became == expected
    signed = full.source.partition(b',"@timestamp"')[0]
    assert bare.source.startswith(signed)
    assert found.document.startswith(signed)
    assert (found.form, found.payload) == (form[0], payload)


@pytest.mark.parametrize(("form", "payload"), ODD)
def test_a_document_that_shows_its_event_is_not_bare(
    form: bytes, payload: bytes
) -> None:
    assert examine(stored(form, payload, Rendering.FULL), ORIGINS) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"@timestamp":"2026-11-22T09:00:00Z"}',
        b'{"error":{"message":"m"},"tags":["_beats_signer_bare"]}',
        b'{"tags":["_beats_signer_bare"],"n":1}',
    ],
)
def test_an_event_that_looks_bare_by_itself_is_found_no_second_time(
    payload: bytes,
) -> None:
    bare = examine(stored(b"J", payload, Rendering.BARE), ORIGINS)
    assert bare is not None

    again = Present(bare.present.place, bare.document, 4, 1)

    assert examine(again, ORIGINS) is None


def test_a_bare_document_that_a_final_pipeline_added_to_is_bare() -> None:
    bare = document(b'{"n":1}', tags=["_beats_signer_bare"], event={"ingested": TIME})

    found = examine(bare, ORIGINS)

    assert found is not None
    assert json.loads(found.document)["n"] == 1


def test_a_document_without_the_tag_that_shows_something_is_not_bare() -> None:
    assert examine(document(b'{"n":1}', event={"ingested": TIME}), ORIGINS) is None


def test_a_signed_object_under_dotted_names_keeps_them() -> None:
    bare = document(b'{"n":1}')
    members = json.loads(bare.source)
    signed = members.pop("beats_signer")
    dotted = {f"beats_signer.{key}": value for key, value in signed.items()}
    source = json.dumps({**members, **dotted}).encode()

    found = examine(Present(bare.place, source, 3, 1), ORIGINS)

    assert found is not None
    assert json.loads(found.document) == {**dotted, "n": 1, "@timestamp": TIME}


@pytest.mark.parametrize("suffix", [".1", ".9"])
def test_the_names_of_events_whose_first_was_taken_are_theirs(suffix: str) -> None:
    bare = document(b'{"n":1}')
    index, name = bare.place

    assert examine(Present((index, name + suffix), bare.source, 3, 1), ORIGINS)


@pytest.mark.parametrize("suffix", [".0", ".10", ".", ".1.1", "x"])
def test_a_name_that_nobody_gives_is_refused(suffix: str) -> None:
    bare = document(b'{"n":1}')
    index, name = bare.place

    with pytest.raises(MismatchError, match="not the one that its _id names"):
        examine(Present((index, name + suffix), bare.source, 3, 1), ORIGINS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"payload": '{"n":2}'}, "not the one that its _id names"),
        ({"index": 1}, "not the one that its _id names"),
        ({"form": "L"}, "not the one that its _id names"),
        ({"chain": "0" * 32}, "not the one that its _id names"),
        ({"salt": base64.b64encode(bytes(16)).decode()}, "not the one that its _id"),
        ({"chain": "no hex"}, "no signed object that can be read"),
        ({"chain": None}, "no signed object that can be read"),
        ({"index": "1"}, "no signed object that can be read"),
        ({"index": -1}, "no signed object that can be read"),
        ({"index": 1 << 60}, "no signed object that can be read"),
        ({"payload": 7}, "not the one that its _id names"),
    ],
)
def test_a_document_that_is_not_what_it_is_named_is_refused(
    change: dict[str, Any], message: str
) -> None:
    bare = document(b'{"n":1}')
    members = json.loads(bare.source)
    members["beats_signer"] |= change
    changed = Present(bare.place, json.dumps(members).encode(), 3, 1)

    with pytest.raises(MismatchError, match=message):
        examine(changed, ORIGINS)
    with pytest.raises(MismatchError, match=message):
        check_name(changed)


def test_a_chain_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(MismatchError, match="none of this signer"):
        examine(document(b'{"n":1}'), {})


def test_a_block_of_pairs_that_is_none_is_refused() -> None:
    with pytest.raises(MismatchError, match="no block of pairs"):
        examine(document(b"\x00\x00\x00\x02", b"D"), ORIGINS)


@pytest.mark.parametrize("source", [b"", b"[]", b'{"a":', b'{"beats_signer":7}'])
def test_what_cannot_be_read_is_refused_where_a_name_is_checked(source: bytes) -> None:
    with pytest.raises(MismatchError):
        check_name(Present(("index", "name"), source, 3, 1))
