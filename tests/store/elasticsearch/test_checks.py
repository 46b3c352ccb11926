"""What would break a promise is seen before the start, and named."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from beats_signer.errors import ConfigError, StoreError
from beats_signer.store.elasticsearch.check.checks import Checks, refuse_if_broken
from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.store.elasticsearch.prepare.setup import Setup
from beats_signer.store.elasticsearch.prepare.templates import TargetPattern
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.elasticsearch.server import Access
from tests.store.elasticsearch.verdicts import marks

TARGET = "logs-checks-default"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        server.administration.secured = True
        yield server


async def verdicts(
    access: Access, pattern: str = TARGET, **settings: Any
) -> list[Verdict]:
    client = Client(access.url)
    try:
        config = ElasticsearchConfig(hosts=(HostUrl(access.url),), **settings)
        return [one async for one in Checks(client, config, [pattern]).run()]
    finally:
        await client.close()


async def set_up(access: Access) -> None:
    client = Client(access.url)
    config = ElasticsearchConfig(hosts=(HostUrl(access.url),))
    try:
        setup = Setup(client, config, [TargetPattern(TARGET, None)])
        assert [step async for step in setup.run(dry_run=False)]
    finally:
        await client.close()


def make_index(access: Access, name: str, **settings: str) -> None:
    with access.connect() as client:
        client.indices.create(index=name, settings=settings)


async def test_a_server_that_was_set_up_breaks_nothing(fake: Fake) -> None:
    await set_up(fake.access)
    fake.administration.denied |= {
        (name, privilege)
        for name in (TARGET, "beats-signer-seals-*", "beats-signer-catalogue")
        for privilege in ("delete", "delete_index", "manage")
    } | {
        ("beats-signer-checkpoints", privilege)
        for privilege in ("delete", "delete_index", "manage")
    }

    found = await verdicts(fake.access)

    assert {verdict.mark for verdict in found} == {Mark.OK}
    refuse_if_broken(found)


async def test_without_setup_seals_have_no_place(fake: Fake) -> None:
    found = await verdicts(fake.access)

    broken = [verdict for verdict in found if verdict.mark is Mark.BROKEN]
    assert {verdict.subject for verdict in broken} == {"beats-signer-seals-*"}
    with pytest.raises(ConfigError, match="no template says how to make it") as caught:
        refuse_if_broken(found)
    assert "beats-signer setup" in caught.value.hint


@pytest.mark.parametrize(
    ("version", "mark"),
    [
        ("7.17.0", Mark.BROKEN),
        ("8.4.0", Mark.NOTICE),
        ("8.19.0", Mark.OK),
        ("9.5.2", Mark.OK),
        ("10.0.0", Mark.BROKEN),
    ],
)
async def test_a_version_is_judged(version: str, mark: Mark) -> None:
    with Fake(version=version) as fake:
        found = await verdicts(fake.access)

    assert marks(found, "version") == {mark}


async def test_a_client_newer_than_the_server_is_told_which_one_to_take(
    fake: Fake,
) -> None:
    error = {"type": "media_type_header_exception", "reason": "Accept version"}
    body = json.dumps({"error": error, "status": 400}).encode()
    fake.fail(Fault(status=400, body=body), on="other")

    (only,) = await verdicts(fake.access)

    assert str(only) == (
        "broken   client: server: it is older than the installed Elasticsearch client"
    )
    assert "elasticsearch>=8.19,<9" in only.hint


async def test_who_is_not_known_is_told_so(fake: Fake) -> None:
    fake.fail(Fault(status=401), on="other")

    (only,) = await verdicts(fake.access)

    assert (only.mark, only.check) == (Mark.BROKEN, "credentials")
    assert "--create-key" in only.hint


async def test_what_is_no_front_page_of_a_server_stops_the_start(fake: Fake) -> None:
    fake.fail(Fault.page(404), on="other")

    (only,) = await verdicts(fake.access)

    assert (only.mark, only.check) == (Mark.BROKEN, "version")
    assert "elasticsearch.hosts" in only.hint


async def test_who_may_not_ask_for_the_version_is_checked_all_the_same(
    fake: Fake,
) -> None:
    await set_up(fake.access)
    fake.fail(Fault(status=403), on="other")

    found = await verdicts(fake.access)

    assert marks(found, "version") == {Mark.UNKNOWN}
    assert marks(found, "durability") == {Mark.OK}


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("answered", range(8))
async def test_a_server_that_is_not_ready_is_not_one_that_passed(
    fake: Fake, status: int, answered: int
) -> None:
    """Else a start beside a start of the server would check nothing."""
    fake.fail(Fault(applied=None), times=answered, on="other")
    fake.fail(Fault(status=status), on="other")

    with pytest.raises(StoreError, match=f"was answered with {status}"):
        await verdicts(fake.access)


async def test_serverless_is_noticed(fake: Fake) -> None:
    version = {"number": "8.11.0", "build_flavor": "serverless"}
    body = json.dumps({"version": version}).encode()
    fake.fail(Fault(status=200, body=body), on="other")

    found = await verdicts(fake.access)

    assert marks(found, "version") == {Mark.NOTICE}


async def test_a_template_of_somebody_else_that_outranks_ours_is_judged(
    fake: Fake,
) -> None:
    await set_up(fake.access)
    fake.cluster.kept["/_index_template/theirs"] = {
        "index_patterns": ["logs-*"],
        "priority": 9000,
        "data_stream": {},
        "template": {
            "settings": {"index.translog.durability": "async"},
            "data_stream_options": {"failure_store": {"enabled": True}},
        },
    }

    found = await verdicts(fake.access)

    lines = [str(one) for one in found]
    assert (
        f"ok       templates: {TARGET}: is not there yet, and will be made from "
        in ("".join(line for line in lines if line.endswith("theirs")))
    )
    assert marks(found, "durability") == {Mark.OK, Mark.BROKEN}
    assert marks(found, "failure-store") == {Mark.NOTICE}


async def test_seals_in_a_data_stream_stop_the_start(fake: Fake) -> None:
    fake.cluster.kept["/_index_template/theirs"] = {
        "index_patterns": ["beats-signer-seals-*"],
        "priority": 1,
        "data_stream": {},
        "template": {},
    }

    found = await verdicts(fake.access)

    (broken,) = [v for v in found if v.check == "op-type" and v.mark is Mark.BROKEN]
    assert broken.message == "is a data stream: a seal would not be found by its number"


async def test_the_failure_store_of_a_stream_that_is_there_is_seen(fake: Fake) -> None:
    await set_up(fake.access)
    path = f"/_index_template/beats-signer-events-{TARGET}"
    template = fake.cluster.kept[path]
    options = {"failure_store": {"enabled": True}}
    template.setdefault("template", {})["data_stream_options"] = options
    fake.cluster.create(TARGET)

    found = await verdicts(fake.access)

    assert marks(found, "failure-store") == {Mark.NOTICE}


async def test_another_product_is_refused() -> None:
    with Fake(product=False) as fake:
        (only,) = await verdicts(fake.access)

    assert (only.mark, only.check) == (Mark.BROKEN, "product")


async def test_a_key_that_lacks_a_right_is_named_with_it(fake: Fake) -> None:
    fake.administration.denied.add((TARGET, "create_doc"))

    found = await verdicts(fake.access)

    (broken,) = [v for v in found if v.check == "privileges" and v.mark is Mark.BROKEN]
    assert broken.message == f"lacks create_doc on {TARGET}"


async def test_a_key_that_may_delete_is_noticed(fake: Fake) -> None:
    found = await verdicts(fake.access)

    notices = [v for v in found if v.check == "privileges" and v.mark is Mark.NOTICE]
    assert "delete" in notices[0].message


async def test_a_server_without_security_is_noticed() -> None:
    with Fake() as fake:
        found = await verdicts(fake.access)

    assert marks(found, "privileges") == {Mark.NOTICE}


async def test_an_index_that_syncs_late_stops_the_start(fake: Fake) -> None:
    make_index(fake.access, TARGET, **{"index.translog.durability": "async"})

    found = await verdicts(fake.access)

    assert Mark.BROKEN in marks(found, "durability")


async def test_a_named_setting_overrules_a_check(fake: Fake) -> None:
    await set_up(fake.access)
    make_index(fake.access, TARGET, **{"index.translog.durability": "async"})

    found = await verdicts(fake.access, accept=("durability",))

    assert Mark.ACCEPTED in marks(found, "durability")
    refuse_if_broken(found)


async def test_a_silent_server_is_undecided() -> None:
    with Fake() as fake:
        access = fake.access
    with pytest.raises(StoreError):
        await verdicts(access)


@pytest.mark.elasticsearch
async def test_a_real_server_that_was_set_up_breaks_nothing(
    real_elasticsearch: Access,
) -> None:
    await set_up(real_elasticsearch)

    found = await verdicts(real_elasticsearch)

    assert not [v for v in found if v.mark in (Mark.BROKEN, Mark.UNKNOWN)]


@pytest.mark.elasticsearch
async def test_a_real_index_that_syncs_late_is_seen(
    real_elasticsearch: Access,
) -> None:
    await set_up(real_elasticsearch)
    with real_elasticsearch.connect() as client:
        client.indices.create(
            index="beats-signer-seals-1999.01",
            settings={"index.translog.durability": "async"},
        )
        found = await verdicts(real_elasticsearch)
        client.indices.delete(index="beats-signer-seals-1999.01")

    assert Mark.BROKEN in marks(found, "durability")


OURS = {
    "beats_signer": {
        "properties": {
            "chain": {"type": "keyword"},
            "index": {"type": "long"},
            "payload": {"type": "keyword", "index": False, "doc_values": False},
            "payload_base64": {"type": "keyword", "index": False, "doc_values": False},
        }
    }
}
DIMENSION = {"type": "keyword", "time_series_dimension": True}


@pytest.mark.elasticsearch
@pytest.mark.parametrize(
    ("settings", "mapping", "check", "mark"),
    [
        ({}, {}, "ids", Mark.OK),
        ({}, {}, "payload-mapping", Mark.OK),
        ({"mode": "logsdb"}, {}, "index-mode", Mark.OK),
        ({"mode": "logsdb"}, {}, "source", Mark.OK),
        ({"mapping.source.mode": "synthetic"}, {}, "source", Mark.OK),
        ({}, {"_source": {"enabled": False}}, "source", Mark.BROKEN),
        ({}, {"_source": {"excludes": ["a"]}}, "source", Mark.BROKEN),
        ({}, {"_source": {"includes": ["a"]}}, "source", Mark.BROKEN),
        ({"translog.durability": "async"}, {}, "durability", Mark.BROKEN),
        ({"number_of_replicas": 0}, {}, "replicas", Mark.NOTICE),
        ({"final_pipeline": "some"}, {}, "pipelines", Mark.OK),
        ({"mapping.ignore_malformed": True}, {}, "malformed", Mark.OK),
        ({"blocks.write": True}, {}, "blocks", Mark.NOTICE),
        ({}, {"dynamic": "strict"}, "payload-mapping", Mark.OK),
        (
            {},
            {"properties": {"beats_signer": {"type": "keyword"}}},
            "payload-mapping",
            Mark.BROKEN,
        ),
        (
            {},
            {
                "properties": {
                    "beats_signer": {"properties": {"payload": {"type": "keyword"}}}
                }
            },
            "payload-mapping",
            Mark.BROKEN,
        ),
        (
            {"mode": "time_series", "routing_path": ["d"]},
            {"properties": {"d": DIMENSION, "@timestamp": {"type": "date"}}},
            "ids",
            Mark.BROKEN,
        ),
        (
            {"mode": "time_series", "routing_path": ["d"]},
            {"properties": {"d": DIMENSION, "@timestamp": {"type": "date"}}},
            "index-mode",
            Mark.BROKEN,
        ),
    ],
)
async def test_a_real_index_is_judged_by_what_it_is(
    real_elasticsearch: Access,
    settings: dict[str, Any],
    mapping: dict[str, Any],
    check: str,
    mark: Mark,
) -> None:
    name = f"checked-{secrets.token_hex(6)}"
    with real_elasticsearch.connect() as client:
        client.indices.create(
            index=name,
            settings={f"index.{key}": value for key, value in settings.items()},
            mappings={"properties": OURS, **mapping},
        )
        found = await verdicts(real_elasticsearch, pattern=name)
        client.indices.delete(index=name)

    own = [verdict for verdict in found if verdict.subject == name]
    assert marks(own, check) == {mark}
    told = {verdict.check for verdict in own}
    assert told >= {"durability", "ids", "replicas", "source", "payload-mapping"}
