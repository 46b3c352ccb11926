"""Bare documents come back on the fake server and on a real one alike."""

from pathlib import Path
from typing import Any

import pytest

from tests.elasticsearch.asking import bulk, put_pipeline
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.recovering import (
    FITTING,
    HOSTILE,
    POISON,
    Bared,
    leaf_of,
    members,
)


@pytest.fixture
def bared(place: Place, tmp_path: Path) -> Bared:
    """Give a signer that nobody else has used."""
    return Bared(place, tmp_path / "state", place.target.replace("_", "-"))


def signed(hits: list[Any]) -> list[Any]:
    """Return where documents stand, and what is signed of them."""
    return [(hit["_index"], hit["_id"], hit["_source"]["beats_signer"]) for hit in hits]


async def test_a_bare_document_becomes_what_it_would_have_been(bared: Bared) -> None:
    """Verification needs no rule for it: listed as bare, it is like any other."""
    await bared.store(FITTING, POISON)
    before = bared.hits()
    bared.mend()

    report = await bared.recover()

    after = bared.hits()
    assert (report.recovered, report.bare, report.exit_code) == (1, 1, 0)
    assert "n" not in before[1]["_source"]
    assert after[1]["_source"] == members(POISON) | {
        "beats_signer": before[1]["_source"]["beats_signer"]
    }
    assert signed(after) == signed(before)
    assert after[0] == before[0]


async def test_a_second_run_finds_nothing_though_searches_lag_behind(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON, POISON)
    bared.refresh()
    bared.mend()
    await bared.recover()

    report = await bared.recover()

    assert (report.bare, report.exit_code) == (0, 0)


async def test_a_document_without_any_tag_is_found_by_the_catalogue(
    bared: Bared,
) -> None:
    await bared.store(HOSTILE, POISON)
    before = bared.hits()
    assert before[1]["_source"].keys() == {"@timestamp", "beats_signer"}
    bared.mend()

    report = await bared.recover()

    assert report.recovered == 1
    after = bared.hits()
    assert after[1]["_source"]["n"] == "x"
    assert after[1]["_source"]["@timestamp"] == "2026-11-23T09:00:01Z"
    assert signed(after) == signed(before)


async def test_a_document_that_is_not_listed_yet_is_found_by_its_tag(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON, is_listed=False)
    bared.refresh()
    bared.mend()

    assert (await bared.recover()).recovered == 1


async def test_an_event_without_a_time_keeps_that_of_its_bare_document(
    bared: Bared,
) -> None:
    await bared.store(b'{"n":1}', b'{"n":"x"}')
    before = bared.sources()
    bared.mend()

    await bared.recover()

    assert bared.sources()[1]["@timestamp"] == before[1]["@timestamp"]


async def test_what_is_still_refused_stays_and_is_counted_with_its_reason(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON, b'{"n":"y"}', b'{"n":{"deep":1}}')
    before = bared.hits()

    report = await bared.recover()

    assert bared.hits() == before
    assert (report.bare, report.recovered, report.exit_code) == (3, 0, 1)
    assert {one.kind for one in report.refusals} == {"document_parsing_exception"}
    assert {one.target for one in report.refusals} == {bared.place.target}
    assert report.refusals.most_common(1)[0][1] >= 2
    examples = {name for _, name in report.examples.values()}
    assert examples <= {hit["_id"] for hit in before}


async def test_a_dry_run_says_what_would_be_and_changes_nothing(bared: Bared) -> None:
    await bared.store(FITTING, POISON)
    before = bared.hits()
    refused = await bared.recover(is_dry_run=True)
    bared.mend()

    accepted = await bared.recover(is_dry_run=True)

    assert bared.hits() == before
    assert (refused.recovered, refused.exit_code) == (0, 1)
    assert (accepted.recovered, accepted.exit_code) == (1, 0)
    assert "A dry run: nothing was changed." in list(accepted.lines())


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_the_pipeline_of_the_index_is_applied_once_it_is_mended(
    bared: Bared, is_dry_run: bool
) -> None:
    place = bared.place
    await bared.store(FITTING)
    put_pipeline(place.client, place.target, {"drop": {}})
    place.client.indices.put_settings(
        index=place.target, settings={"index.default_pipeline": place.target}
    )
    await bared.store(b'{"n":2}')
    bared.refresh()

    dropped = await bared.recover(is_dry_run=is_dry_run)
    assert [one.kind for one in dropped.refusals] == ["noop"]

    put_pipeline(place.client, place.target, {"set": {"field": "p", "value": "v"}})
    mended = await bared.recover(is_dry_run=is_dry_run)
    assert (mended.recovered, mended.exit_code) == (1, 0)
    shown = bared.sources()[1]
    assert (shown.get("p"), shown.get("n")) == ((None, None), ("v", 2))[not is_dry_run]


async def test_a_pipeline_that_rules_name_is_applied(bared: Bared) -> None:
    await bared.store(FITTING, POISON)
    bared.refresh()
    put_pipeline(bared.place.client, bared.place.target, {"remove": {"field": "n"}})
    put_pipeline(
        bared.place.client,
        f"{bared.place.target}-x",
        {"set": {"field": "p", "value": 1}},
    )
    asked = []

    def pipeline_of(bare: Any) -> str:
        asked.append((bare.sender, bare.payload, bare.origin.split("/")[-2]))
        return f"{bared.place.target}-x"

    bared.mend()
    report = await bared.recover(pipeline_of=pipeline_of)

    assert report.recovered == 1
    assert bared.sources()[1]["p"] == 1
    assert asked == [("web-1", POISON, bared.place.target.split("-")[1])]


async def test_a_pipeline_that_does_not_exist_leaves_the_document_bare(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON)
    before = bared.hits()
    bared.mend()

    report = await bared.recover(pipeline_of=lambda bare: "no-such")

    assert bared.hits() == before
    (refusal,) = report.refusals
    assert refusal.reason == "pipeline with id [no-such] does not exist"


@pytest.mark.parametrize("is_dry_run", [True, False])
@pytest.mark.parametrize(
    "processor",
    [
        {"remove": {"field": "beats_signer"}},
        {"set": {"field": "beats_signer.payload", "value": "{}"}},
    ],
    ids=["removed", "changed"],
)
async def test_what_is_signed_survives_a_pipeline_that_spoils_it(
    bared: Bared, processor: dict[str, Any], is_dry_run: bool
) -> None:
    await bared.store(FITTING, POISON)
    before = bared.sources()
    put_pipeline(bared.place.client, bared.place.target, processor)
    bared.mend()

    report = await bared.recover(
        pipeline_of=lambda bare: bared.place.target, is_dry_run=is_dry_run
    )

    assert bared.sources() == before
    assert [one.kind for one in report.refusals] == ["spoilt"]
    assert report.exit_code == 1


async def test_a_document_whose_payload_is_another_is_not_touched(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON)
    bad = bared.hits()[1]
    source = bad["_source"] | {
        "beats_signer": bad["_source"]["beats_signer"] | {"payload": '{"n":2}'}
    }
    bared.place.client.index(
        index=bad["_index"],
        id=bad["_id"],
        document=source,
        if_seq_no=bad["_seq_no"],
        if_primary_term=bad["_primary_term"],
    )
    before = bared.hits()

    report = await bared.recover()

    assert bared.hits() == before
    (refusal,) = report.refusals
    assert refusal.kind == "mismatch"
    assert refusal.reason == (
        "not touched: its payload is not the one that its _id names"
    )
    assert report.examples[refusal] == (bad["_index"], bad["_id"])


async def test_an_event_that_had_to_take_another_name_is_recovered_under_it(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON)
    own = bared.hits()[1]
    bulk(bared.place.client, bared.place.target, [(f"{own['_id']}.9", own["_source"])])
    bared.place.client.delete(index=own["_index"], id=own["_id"])
    bared.refresh()
    bared.mend()

    report = await bared.recover()

    assert report.recovered == 1
    (_, renamed) = bared.hits()
    assert (renamed["_id"], renamed["_source"]["n"]) == (f"{own['_id']}.9", "x")


async def test_a_copy_behind_a_rollover_is_recovered_in_its_own_index(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON)
    bared.place.client.indices.rollover(alias=bared.place.target)
    await bared.store(b'{"n":2}', b'{"n":"y"}')
    bared.refresh()
    before = signed(bared.hits())
    bared.mend()

    report = await bared.recover()

    assert report.recovered == 2
    assert len({index for index, _, _ in before}) == 2
    assert signed(bared.hits()) == before


async def test_a_plain_index_is_recovered_as_well(bared: Bared) -> None:
    place = bared.place
    place.client.indices.delete_index_template(name=place.target)
    place.client.indices.create(
        index=place.target, mappings={"properties": {"n": {"type": "long"}}}
    )
    await bared.store(FITTING, POISON)
    bared.refresh()
    bared.mend()

    assert (await bared.recover()).recovered == 1
    assert bared.sources()[1]["n"] == "x"


async def test_a_closed_index_is_named_and_the_others_are_recovered(
    bared: Bared,
) -> None:
    await bared.store(FITTING, POISON)
    closed = bared.hits()[0]["_index"]
    bared.place.client.indices.rollover(alias=bared.place.target)
    await bared.store(b'{"n":2}', b'{"n":"y"}')
    bared.refresh()
    bared.mend()
    bared.place.client.indices.close(index=closed)

    report = await bared.recover()

    assert (report.recovered, report.exit_code) == (1, 2)
    assert [*report.undecided] == [
        f"{closed} is closed, and what it holds was not looked at: open it, and run "
        "this again"
    ]


@pytest.mark.parametrize(
    ("options", "recovered"),
    [
        ({"patterns": ("logs-elsewhere-*",)}, 0),
        ({"since": "2026-11-23T09:00:02Z"}, 0),
        ({"until": "2026-11-23T09:00:01Z"}, 0),
        ({"since": "2026-11-23T09:00:01Z", "until": "2026-11-23T09:00:02Z"}, 1),
    ],
)
async def test_only_what_is_asked_for_is_looked_at(
    bared: Bared, options: dict[str, Any], recovered: int
) -> None:
    await bared.store(FITTING, POISON)
    bared.refresh()
    bared.mend()

    assert (await bared.recover(**options)).recovered == recovered


async def test_a_name_with_nothing_behind_it_has_nothing_to_do(bared: Bared) -> None:
    await bared.store(FITTING)

    report = await bared.recover(patterns=["no-such-index", "no-such-*"])

    assert [*report.lines()] == [
        f"no bare documents of {bared.name} in no-such-index, no-such-*: nothing to do"
    ]


async def test_the_sender_is_shown_as_when_the_event_was_new(bared: Bared) -> None:
    await bared.store(FITTING, POISON)
    bared.refresh()
    bared.mend()

    await bared.recover(has_sender_fields=True)

    sender = {"name": "web-1", "address": "10.0.0.1"}
    assert bared.sources()[1]["beats_signer_sender"] == sender
    assert (await bared.recover(has_sender_fields=True)).bare == 0


async def test_the_leaf_is_that_of_the_name_before_and_after(bared: Bared) -> None:
    await bared.store(FITTING, POISON)
    before = [leaf_of(one) for one in bared.sources()]
    bared.mend()
    await bared.recover()

    assert [leaf_of(one) for one in bared.sources()] == before
