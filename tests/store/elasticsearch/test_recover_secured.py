"""Recovering on a real server with users: with the role of repair, and without."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from beats_signer.errors import RefusedError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.prepare.setup import Setup
from beats_signer.store.elasticsearch.prepare.templates import TargetPattern
from tests.elasticsearch.server import Access
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.recovering import FITTING, POISON, Bared
from tests.store.elasticsearch.test_setup_secured import config, key_of, set_up

pytestmark = pytest.mark.elasticsearch

UNKNOWN = b'{"n":"x","nobody":{"knows":"this"}}'
"""Besides, it has a field that no mapping knows yet."""


@pytest.fixture
def bared(secured_elasticsearch: Access, tmp_path: Path) -> Iterator[Bared]:
    """Give a signer with bare documents whose mapping is mended."""
    stream = f"test_{secrets.token_hex(6)}"
    target = f"logs-{stream}-acme"
    asyncio.run(_set_up(secured_elasticsearch, tmp_path))
    with secured_elasticsearch.connect(max_retries=0) as client:
        place = Place(secured_elasticsearch, client, Chain(stream), target)
        bared = Bared(place, tmp_path / "state", target.replace("_", "-"))
        asyncio.run(bared.store(FITTING, POISON, UNKNOWN))
        bared.refresh()
        bared.mend()
        yield bared


async def _set_up(access: Access, folder: Path) -> None:
    await set_up(access, folder)  # waits for a server that has just started
    settings = config(access, folder)
    client = connect(settings)
    try:
        setup = Setup(client, settings, (TargetPattern("logs-*-acme", None),))
        async for _ in setup.run(dry_run=False):
            pass
    finally:
        await client.close()


def client_of(bared: Bared, folder: Path, key: str) -> Client:
    return connect(config(bared.place.access, folder, key))


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_the_role_of_repair_is_enough(
    bared: Bared, tmp_path: Path, is_dry_run: bool
) -> None:
    key = key_of(bared.place.access, "repair")

    report = await bared.recover(
        client=client_of(bared, tmp_path, key), is_dry_run=is_dry_run
    )

    assert (report.recovered, report.exit_code) == (2, 0), [*report.lines()]
    shown = [one.get("n") for one in bared.sources()]
    assert shown == ([1, None, None] if is_dry_run else [1, "x", "x"])


@pytest.mark.parametrize("role", ["signer", "verifier", "reader"])
async def test_no_other_role_is_and_it_says_so_before_it_looks(
    bared: Bared, tmp_path: Path, role: str
) -> None:
    key = key_of(bared.place.access, role)

    with pytest.raises(RefusedError, match=f"index on {bared.place.target}") as caught:
        await bared.recover(client=client_of(bared, tmp_path, key))

    assert "beats-signer-repair" in caught.value.hint
    assert [one.get("n") for one in bared.sources()] == [1, None, None]


async def test_a_key_that_does_not_exist_is_refused(
    bared: Bared, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError, match="401 security_exception"):
        await bared.recover(client=client_of(bared, tmp_path, "none:such"))
