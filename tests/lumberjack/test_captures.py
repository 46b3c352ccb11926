"""What real clients sent is acknowledged as a real receiver did, and as they wait."""

from pathlib import Path

import pytest

from tests.lumberjack.receiving import CUTS, cut, receive

_CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
_CLIENTS = (
    "beat-large-windows",
    "beats-client-compressed",
    "beats-client-plain",
    "npm-lumberjack-client",
    "pylogbeat",
    "python-logstash-async",
)
_FOR_EVER = "npm-lumberjack-protocol"
"""Announces one window of 10 and sends bare frames: its 25th has no full window."""


def _sent(client: str) -> bytes:
    return (_CAPTURES / f"{client}.sent.bin").read_bytes()


def _acks(client: str) -> bytes:
    return (_CAPTURES / f"{client}.acks.bin").read_bytes()


def test_every_capture_is_replayed() -> None:
    recorded = {path.name.split(".")[0] for path in _CAPTURES.glob("*.sent.bin")}

    assert recorded == {*_CLIENTS, _FOR_EVER}


@pytest.mark.parametrize("way", CUTS)
@pytest.mark.parametrize("client", _CLIENTS)
def test_a_client_gets_the_acks_that_were_recorded(client: str, way: str) -> None:
    outcome = receive(cut(_sent(client), way))

    assert b"".join(batch.ack() for batch in outcome.batches) == _acks(client)
    assert (outcome.error, outcome.is_open, outcome.left) == (None, False, ())


@pytest.mark.parametrize("way", CUTS)
def test_a_client_that_announces_once_gets_an_ack_for_each_full_window(
    way: str,
) -> None:
    outcome = receive(cut(_sent(_FOR_EVER), way))

    acks = [batch.ack() for batch in outcome.batches]
    assert acks == [b"1A\0\0\0\x0a", b"1A\0\0\0\x14"]
    # The recorded receiver answered the first window and never again.
    assert acks[0] == _acks(_FOR_EVER)


@pytest.mark.parametrize("way", CUTS)
def test_what_it_left_at_its_clean_close_is_delivered_without_an_ack(way: str) -> None:
    outcome = receive(cut(_sent(_FOR_EVER), way))

    assert outcome.is_open
    (left,) = outcome.left
    assert not left.acknowledged
    assert (left.version, left.size, len(left.payloads)) == (1, 10, 5)
    assert [b"line %d " % place for place in range(20, 25)] == [
        payload[16:24] for payload in left.payloads
    ]
