"""TLS between a network and a session, byte for byte and without a socket."""

import ssl
from contextlib import suppress

import pytest

from beats_signer.receive.encryption import Encryption, EncryptionState
from beats_signer.receive.session import Session
from beats_signer.receive.state import SessionState
from beats_signer.receive.tls import build_server_context
from tests.receive.certificates import Authentication, Certificates, Version
from tests.receive.world import Network, World, window_of

HANDSHAKE_SECONDS = 10.0
FAILED = "the TLS handshake failed"
NOT_TLS = "what came is not TLS: does the sender speak plain text?"


class TlsPeer:
    """A sender that speaks TLS with a listener."""

    def __init__(
        self, world: World, server: ssl.SSLContext, client: ssl.SSLContext
    ) -> None:
        self._timers = world.timers
        self.encryption = Encryption(
            server,
            HANDSHAKE_SECONDS,
            world.timers,
            world.terms.log,
            lambda: Session(world.terms, world),
            world.refusals.append,
            world.left,
        )
        self.network = Network(world.timers, self.encryption)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client.wrap_bio(
            self._incoming, self._outgoing, server_hostname="localhost"
        )
        self._heard = 0
        self.encryption.connection_made(self.network)

    def shake_hands(self) -> None:
        """Do what both sides have to say, to the end."""
        for _ in range(4):
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.exchange()

    def exchange(self) -> None:
        """Let both sides have what the other has written."""
        if data := self._outgoing.read():
            self.network.arrive(data)
        self._timers.run()
        self.hear()

    def hear(self) -> None:
        for data in self.network.written[self._heard :]:
            self._incoming.write(data)
        self._heard = len(self.network.written)

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self.exchange()

    def read(self) -> bytes:
        """Return what the listener has said, decrypted."""
        self.hear()
        answer = b""
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while part := self.tls.read(4096):
                answer += part
        return answer

    def end(self) -> None:
        """Say in TLS, and then in TCP, that nothing follows."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.exchange()
        self.network.end()
        self._timers.run()


def connect(world: World, certificates: Certificates) -> TlsPeer:
    """Return a sender that has said nothing yet."""
    server = build_server_context(certificates.listener())
    return TlsPeer(world, server, certificates.sender())


@pytest.fixture
def peer(world: World, certificates: Certificates) -> TlsPeer:
    """Return a sender that is connected, its handshake done."""
    peer = connect(world, certificates)
    peer.shake_hands()
    return peer


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("authentication", ["none", "optional", "required"])
def test_windows_and_acks_pass_through(
    world: World,
    certificates: Certificates,
    version: Version,
    authentication: Authentication,
) -> None:
    server = build_server_context(certificates.listener(authentication, version))
    peer = TlsPeer(world, server, certificates.sender())
    peer.shake_hands()
    peer.send(window_of(2000))
    world.signing.store(0)

    assert peer.read() == b"2A\0\0\x07\xd0"
    assert peer.tls.version() == version
    assert all(data[:2] != b"2A" for data in peer.network.written)


def test_no_session_begins_before_the_handshake_is_done(
    world: World, certificates: Certificates
) -> None:
    peer = connect(world, certificates)
    with suppress(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer.exchange()
    assert world.sessions == []

    peer.shake_hands()
    assert len(world.sessions) == 1


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(
    world: World, certificates: Certificates
) -> None:
    peer = connect(world, certificates)
    with suppress(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer.exchange()
    peer.tls.do_handshake()
    peer.send(window_of(3))

    assert [window.size for window in world.signing.windows] == [3]


# Refusals.


@pytest.mark.parametrize(
    ("version", "alert"),
    [("TLSv1.2", "HANDSHAKE_FAILURE"), ("TLSv1.3", "CERTIFICATE_REQUIRED")],
)
def test_a_sender_without_a_certificate_is_told_so(
    world: World, certificates: Certificates, version: Version, alert: str
) -> None:
    server = build_server_context(certificates.listener("required", version))
    peer = TlsPeer(world, server, certificates.sender(certificate=False))
    with pytest.raises(ssl.SSLError, match=alert):
        peer.shake_hands()
        peer.read()

    (line,) = world.lines()
    assert (line["event"], line["error"]) == (
        FAILED,
        "the sender showed no certificate",
    )
    assert line["peer"] == "192.0.2.1:40000"
    assert peer.network.calls == ["close"]
    assert world.sessions == []


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("authentication", ["optional", "required"])
def test_a_sender_of_another_authority_is_told_so(
    world: World,
    certificates: Certificates,
    strangers: Certificates,
    version: Version,
    authentication: Authentication,
) -> None:
    server = build_server_context(certificates.listener(authentication, version))
    peer = TlsPeer(world, server, strangers.sender(trusting=certificates))
    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
        peer.shake_hands()
        peer.read()

    (line,) = world.lines()
    assert "the sender's certificate is refused: " in line["error"]
    assert world.sessions == []


def test_a_sender_that_does_not_know_our_authority_says_so(
    world: World, certificates: Certificates, strangers: Certificates
) -> None:
    server = build_server_context(certificates.listener())
    peer = TlsPeer(world, server, certificates.sender(trusting=strangers))
    with pytest.raises(ssl.SSLCertVerificationError):
        peer.shake_hands()
    peer.exchange()

    (line,) = world.lines()
    assert line["error"] == "the sender does not know the authority of this listener"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (window_of(2), "what came is not TLS: does the sender speak plain text?"),
        (
            window_of(2, level=3),
            "what came is not TLS: does the sender speak plain text?",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", "what came is an HTTP request, not TLS"),
    ],
)
def test_what_is_not_tls_is_named(
    world: World, certificates: Certificates, sent: bytes, reason: str
) -> None:
    peer = connect(world, certificates)
    peer.network.arrive(sent)
    world.timers.run()

    (line,) = world.lines()
    assert (line["log_level"], line["event"]) == ("info", FAILED)
    assert line["error"] == reason
    assert peer.encryption.state is EncryptionState.CLOSED


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x01\x00\xff"])
def test_a_handshake_has_its_time(
    world: World, certificates: Certificates, hello: bytes
) -> None:
    peer = connect(world, certificates)
    peer.network.arrive(hello)

    world.timers.advance(HANDSHAKE_SECONDS - 0.1)
    assert peer.network.calls == []
    world.timers.advance(0.2)
    assert peer.network.calls == ["close"]
    (line,) = world.lines("info")
    assert line["error"] == "the sender did not finish in time"
    assert world.timers.pending == 0


def test_a_handshake_that_is_done_has_no_time_limit(
    world: World, peer: TlsPeer
) -> None:
    peer.send(window_of(1))

    world.timers.advance(1000)
    assert peer.network.calls == []


def test_a_health_check_of_a_tls_port_is_worth_a_debug_line(
    world: World, certificates: Certificates
) -> None:
    peer = connect(world, certificates)
    peer.network.end()
    world.timers.run()

    assert {line["log_level"] for line in world.lines()} == {"debug"}
    assert peer.network.is_lost


def test_a_sender_that_hangs_up_within_the_handshake_is_worth_a_line(
    world: World, certificates: Certificates
) -> None:
    peer = connect(world, certificates)
    with suppress(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer.exchange()
    peer.network.end()
    world.timers.run()

    (line,) = world.lines()
    assert (line["event"], line["error"]) == (FAILED, "the sender hung up")


# Pauses and ends.


def test_a_pause_is_a_pause_of_the_network(world: World, peer: TlsPeer) -> None:
    peer.send(window_of(1) * 4)
    assert peer.network.is_paused

    peer.tls.write(bytes(1_000_000))
    peer.exchange()
    assert len(peer.network.unread) > 1_000_000


def test_many_records_are_handed_over_at_once(world: World, peer: TlsPeer) -> None:
    peer.send(window_of(5000, size=100))

    assert [window.size for window in world.signing.windows] == [5000]
    assert peer.network.unread == b""


def test_acks_reach_a_sender_that_has_ended_its_side(
    world: World, peer: TlsPeer
) -> None:
    peer.send(window_of(1) * 6)
    peer.end()
    assert world.signing.store_all() == 6

    assert peer.read() == b"2A\0\0\0\1" * 6
    assert peer.network.calls == ["close"]
    assert world.sessions == []


def test_a_clean_end_lets_an_unfinished_window_count(
    world: World, peer: TlsPeer
) -> None:
    peer.send(b"1W\0\0\0\x0a" + window_of(1, version=1)[6:] * 3)
    peer.end()

    assert [window.entries for window in world.signing.windows] == [3]


def test_an_end_that_tls_does_not_know_of_is_not_clean(
    world: World, peer: TlsPeer
) -> None:
    peer.send(b"1W\0\0\0\x0a" + window_of(1, version=1)[6:] * 3)
    peer.network.end()
    world.timers.run()

    assert world.signing.windows == []
    assert world.sessions == []
    (line,) = world.lines("info")
    assert line["unfinished_events"] == 3


def test_our_end_is_one_that_tls_knows_of(world: World, peer: TlsPeer) -> None:
    peer.send(b"garbage")
    assert peer.network.calls == ["write_eof"]

    peer.hear()
    assert peer.tls.read(10) == b""


def test_what_comes_after_our_end_is_thrown_away(world: World, peer: TlsPeer) -> None:
    peer.send(b"garbage")
    peer.send(window_of(1))
    peer.network.end()
    world.timers.run()

    assert world.signing.windows == []
    assert world.sessions == []
    assert peer.network.unread == b""


def test_a_damaged_record_ends_the_connection(world: World, peer: TlsPeer) -> None:
    peer.send(window_of(1))
    peer.network.arrive(b"\x17\x03\x03\x00\x20" + bytes(32))
    world.timers.run()

    (line,) = world.lines("warning")
    assert line["event"] == "TLS failed"
    assert world.sessions == []


def test_a_drain_closes_in_order(world: World, peer: TlsPeer) -> None:
    peer.send(window_of(1))
    world.sessions[0].end()
    world.signing.store(0)
    world.timers.run()

    assert peer.read() == b"2A\0\0\0\1"
    assert world.sessions[0].state is SessionState.LINGERING
    world.timers.advance(1)
    assert peer.network.calls == ["write_eof", "close"]


def test_acks_that_are_not_taken_are_noticed_through_tls(
    world: World, peer: TlsPeer
) -> None:
    peer.send(window_of(1))
    peer.network.is_full = True
    world.signing.store(0)
    assert world.signing.acknowledged_windows == []

    world.timers.advance(30)
    assert peer.network.calls == ["abort"]
