"""Whole worlds in Elasticsearch verify, wherever and however they stand there."""

import json
from typing import Any

import pytest

from beats_signer.chain.findings import Document
from beats_signer.store.contract import Destination
from beats_signer.verify.report import Verdict
from beats_signer.verify.text import write_report
from tests.elasticsearch.asking import put_pipeline
from tests.verify.signer import events
from tests.verify.stored import Stored
from tests.verify.test_elasticsearch_damage import edit, found
from tests.verify.verifying import information, wrong


def verified(stored: Stored, entries: int = 17) -> None:
    """Verify, and expect nothing wrong and every event compared."""
    report = stored.verify()

    assert wrong(report) == []
    assert report.verdict is Verdict.VERIFIED
    assert (report.entries, report.compared) == (entries, entries)


def test_a_whole_signer_is_verified(anywhere: Stored) -> None:
    report = anywhere.verify()

    assert wrong(report) == information(report) == []
    assert report.verdict is Verdict.VERIFIED
    assert (report.entries, report.compared, report.bare) == (17, 17, 0)
    first = next(write_report(report))
    assert "visible fields of 17 events compared" in first
    assert "Elasticsearch shows" not in first


def test_each_of_many_damages_is_named_with_its_document(anywhere: Stored) -> None:
    stored, chain = anywhere, anywhere.chain
    altered = stored.change(stored.find(chain, 1), edit(payload="{}"))
    deleted = stored.delete(stored.find(chain, 3))
    shown = stored.change(stored.find(chain, 5), lambda one: one.update(message="?"))
    one, other = stored.find(chain, 6), stored.find(chain, 8)
    stored.change(one, edit(index=8))
    stored.change(other, edit(index=6))
    source = stored.read(stored.find(chain, 9))
    copy, second, last, alien = (
        Document(shown.index, name) for name in ("copy", "second", "last", "alien")
    )
    stored.write(copy, source)
    stored.write(
        second, source | {"beats_signer": source["beats_signer"] | {"index": 10}}
    )
    stored.write(
        last, source | {"beats_signer": source["beats_signer"] | {"index": 15}}
    )
    stored.write(
        alien, source | {"beats_signer": source["beats_signer"] | {"chain": "a"}}
    )
    seal = stored.change(stored.find_seal(chain, 5), lambda one: one.update(body="{}"))

    report = stored.verify()

    assert sorted(found(report), key=str) == sorted(
        [
            ("modified entry in audit: entry 1 of seal 1", (altered,)),
            (
                "missing entries in audit: entry 3 of seal 2",
                (Document("", deleted.id),),
            ),
            ("drift fields in audit: entry 5 of seal 2", (shown,)),
            ("modified entry in audit: entry 6 of seal 3", (other,)),
            ("modified entry in audit: entry 8 of seal 3", (one,)),
            ("foreign second in audit: entry 10 of seal 4", (second,)),
            ("foreign entries in audit: entry 15", (last,)),
            ("foreign chain in catalogue", (alien,)),
            ("modified body in audit: seal 5", (seal,)),
        ],
        key=str,
    )
    assert information(report) == ["duplicate copy in audit: entry 9 of seal 4"]


def test_documents_after_a_rollover_are_copies(anywhere: Stored) -> None:
    anywhere.client.indices.rollover(alias=anywhere.target)
    anywhere.store()

    report = anywhere.verify()

    assert wrong(report) == []
    assert information(report) == ["duplicate copy in audit: entries 0-14 of seals 1-5"]
    assert report.entries == 17


LARGE = [
    json.dumps({"message": "x" * 40_000}).encode(),
    json.dumps({"nested": {"text": "\u00e9" * 500_000}}).encode(),
]


def test_large_payloads_survive(anywhere: Stored) -> None:
    anywhere.chain.events(LARGE)
    anywhere.store()

    verified(anywhere, 19)


ODD = [
    b'{"@timestamp":"2026-11-23T08:59:59.123456Z","n":1.00,"tags":["b","a","b"]}',
    b'{"z":null,"e":[],"o":{},"a":{"b.c":[3,1,3],"d":[[1],[2]]}}',
    b'{"list":[{"x":1,"y":"k"},{"x":2}],"flag":true,"float":3.14159265358979}',
    b'{"@timestamp":"?","message":"no time"}',
    b"no json at all",
    b'{"beats_signer":{"index":1}}',
    b'{"@metadata":{"beat":"x"},"message":"hidden","only":["one"]}',
    b'{"text":"\\u00e9\\n","long":9007199254740993,"ip":"2001:DB8::1"}',
]


def add_odd(stored: Stored) -> None:
    """Seal events that no server keeps as they are, and store everything."""
    stored.chain.events(ODD)
    stored.store()


def test_odd_events_are_verified(anywhere: Stored) -> None:
    add_odd(anywhere)

    verified(anywhere, 25)


@pytest.mark.elasticsearch
@pytest.mark.parametrize(
    "settings",
    [
        {"index.mapping.source.mode": "synthetic"},
        {"index.mode": "logsdb"},
        {"index.mode": "logsdb", "index.mapping.source.mode": "synthetic"},
    ],
    ids=lambda settings: "-".join(settings.values()),
)
def test_a_source_that_the_server_makes_up_is_verified(
    really_unstored: Stored, settings: dict[str, Any]
) -> None:
    stored = really_unstored
    target = f"made-{stored.world.tenant}"
    properties = {"ip": {"type": "ip"}, "host": {"type": "object"}}
    stored.client.indices.put_index_template(
        name=target,
        index_patterns=[target],
        priority=5000,
        composed_of=["beats-signer-event"],
        template={"settings": settings, "mappings": {"properties": properties}},
    )
    stored.chain.events([*ODD, *LARGE])
    stored.destination = Destination(target)
    stored.store()

    verified(stored, 27)


def test_pipelines_that_add_rename_and_remove_fields_are_forgiven(
    unstored: Stored,
) -> None:
    put_pipeline(
        unstored.client,
        unstored.target,
        {"set": {"field": "geo.city", "value": "Bern"}},
        {"rename": {"field": "message", "target_field": "event.original"}},
    )
    unstored.destination = Destination(unstored.target, unstored.target)
    unstored.derived = ("geo.*", "message", "event.original")
    unstored.store()

    verified(unstored)


def test_what_pipelines_do_unannounced_is_drift(stored: Stored) -> None:
    put_pipeline(
        stored.client,
        stored.target,
        {"set": {"field": "geo.city", "value": "Bern"}},
        {"remove": {"field": "message"}},
    )
    stored.destination = Destination(stored.target, stored.target)
    stored.chain.events(events(15, 1))
    stored.derived = ("geo",)
    stored.store()

    report = stored.verify()

    assert wrong(report) == ["drift fields in audit: entry 15 of seal 6"]
    assert "(message)" in report.open_findings[0].message


def test_fields_with_the_sender_are_the_signers_own(stored: Stored) -> None:
    document = stored.find(stored.chain, 7)
    sender = {"name": "web-1.example.com", "address": "192.0.2.7"}
    stored.change(document, lambda one: one.update(beats_signer_sender=sender))
    verified(stored)

    other = sender | {"name": "web-2"}
    stored.change(document, lambda one: one.update(beats_signer_sender=other))
    assert wrong(stored.verify()) == ["drift fields in audit: entry 7 of seal 3"]


def test_documents_that_were_indexed_anew_are_verified(unstored: Stored) -> None:
    """They were copied into an index that no template knows, under other names."""
    copied = f"copied-{unstored.world.tenant}"
    unstored.destination = Destination(f"first-{unstored.world.tenant}")
    add_odd(unstored)
    for index in range(unstored.chain.entries):
        document = unstored.find(unstored.chain, index)
        unstored.write(Document(copied, f"n{index}"), unstored.read(document))
    unstored.client.indices.delete(index=unstored.destination.target)

    verified(unstored, 25)


def test_documents_that_were_written_again_in_place_are_verified(
    anywhere: Stored,
) -> None:
    for index in range(anywhere.chain.entries):
        anywhere.change(anywhere.find(anywhere.chain, index), lambda source: None)

    verified(anywhere)
