"""Verification with no more rights than the role of the verifier gives."""

import asyncio
import secrets
from pathlib import Path

import pytest
from click.testing import CliRunner

from beats_signer.cli import program
from tests.elasticsearch.server import Access
from tests.store.elasticsearch.test_setup_secured import config, key_of, set_up
from tests.verify.damage import whole_world
from tests.verify.stored import Stored

pytestmark = pytest.mark.elasticsearch


@pytest.mark.parametrize(
    ("role", "code", "said"),
    [
        ("verifier", 0, "visible fields of 17 events compared"),
        ("signer", 0, "visible fields of 17 events compared"),
        ("reader", 2, "beats-signer-verifier"),
    ],
)
def test_the_role_of_the_verifier_is_enough_to_verify(
    secured_elasticsearch: Access, tmp_path: Path, role: str, code: int, said: str
) -> None:
    access = secured_elasticsearch
    asyncio.run(set_up(access, tmp_path))
    world = whole_world(f"signer-{secrets.token_hex(4)}", "roles")
    with access.connect() as client:
        stored = Stored(access, client, world)
        stored.settings = config(access, tmp_path)
        stored.store()
    key = tmp_path / "key"
    key.write_text(key_of(access, role))

    who = ["--api-key-file", str(key), "--ca", str(access.authority)]
    # Other tests leave documents of chains in this server that nobody has founded.
    who += ["--indices", "logs-audit-*,logs-other-*"]
    trust = ["--trust", str(world.trust)]
    ended = CliRunner().invoke(program, ["verify", access.url, *trust, *who])

    assert (ended.exit_code, said in ended.output) == (code, True), ended.output
