"""The write path with no more rights than the role of the signer gives."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from beats_signer.errors import RefusedError
from beats_signer.store.contract import Destination
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from tests.elasticsearch.server import Access
from tests.store.chains import SIGNER, Chain
from tests.store.elasticsearch.rooms import Log, append, to_write
from tests.store.elasticsearch.test_setup_secured import config, key_of, set_up

pytestmark = pytest.mark.elasticsearch

TARGET = Destination("logs-rights-roles")


async def test_the_signers_role_is_enough_for_all_that_a_store_does(
    secured_elasticsearch: Access, tmp_path: Path
) -> None:
    access = secured_elasticsearch
    await set_up(access, tmp_path)
    key = key_of(access, "signer")
    chain = Chain("rights")
    elsewhere = replace(TARGET, target="elsewhere", is_chosen_by_sender=True)
    sealed = replace(
        chain.events([b'{"n":{"a":1}}', b'{"n":2}']), destinations=[TARGET] * 2
    )
    for _ in range(2):
        log = structlog.wrap_logger(None, processors=[Log([])])
        client = connect(config(access, tmp_path, key))
        store = ElasticsearchStore(client, log, grace_seconds=0)
        await store.open()
        await append(store, to_write(store, chain.founding))
        assert (await append(store, to_write(store, sealed))).bare == (1,)
        assert await store.highest(chain.id) == 1
        assert await store.seal(chain.id, 1) == sealed.record
        assert (await store.chains(SIGNER))[chain.origin] == chain.id
        await store.publish_checkpoint(SIGNER, "note")
        await store.close()

    client = connect(config(access, tmp_path, key))
    store = ElasticsearchStore(client, log, grace_seconds=0)
    refused = replace(chain.events([b"{}"]), destinations=[elsewhere])
    with pytest.raises(RefusedError, match=r"logs-rights-acme: security_exception"):
        # Its sender's place is left; the default one is not in the role either.
        await append(store, to_write(store, refused))
    await store.close()


async def test_a_key_that_was_revoked_is_told_and_a_new_one_goes_on(
    secured_elasticsearch: Access, tmp_path: Path
) -> None:
    access = secured_elasticsearch
    await set_up(access, tmp_path)
    keys = [key_of(access, "signer") for _ in range(2)]
    with access.connect() as administrator:
        administrator.security.invalidate_api_key(ids=[keys[0].partition(":")[0]])
    sealed = replace(Chain("revoked").events([b"{}"]), destinations=[TARGET])
    log = structlog.wrap_logger(None, processors=[Log([])])
    hints = []
    for key in keys:
        client = connect(config(access, tmp_path, key))
        store = ElasticsearchStore(client, log, grace_seconds=0)
        try:
            await store.append(to_write(store, sealed))
        except RefusedError as error:
            hints.append((str(error), error.hint))
        finally:
            await store.close()

    ((message, hint),) = hints
    assert "401 security_exception" in message
    assert "give a new one" in hint
