"""Settings that change while connections are open."""

from beats_signer.config import AllowedConfig, Network, SendersConfig
from beats_signer.receive.admission import Admission
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps
from lumberjack import Limits
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
