"""A signer behind a model of the Logstash output, which speaks version 1."""

import signal
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from beats_signer.cli.sample import sample_events
from tests.senders.jls import JlsClient, LogstashOutput
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import check_all, payloads_of, read_arrivals, read_windows

LINES = sample_events(600, host="logstash-1", seed=1)
ENDINGS = [signal.SIGTERM, signal.SIGKILL]


@pytest.fixture
def client(signer: RunningSigner) -> Iterator[JlsClient]:
    with closing(JlsClient((HOST, signer.plain_port))) as one:
        yield one


@pytest.mark.parametrize("tls", [False, True])
def test_the_text_of_each_line_is_sealed_in_order(
    signer: RunningSigner, tls: bool
) -> None:
    port = signer.tls_port if tls else signer.plain_port
    output = LogstashOutput((HOST, port), signer.client_context() if tls else None)

    output.publish([LINES[at : at + 200] for at in range(0, len(LINES), 200)])
    output.close()
    assert signer.end() == 0

    arrivals = read_arrivals(signer.archive)
    assert output.errors == []
    assert [one.window.version for one in arrivals] == [1, 1, 1]
    assert [one.window.window for one in arrivals] == [1, 2, 3]
    assert {one.forms for one in arrivals} == {"L" * 200}
    assert payloads_of(signer.archive) == LINES
    check_all(signer.archive, signer.trust)


def test_an_ack_has_version_1_and_the_number_of_the_last_event(
    client: JlsClient,
) -> None:
    assert client.write(LINES[:3]) == b"1A" + (3).to_bytes(4, "big")
    assert client.write(LINES[3:5]) == b"1A" + (5).to_bytes(4, "big")


def test_acks_follow_the_numbers_from_4294967295_to_1(signer: RunningSigner) -> None:
    address = (HOST, signer.plain_port)

    with closing(JlsClient(address, first_sequence=0xFFFF_FFFE)) as client:
        acks = [client.write(LINES[:5]), client.write(LINES[5:6])]

    assert acks == [b"1A" + number.to_bytes(4, "big") for number in (3, 4)]


def test_no_keepalive_is_taken_for_the_ack_of_a_window_that_waits(
    signer: RunningSigner, client: JlsClient
) -> None:
    client.socket.settimeout(2.2)  # two keep-alives of a version 2 peer

    with signer.store_waiting():
        client.send(LINES)
        with pytest.raises(TimeoutError):
            client.read_ack()
    client.socket.settimeout(None)

    assert client.read_ack() == b"1A" + len(LINES).to_bytes(4, "big")


def test_a_window_head_without_its_events_is_no_window(
    signer: RunningSigner, client: JlsClient
) -> None:
    client.write(LINES[:2])

    client.announce(2)  # its encoder fails now, and it closes
    client.close()
    signer.wait_for("the connection ended")
    assert signer.end() == 0

    assert [one.size for one in read_windows(signer.archive)] == [2]


@pytest.mark.parametrize("number", ENDINGS, ids=lambda one: one.name)
def test_a_signer_that_ends_and_comes_back_seals_every_line_once(
    signer: RunningSigner, number: signal.Signals
) -> None:
    output = LogstashOutput((HOST, signer.plain_port))
    batches = [LINES[at : at + 2] for at in range(0, len(LINES), 2)]
    sending = Thread(target=output.publish, args=[batches])

    sending.start()
    output.progress.wait_for(len(LINES) // 4)
    signer.end(number)
    signer.start()
    sending.join()
    output.close()
    assert signer.end() == 0

    assert len(output.errors) >= 1
    assert payloads_of(signer.archive) == LINES
    check_all(signer.archive, signer.trust)
