"""Events whose place is not theirs to name go where ``routing.target`` says."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from beats_signer.config import Config, load
from beats_signer.store.contract import Destination, Write
from beats_signer.store.elasticsearch.places import default_target
from beats_signer.store.tally import StoreTally
from beats_signer.stores import build_store, list_targets
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Outcome
from tests.store.chains import SIGNER, Chain
from tests.store.elasticsearch.rooms import append


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("logs-{stream}-{tenant}", "logs-syslog-acme"),
        ("own-{tenant}", "own-acme"),
        ("own", "own"),
    ],
)
def test_the_setting_names_the_default_place(target: str, name: str) -> None:
    assert default_target(Chain().origin, target) == name
    assert default_target(SIGNER, target) == "beats-signer-catalogue"


@pytest.fixture
def config(tmp_path: Path, fake: Fake) -> Config:
    """Return settings whose events go to another place than they usually do."""
    rules = "[{stream: syslog, target: 'x-{a}'}]"
    target = "own-{tenant}.{stream}"
    path = tmp_path / "signer.yml"
    path.write_text(
        f"signer: {SIGNER}\nlisteners: [{{address: '127.0.0.1:0'}}]\n"
        f"elasticsearch: {{hosts: ['{fake.url}'], grace_seconds: 0}}\n"
        f"routing: {{tenant: acme, target: '{target}', rules: {rules}}}"
    )
    return load(path)


async def test_what_its_sender_misplaced_goes_where_setup_has_prepared(
    fake: Fake, config: Config
) -> None:
    destinations = [Destination("x-1", is_chosen_by_sender=True), None]
    sealed = replace(
        Chain().events([b'{"n":1}', b'{"n":2}']), destinations=destinations
    )
    forbidden = Outcome.rejected(403, "security_exception")
    fake.judge(forbidden, lambda action: action.target == "x-1", times=None)
    store = build_store(config, structlog.get_logger(), StoreTally())
    await store.open()
    try:
        body = store.encode(sealed)
        await append(store, Write(sealed.chain, sealed.seal, sealed.record, body))
    finally:
        await store.close()

    assert {one["n"] for one in fake.documents("own-acme.syslog").values()} == {1, 2}
    assert "own-acme.syslog" in [one.pattern for one in list_targets(config)]
