"""The roles of setup on a real server: each may do its work, and no more."""

import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch

from beats_signer.errors import StoreError
from beats_signer.store.elasticsearch.check.checks import Checks
from beats_signer.store.elasticsearch.check.soundness import Mark
from beats_signer.store.elasticsearch.config import (
    ElasticsearchConfig,
    ElasticsearchTlsConfig,
    HostUrl,
)
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.prepare.key import create_key
from beats_signer.store.elasticsearch.prepare.plan import Change
from beats_signer.store.elasticsearch.prepare.setup import Setup
from beats_signer.store.elasticsearch.prepare.templates import TargetPattern
from tests.elasticsearch.server import Access

pytestmark = pytest.mark.elasticsearch

TARGETS = (TargetPattern("logs-*-roles", 90),)
_PATIENCE_SECONDS = 30
DOCUMENT = {"@timestamp": "2026-11-23T09:00:00Z", "message": "m"}


def config(access: Access, folder: Path, key: str | None = None) -> ElasticsearchConfig:
    """Return settings for a user, or for an API key."""
    assert access.user is not None
    assert access.password is not None
    assert access.authority is not None
    secret = folder / "secret"
    secret.write_text(f"{key or access.password}\n")
    return ElasticsearchConfig(
        hosts=(HostUrl(access.url),),
        api_key_file=secret if key else None,
        username=None if key else access.user,
        password_file=None if key else secret,
        ssl=ElasticsearchTlsConfig(certificate_authorities=(access.authority,)),
    )


async def set_up(access: Access, folder: Path) -> dict[str, Change]:
    """Set up; a server that has just started has no index of roles at once."""
    settings = config(access, folder)
    client = connect(settings)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while True:
            setup = Setup(client, settings, TARGETS)
            with suppress(StoreError):
                return {
                    f"{step.kind} {step.name}": step.change
                    async for step in setup.run(dry_run=False)
                    if step.change not in (Change.LEFT_OUT, Change.UNUSED)
                }
            assert time.monotonic() < deadline
    finally:
        await client.close()


def key_of(access: Access, role: str) -> str:
    """Return a key, as id:key, that has what a role of setup has."""
    name = f"beats-signer-{role}"
    with access.connect() as client:
        role_body = client.security.get_role(name=name)[name]
        descriptor = {part: role_body[part] for part in ("cluster", "indices")}
        made = client.security.create_api_key(
            name=name, role_descriptors={name: descriptor}
        )
    return f"{made['id']}:{made['api_key']}"


def attempt(client: Elasticsearch, what: str, **arguments: Any) -> int:
    """Return the status of one call of the client."""
    call: Any = client
    for step in what.split("."):
        call = getattr(call, step)
    try:
        answer = call(**arguments)
    except ApiError as error:
        return int(error.meta.status)
    return int(answer.meta.status)


@contextmanager
def known_as(access: Access, role: str) -> Iterator[Elasticsearch]:
    """Connect with a key that has what a role of setup has, and no more."""
    key = base64.b64encode(key_of(access, role).encode()).decode()
    with Elasticsearch(
        access.url, api_key=key, ca_certs=str(access.authority)
    ) as client:
        yield client


async def test_setup_is_complete_and_idempotent_with_security(
    secured_elasticsearch: Access, tmp_path: Path
) -> None:
    await set_up(secured_elasticsearch, tmp_path)

    again = await set_up(secured_elasticsearch, tmp_path)

    assert again == dict.fromkeys(again, Change.UNCHANGED)


async def test_the_signers_key_passes_all_checks(
    secured_elasticsearch: Access, tmp_path: Path
) -> None:
    await set_up(secured_elasticsearch, tmp_path)
    settings = config(
        secured_elasticsearch, tmp_path, key_of(secured_elasticsearch, "signer")
    )
    client = connect(settings)
    try:
        patterns = [target.pattern for target in TARGETS]
        checks = Checks(client, settings, patterns, event_bytes=1 << 20)
        found = [one async for one in checks.run()]
    finally:
        await client.close()

    assert not [one for one in found if one.mark is Mark.BROKEN]
    assert [one.mark for one in found if one.check == "privileges"] == [Mark.OK]
    assert [one.mark for one in found if one.check == "event-size"] == [Mark.OK]


@pytest.mark.parametrize(
    ("role", "creates", "reads", "replaces", "deletes", "reads_seals"),
    [
        ("signer", 201, 200, 403, 403, 200),
        ("verifier", 403, 200, 403, 403, 200),
        ("reader", 403, 200, 403, 403, 403),
        ("repair", 201, 200, 200, 403, 200),
    ],
)
async def test_a_role_may_do_its_work_and_no_more(
    secured_elasticsearch: Access,
    tmp_path: Path,
    role: str,
    creates: int,
    reads: int,
    replaces: int,
    deletes: int,
    reads_seals: int,
) -> None:
    await set_up(secured_elasticsearch, tmp_path)
    access, stream = secured_elasticsearch, f"logs-{role}-roles"
    with access.connect() as admin:
        placed = admin.create(index=stream, id="there", document=DOCUMENT, refresh=True)
        admin.index(index="beats-signer-seals-1999.02", id="s", document={"seal": 1})
    with known_as(access, role) as client:
        named = {"index": placed["_index"], "id": "there"}
        done = [
            attempt(client, "create", index=stream, id="new", document=DOCUMENT),
            attempt(client, "search", index=stream),
            # A document behind a data stream is written again in this way only.
            attempt(
                client,
                "index",
                **named,
                document=DOCUMENT,
                if_seq_no=placed["_seq_no"],
                if_primary_term=placed["_primary_term"],
            ),
            attempt(client, "delete", **named),
            attempt(client, "search", index="beats-signer-seals-1999.02"),
            attempt(
                client,
                "index",
                index="beats-signer-seals-1999.02",
                id="s",
                document={"seal": 2},
            ),
        ]

    assert done == [creates, reads, replaces, deletes, reads_seals, 403]


NEVER: dict[str, dict[str, Any]] = {
    "indices.delete": {"index": "beats-signer-seals-1999.03"},
    "indices.put_settings": {
        "index": "beats-signer-seals-1999.03",
        "settings": {"index.translog.durability": "async"},
    },
    "indices.close": {"index": "beats-signer-seals-1999.03"},
    "indices.rollover": {"alias": "logs-never-roles"},
    "indices.put_index_template": {"name": "logs-x", "index_patterns": ["logs-x"]},
    "indices.delete_index_template": {"name": "beats-signer-seals"},
    "ingest.put_pipeline": {"id": "drop-all", "processors": []},
    "security.put_role": {"name": "more", "cluster": ["all"]},
    "create": {"index": "elsewhere", "id": "1", "document": DOCUMENT},
}


@pytest.mark.parametrize("what", NEVER)
async def test_no_role_may_change_what_was_stored_or_how(
    secured_elasticsearch: Access, tmp_path: Path, what: str
) -> None:
    await set_up(secured_elasticsearch, tmp_path)
    with secured_elasticsearch.connect() as admin:
        admin.index(index="beats-signer-seals-1999.03", id="s", document={"seal": 1})
        admin.create(
            index="logs-never-roles", id=secrets.token_hex(8), document=DOCUMENT
        )
    answers = {}
    for role in ("signer", "verifier", "reader", "repair"):
        with known_as(secured_elasticsearch, role) as client:
            answers[role] = attempt(client, what, **NEVER[what])

    assert set(answers.values()) == {403}


@pytest.mark.parametrize(
    ("role", "sees_catalogue", "monitors", "publishes", "sees_templates"),
    [
        ("signer", 200, 200, 200, 200),
        ("verifier", 200, 200, 403, 200),
        ("reader", 403, 403, 403, 403),
        ("repair", 200, 200, 403, 200),
    ],
)
async def test_a_role_sees_of_the_signer_what_it_needs(
    secured_elasticsearch: Access,
    tmp_path: Path,
    role: str,
    sees_catalogue: int,
    monitors: int,
    publishes: int,
    sees_templates: int,
) -> None:
    await set_up(secured_elasticsearch, tmp_path)
    with secured_elasticsearch.connect() as admin:
        for index in ("beats-signer-catalogue", "beats-signer-checkpoints"):
            admin.index(index=index, id="there", document=DOCUMENT, refresh=True)
    with known_as(secured_elasticsearch, role) as client:
        done = [
            attempt(client, "search", index="beats-signer-catalogue"),
            attempt(client, "cluster.health"),
            attempt(
                client,
                "index",
                index="beats-signer-checkpoints",
                id="there",
                document={"note": "new"},
            ),
            attempt(client, "indices.get_index_template"),
        ]

    assert done == [sees_catalogue, monitors, publishes, sees_templates]


async def test_the_key_that_setup_makes_is_a_signers_and_passes_all_checks(
    secured_elasticsearch: Access, tmp_path: Path
) -> None:
    await set_up(secured_elasticsearch, tmp_path)
    path = tmp_path / "es.key"
    admin = connect(config(secured_elasticsearch, tmp_path))
    step = await create_key(admin, "beats-signer-x", path, dry_run=False)
    await admin.close()
    settings = config(secured_elasticsearch, tmp_path, path.read_text().strip())
    client = connect(settings)
    found = [one async for one in Checks(client, settings, ["logs-*-roles"]).run()]
    await client.close()

    assert step.change is Change.CREATED
    assert not [one for one in found if one.mark is Mark.BROKEN]
    assert [one.mark for one in found if one.check == "privileges"] == [Mark.OK]
