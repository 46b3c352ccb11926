"""From windows to receipts: what is sealed together, and when a receipt is done."""

from tests.sign.senders import Sender
from tests.sign.world import World


async def test_a_window_is_sealed_stored_and_verified(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send(b"1", b"2")
        await sender.take_acks()
        await signer.stop()

    (origin,) = world.origins()
    assert world.payloads(origin) == [b"1", b"2"]
    assert world.verify()[origin].entries == 2
