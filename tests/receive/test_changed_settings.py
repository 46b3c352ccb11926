"""Settings that change while connections are open."""

from pathlib import Path

import pytest

from beats_signer.config import AllowedConfig, Network, SendersConfig
from beats_signer.receive.admission import Admission
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps
from beats_signer.receive.tls_files import TlsFiles
from lumberjack import Limits
from tests.receive.issuing import Authority
from tests.receive.serving import connect, serve

EVENT = b'{"message":"one"}'


async def test_limits_count_for_new_connections_and_open_ones_keep_theirs() -> None:
    async with serve() as desk, connect(desk) as old:
        old.send(EVENT)
        assert await old.receive_acks(1) == [1]

        small = Limits(json_bytes=4)
        desk.reception.change(Patience(), small, desk.reception.admission, Caps())
        async with connect(desk) as new:
            new.send(EVENT)
            assert await new.read_all() == b""
        old.send(EVENT)

        assert await old.receive_acks(1) == [1]


async def test_who_may_not_send_any_longer_is_disconnected() -> None:
    async with serve() as desk, connect(desk) as client:
        client.send(EVENT)
        assert await client.receive_acks(1) == [1]

        nobody = Admission(SendersConfig(allow=()))
        desk.reception.change(Patience(), Limits(), nobody, Caps())
        desk.listener.review()

        assert await client.read_all() == b""
        async with connect(desk) as again:
            assert await again.read_all() == b""


async def test_who_may_send_by_the_new_list_comes_in() -> None:
    async with serve(senders=SendersConfig(allow=())) as desk:
        async with connect(desk) as client:
            assert await client.read_all() == b""

        local = AllowedConfig(address=Network("127.0.0.0/8"))
        somebody = Admission(SendersConfig(allow=(local,)))
        desk.reception.change(Patience(), Limits(), somebody, Caps())

        async with connect(desk) as client:
            client.send(EVENT)
            assert await client.receive_acks(1) == [1]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_other_tls_settings_count_from_the_next_handshake_on(
    authority: Authority,
) -> None:
    tls = authority.listener(client_authentication="optional")
    unknown, known = authority.sender(None), authority.sender(authority.issue("web-1"))
    async with serve(tls) as desk, connect(desk, unknown) as old:
        old.send(EVENT)
        assert await old.receive_acks(1) == [1]

        desk.listener.change_tls(TlsFiles(authority.listener()))
        desk.listener.review()
        async with connect(desk, unknown) as new:
            assert await new.read_all() == b""
        async with connect(desk, known) as new:
            new.send(EVENT)
            assert await new.receive_acks(1) == [1]
        old.send(EVENT)

        assert await old.receive_acks(1) == [1]


async def test_who_is_on_a_list_that_is_new_is_disconnected(
    authority: Authority,
) -> None:
    client = authority.issue("web-1")
    context = authority.sender(client)
    async with (
        serve(authority.listener()) as desk,
        connect(desk, context) as connection,
    ):
        connection.send(EVENT)
        assert await connection.receive_acks(1) == [1]

        lists = (authority.revoke(client.serial),)
        tls = authority.listener(certificate_revocation_lists=lists)
        desk.listener.change_tls(TlsFiles(tls))
        desk.listener.review()

        assert await connection.read_all() == b""
