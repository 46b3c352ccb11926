"""A signer behind a model of a Beat, which speaks version 2."""

import signal
from threading import Thread

import pytest

from beats_signer.cli.sample import sample_events
from tests.senders.libbeat import Beat, BeatConnection, cut_windows
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import check_all, payloads_of, read_arrivals, read_windows

EVENTS = sample_events(5000, host="web-1", seed=1)


@pytest.mark.parametrize(("tls", "compression_level"), [(False, 0), (True, 3)])
def test_every_event_is_sealed_byte_for_byte_in_order(
    signer: RunningSigner, tls: bool, compression_level: int
) -> None:
    beat = Beat(
        (HOST, signer.mutual_port if tls else signer.plain_port),
        signer.client_context(certificate=True) if tls else None,
        compression_level=compression_level,
    )

    beat.publish(cut_windows(EVENTS))
    assert signer.end() == 0

    arrivals = read_arrivals(signer.archive)
    assert beat.errors == []
    assert [one.window.size for one in arrivals] == [2048, 2048, 904]
    assert {one.window.sender for one in arrivals} == {"client-1" if tls else HOST}
    assert {form for one in arrivals for form in one.forms} == {"J"}
    assert payloads_of(signer.archive) == EVENTS
    check_all(signer.archive, signer.trust)


@pytest.mark.parametrize("pipelining", [0, 2])
def test_keepalives_hold_a_beat_past_its_read_timeout(
    signer: RunningSigner, pipelining: int
) -> None:
    beat = Beat((HOST, signer.plain_port), pipelining=pipelining, timeout_seconds=1.8)
    sending = Thread(target=beat.publish, args=[cut_windows(EVENTS)])

    with signer.store_waiting():
        sending.start()
        sending.join(2.6)
    sending.join()
    assert signer.end() == 0

    assert beat.errors == []
    assert beat.keepalives >= 2
    assert payloads_of(signer.archive) == EVENTS


def test_a_window_whose_ack_never_came_is_sealed_once(signer: RunningSigner) -> None:
    address = (HOST, signer.plain_port)
    first = BeatConnection(address)
    first.send(EVENTS[:10])
    first.await_ack(10)

    with signer.store_waiting():
        first.send(EVENTS[10:500])
        first.receive_keepalive()
        first.close()
        second = BeatConnection(address)
        second.send(EVENTS[10:500])
        second.receive_keepalive()
    second.await_ack(490)
    second.send(EVENTS[500:600])
    second.await_ack(100)
    second.close()
    assert signer.end() == 0

    windows = read_windows(signer.archive)
    assert [(one.events, one.same) for one in windows] == [
        (10, None),
        (490, None),
        (0, 10),
        (100, None),
    ]
    assert payloads_of(signer.archive) == EVENTS[:600]


@pytest.mark.parametrize(
    ("number", "tls"), [(signal.SIGTERM, True), (signal.SIGKILL, False)]
)
def test_a_signer_that_ends_and_comes_back_seals_every_event_once(
    signer: RunningSigner, number: signal.Signals, tls: bool
) -> None:
    beat = Beat(
        (HOST, signer.mutual_port if tls else signer.plain_port),
        signer.client_context(certificate=True) if tls else None,
    )
    sending = Thread(target=beat.publish, args=[cut_windows(EVENTS, 25)])

    sending.start()
    for count in (1000, 3000):
        beat.progress.wait_for(count)
        signer.end(number)
        acknowledged, sealed = beat.progress.acknowledged, payloads_of(signer.archive)
        assert count <= acknowledged <= len(sealed)
        assert sealed == EVENTS[: len(sealed)]
        signer.start()
    sending.join()
    assert signer.end() == 0

    assert payloads_of(signer.archive) == EVENTS
    check_all(signer.archive, signer.trust)


def test_a_drain_acknowledges_the_window_that_waits_for_the_store(
    signer: RunningSigner,
) -> None:
    connection = BeatConnection((HOST, signer.plain_port))

    with signer.store_waiting():
        connection.send(EVENTS[:100])
        connection.receive_keepalive()
        signer.tell(signal.SIGTERM)
        signer.wait_for("stopping")
    connection.await_ack(100)

    assert signer.wait() == 0
    connection.close()
    assert payloads_of(signer.archive) == EVENTS[:100]


def test_a_drain_does_not_wait_for_beats_that_have_nothing_to_send(
    signer: RunningSigner,
) -> None:
    connection = BeatConnection(
        (HOST, signer.mutual_port), signer.client_context(certificate=True)
    )
    connection.send(EVENTS[:10])
    connection.await_ack(10)

    assert signer.end() == 0
    connection.close()

    assert signer.facts[-1]["message"] == "stopped"
