"""Setup makes what is missing, and leaves what is right; on fake and real server."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.store.elasticsearch.prepare.offer import Offer
from beats_signer.store.elasticsearch.prepare.plan import Change, Step
from beats_signer.store.elasticsearch.prepare.setup import Setup, build_resources
from beats_signer.store.elasticsearch.prepare.templates import TargetPattern
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.elasticsearch.server import Access

TARGETS = (
    TargetPattern("logs-*-setup", 90),
    TargetPattern("logs-nginx-setup", 400),
    TargetPattern("plain-setup-*", None),
)


def config(url: str = "http://127.0.0.1:9", **settings: Any) -> ElasticsearchConfig:
    return ElasticsearchConfig(hosts=(HostUrl(url),), indices=("plain-*",), **settings)


async def run(
    access: Access,
    *,
    dry_run: bool = False,
    targets: tuple[TargetPattern, ...] = TARGETS,
    is_overwriting: bool = False,
    **settings: Any,
) -> list[Step]:
    client = Client(access.url)
    try:
        setup = Setup(
            client,
            config(access.url, **settings),
            targets,
            is_overwriting=is_overwriting,
        )
        return [step async for step in setup.run(dry_run=dry_run)]
    finally:
        await client.close()


def changes(steps: list[Step]) -> dict[str, Change]:
    return {step.name: step.change for step in steps}


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        server.administration.secured = True
        yield server


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.elasticsearch)])
def server(request: pytest.FixtureRequest) -> Iterator[Access]:
    if request.param == "real":
        yield request.getfixturevalue("real_elasticsearch")
        return
    with Fake() as server:
        yield server.access


@pytest.mark.parametrize("lifecycle", ["ilm", "data_stream", "none"])
async def test_a_second_run_changes_nothing(server: Access, lifecycle: str) -> None:
    await run(server, lifecycle=lifecycle)

    second = await run(server, lifecycle=lifecycle)

    done = {step.change for step in second} - {Change.LEFT_OUT, Change.UNUSED}
    assert done == {Change.UNCHANGED}


async def test_a_dry_run_says_what_would_be_made_and_makes_nothing(fake: Fake) -> None:
    steps = await run(fake.access, dry_run=True)

    assert set(changes(steps).values()) == {Change.CREATED}
    assert not {one.method for one in fake.requests} - {"GET"}


async def test_everything_is_made_in_an_order_in_which_it_can_be(fake: Fake) -> None:
    steps = await run(fake.access)

    kinds = [step.kind for step in steps]
    assert kinds == sorted(kinds, key=ORDER.index)
    assert [s.name for s in steps if s.kind == "role"] == [
        f"beats-signer-{name}" for name in ("signer", "verifier", "reader", "repair")
    ]


ORDER = ["lifecycle policy", "component template", "index template", "role"]


async def test_what_somebody_changed_is_put_back(fake: Fake) -> None:
    await run(fake.access)
    path = "/_component_template/beats-signer-event"
    mappings = fake.cluster.kept[path]["template"]["mappings"]
    mappings["properties"]["beats_signer"]["properties"]["payload"]["index"] = True

    steps = await run(fake.access)

    assert changes(steps)["beats-signer-event"] is Change.UPDATED
    assert {c for n, c in changes(steps).items() if n != "beats-signer-event"} == {
        Change.UNCHANGED
    }
    assert set(changes(await run(fake.access)).values()) == {Change.UNCHANGED}


async def test_what_an_older_version_made_is_updated(server: Access) -> None:
    await run(server)
    with server.connect() as client:
        client.cluster.put_component_template(
            name="beats-signer-event",
            template={"mappings": {"properties": {"old": {"type": "keyword"}}}},
            meta={"managed_by": "beats-signer", "digest": "older"},
        )

    steps = await run(server)

    (step,) = [one for one in steps if one.name == "beats-signer-event"]
    assert step.change is Change.UPDATED
    assert step.why == "it holds for what is made from now on, such as by a rollover"


async def test_what_somebody_else_made_is_not_replaced(server: Access) -> None:
    """Nothing else is put either: a half of setup would help nobody."""
    name = f"beats-signer-events-logs-{secrets.token_hex(4)}-theirs"
    mine = TargetPattern(name.removeprefix("beats-signer-events-"), 77)
    with server.connect() as client:
        client.indices.put_index_template(
            name=name, index_patterns=[f"{name}-other"], priority=1
        )
        with pytest.raises(RefusedError, match=f"the index template {name} is there"):
            await run(server, targets=(mine,))
        left = client.indices.get_index_template(name=name)["index_templates"][0]
        steps = await run(server, targets=(mine,), is_overwriting=True)
        now = client.indices.get_index_template(name=name)["index_templates"][0]
        client.indices.delete_index_template(name=name)

    assert left["index_template"]["index_patterns"] == [f"{name}-other"]
    assert changes(steps)[name] is Change.FOREIGN
    assert now["index_template"]["index_patterns"] == [mine.pattern]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_component_template/beats-signer-event", {"template": {}}),
        ("/_index_template/beats-signer-seals", {"index_patterns": ["x"]}),
        ("/_ilm/policy/beats-signer-90d", {"policy": {"phases": {}}}),
        ("/_security/role/beats-signer-reader", {"cluster": ["all"], "indices": []}),
    ],
)
async def test_a_name_of_ours_that_is_taken_stops_setup(
    fake: Fake, path: str, body: dict[str, Any]
) -> None:
    fake.cluster.kept[path] = body
    with pytest.raises(RefusedError, match="was not made by setup") as caught:
        await run(fake.access)

    assert "--overwrite" in caught.value.hint
    assert fake.cluster.kept == {path: body}


async def test_a_template_that_outranks_ours_is_named(server: Access) -> None:
    name = f"logs-{secrets.token_hex(4)}-rival"
    with server.connect() as client:
        client.indices.put_index_template(
            name=name, index_patterns=["x", f"{name[:-2]}*"], priority=4000
        )
        steps = await run(server, targets=(TargetPattern(name, None),))
        client.indices.delete_index_template(name=name)
        client.indices.delete_index_template(name=f"beats-signer-events-{name}")

    (step,) = [one for one in steps if one.change is Change.OUTRANKED]
    assert step.name == f"beats-signer-events-{name}"
    assert step.why.startswith(f"{name} has the priority 4000: set")


@pytest.mark.elasticsearch
async def test_a_template_of_the_same_priority_is_explained(
    real_elasticsearch: Access,
) -> None:
    name = f"logs-{secrets.token_hex(4)}-equal"
    (made,) = [
        one
        for one in build_resources(config(), [TargetPattern(name, None)], Offer())
        if one.name.endswith(name)
    ]
    with real_elasticsearch.connect() as client:
        client.indices.put_index_template(
            name=name, index_patterns=[name], priority=made.body["priority"]
        )
        with pytest.raises(RefusedError, match="same priority") as caught:
            await run(real_elasticsearch, targets=(TargetPattern(name, None),))
        client.indices.delete_index_template(name=name)

    assert "template_priority" in caught.value.hint


@pytest.mark.parametrize("moved", [(1000, 1010), (1010, 1000), (1000, 1005)])
async def test_priorities_may_move_although_they_meet_on_the_way(
    server: Access, moved: tuple[int, int]
) -> None:
    start = f"logs-{secrets.token_hex(4)}"
    targets = tuple(TargetPattern(start + "m" * n + "*", None) for n in range(3))
    for priority in moved:
        await run(server, targets=targets, template_priority=priority)

    with server.connect() as client:
        names = [f"beats-signer-events-{one.pattern[:-1]}~" for one in targets]
        found = [
            client.indices.get_index_template(name=name)["index_templates"][0]
            for name in names
        ]
        for name in names:
            client.indices.delete_index_template(name=name)
    expected = [moved[1] + 10 * (len(start) + n) for n in range(3)]
    assert [one["index_template"]["priority"] for one in found] == expected


async def test_a_part_that_is_no_longer_wanted_is_taken_out(fake: Fake) -> None:
    await run(fake.access, replicas=2)

    steps = await run(fake.access)

    assert changes(steps)["beats-signer-seals"] is Change.UPDATED


async def test_a_template_that_no_rule_needs_is_named_and_stays(fake: Fake) -> None:
    await run(fake.access)

    steps = await run(fake.access, targets=TARGETS[1:])

    assert changes(steps)["beats-signer-events-logs-~-setup"] is Change.UNUSED
    assert "/_index_template/beats-signer-events-logs-~-setup" in fake.cluster.kept


async def test_without_security_there_are_no_roles_and_it_says_so() -> None:
    with Fake() as fake:
        steps = await run(fake.access)

    (left,) = [step for step in steps if step.change is Change.LEFT_OUT]
    assert "security is off" in left.why


async def test_a_server_that_does_not_answer_is_an_error_of_the_store() -> None:
    with Fake() as fake:
        access = fake.access
    with pytest.raises(StoreError, match="GET /"):
        await run(access)


async def test_a_server_that_is_not_ready_is_not_one_without_roles(fake: Fake) -> None:
    fake.fail(Fault(status=503), times=None, on="other")

    with pytest.raises(StoreError, match="503") as caught:
        await run(fake.access)

    assert not isinstance(caught.value, RefusedError)


async def test_a_refusal_names_the_request(fake: Fake) -> None:
    fake.product = False

    with pytest.raises(RefusedError):
        await run(fake.access)


@pytest.mark.elasticsearch
@pytest.mark.parametrize("mode", ["standard", "logsdb"])
async def test_a_real_server_keeps_a_payload_of_any_size(
    real_elasticsearch: Access, mode: str
) -> None:
    await run(real_elasticsearch)
    payload = json.dumps({"message": "é  1.00 \u2028" * 10_000}, ensure_ascii=False)
    with real_elasticsearch.connect() as client:
        if mode == "logsdb":
            client.cluster.put_component_template(
                name="beats-signer@custom",
                template={"settings": {"index.mode": "logsdb"}},
            )
        target = f"logs-{mode}{secrets.token_hex(6)}-setup"
        try:
            client.create(
                index=target,
                id="a" * 28,
                document={
                    "@timestamp": "2026-11-23T09:00:00Z",
                    "message": "m",
                    "tags": ["t"],
                    "error": {"message": "why", "type": "t"},
                    "beats_signer": {
                        "chain": "0" * 32,
                        "index": 1,
                        "seal": 1,
                        "form": "J",
                        "sender": "s" * 40_000,
                        "payload": payload,
                    },
                },
                refresh=True,
            )
            (hit,) = client.search(index=target)["hits"]["hits"]
        finally:
            if mode == "logsdb":
                client.cluster.delete_component_template(name="beats-signer@custom")
    assert hit["_source"]["beats_signer"]["payload"] == payload


def bodies(**settings: Any) -> dict[str, Any]:
    return {
        resource.name if resource.kind != "role" else f"role {resource.name}": (
            resource.body
        )
        for resource in build_resources(config(**settings), TARGETS, Offer())
    }


def test_no_pattern_outranks_the_places_of_our_own() -> None:
    everything = TargetPattern("*", None)
    longest = TargetPattern("l" * 230, None)
    made = build_resources(config(), [everything, longest], Offer())
    priorities = {
        one.name: one.body["priority"] for one in made if one.kind == "index template"
    }

    places = ("seals", "catalogue", "checkpoints")
    own = [priorities.pop(f"beats-signer-{name}") for name in places]
    assert min(own) > max(priorities.values())


def test_a_star_and_what_it_stands_for_have_two_templates() -> None:
    targets = [TargetPattern(f"logs-{one}-x", None) for one in ("*", "any", "~")]
    made = build_resources(config(), targets[:2], Offer())

    names = [one.name for one in made if one.name.endswith("-x")]
    assert len(set(names)) == 2


def test_a_priority_stays_when_other_rules_come_and_go() -> None:
    few = {one.name: one.body for one in build_resources(config(), TARGETS, Offer())}
    more = [*TARGETS, TargetPattern("logs-*-more", 1), TargetPattern("logs-*", 1)]
    many = {one.name: one.body for one in build_resources(config(), more, Offer())}

    assert (
        few["beats-signer-events-logs-~-setup"]
        == (many["beats-signer-events-logs-~-setup"])
    )


def test_the_more_a_pattern_says_the_higher_is_its_priority() -> None:
    templates = bodies()
    priorities = [
        templates[f"beats-signer-events-{name}"]["priority"]
        for name in ("logs-~-setup", "plain-setup-~", "logs-nginx-setup")
    ]

    assert priorities == sorted(priorities)
    assert len(set(priorities)) == 3


def test_every_retention_has_a_policy_and_never_deletes_early() -> None:
    made = bodies()

    for days in (90, 180, 365, 400, 730):
        delete = made[f"beats-signer-{days}d"]["policy"]["phases"]["delete"]
        assert delete["min_age"] == f"{days}d"
    assert "delete" not in made["beats-signer-never"]["policy"]["phases"]


def test_targets_that_are_shared_keep_the_longest_retention() -> None:
    targets = [TargetPattern("logs-a-b", days) for days in (400, 90, None, 30)]

    made = build_resources(config(), targets, Offer())

    (template,) = [one for one in made if one.name.endswith("logs-a-b")]
    settings = template.body["template"]["settings"]
    assert settings == {"index.lifecycle.name": "beats-signer-never"}


def test_a_plain_index_is_no_data_stream_and_has_no_lifecycle() -> None:
    template = bodies()["beats-signer-events-plain-setup-~"]

    assert "data_stream" not in template
    assert "template" not in template


@pytest.mark.parametrize(
    ("lifecycle", "expected"),
    [
        ("ilm", {"settings": {"index.lifecycle.name": "beats-signer-90d"}}),
        (
            "data_stream",
            {
                "settings": {"index.lifecycle.prefer_ilm": "false"},
                "lifecycle": {"enabled": True, "data_retention": "90d"},
            },
        ),
        ("none", None),
    ],
)
def test_retention_is_kept_by_whom_the_settings_name(
    lifecycle: str, expected: dict[str, Any] | None
) -> None:
    template = bodies(lifecycle=lifecycle)["beats-signer-events-logs-~-setup"]

    assert template.get("template") == expected


def test_the_signer_cannot_change_or_delete_what_it_stored() -> None:
    role = bodies()["role beats-signer-signer"]
    rights = {
        name: set(one["privileges"]) for one in role["indices"] for name in one["names"]
    }

    changing = {"index", "write", "delete", "all", "manage", "delete_index"}
    assert role["cluster"] == ["monitor"]
    assert rights.pop("beats-signer-checkpoints") & changing == {"index"}
    assert not set.union(*rights.values()) & changing


@pytest.mark.parametrize("name", ["verifier", "reader"])
def test_who_reads_cannot_write(name: str) -> None:
    role = bodies()[f"role beats-signer-{name}"]

    rights = {right for one in role["indices"] for right in one["privileges"]}
    assert rights <= {"read", "view_index_metadata", "read_failure_store"}


def test_repair_writes_events_and_nothing_else() -> None:
    role = bodies()["role beats-signer-repair"]

    written = {
        name
        for one in role["indices"]
        if "index" in one["privileges"]
        for name in one["names"]
    }
    assert written == {target.pattern for target in TARGETS}


def test_templates_of_ones_own_are_left_alone() -> None:
    names = bodies(index_templates=False)

    assert not [name for name in names if name.startswith("beats-signer-events-")]
    assert "beats-signer-event" in names
