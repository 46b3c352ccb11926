"""The way in through one listener: who comes through it, and who may."""

import asyncio
import ssl
from collections.abc import Sequence

from beats_signer.config import Network
from beats_signer.receive.encryption import Encryption
from beats_signer.receive.identity import Identity
from beats_signer.receive.peer import Peer, peer_of, spell_peer
from beats_signer.receive.places import party_of
from beats_signer.receive.proxied import Proxied
from beats_signer.receive.reception import Reception
from beats_signer.receive.refusal import UnwelcomeError
from beats_signer.receive.session import Session
from beats_signer.receive.tls_files import TlsFiles
from beats_signer.sign.window import Source
from lumberjack import Batch

__all__ = ["Entrance"]


class Entrance:
    """Builds the sessions of one listener, and is their host."""

    def __init__(
        self,
        reception: Reception,
        tls: TlsFiles | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:
        """Take what all listeners share, and the TLS and the proxies of this one."""
        self._reception = reception
        self._tls = tls
        self._proxies = proxies
        self._sessions: set[Session] = set()
        self._identities: dict[str, Identity | None] = {}
        """By the name of the connection."""
        self._mismatched: set[str] = set()
        """Connections whose events were seen to name another host."""

    def change_tls(self, tls: TlsFiles) -> None:
        """Go by other TLS settings from the next handshake on."""
        self._tls = tls

    def build_protocol(self, peer: Peer) -> asyncio.Protocol | None:
        """Return the protocol of a new connection, or turn it away.

        Who is turned away is counted and logged; close its socket.
        """
        try:
            self._reception.places.take()
        except UnwelcomeError as error:
            self._turn_away(peer, error)
            return None
        if not self._proxies:
            protocol = self._build_behind_proxy(peer)
            if protocol is None:
                self.left()
            return protocol
        terms = self._reception.terms
        return Proxied(
            self._proxies,
            terms.patience.handshake_seconds,
            terms.timers,
            terms.log,
            self._build_behind_proxy,
            self._reception.count_refusal,
            self.left,
        )

    def build_session(self) -> Session:
        """Return the protocol of a connection whose bytes can be read."""
        return Session(self._reception.terms, self)

    def identify(self, transport: asyncio.Transport) -> Source | None:
        """Return who sends; nothing when the peer is gone already.

        Raises:
            UnwelcomeError: It may not send.
        """
        peer = peer_of(transport)
        if peer is None:
            return None
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        identity = (
            self._reception.admission.identify(certificate) if certificate else None
        )
        tenant = self._judge(identity, peer[0], spell_peer(peer), is_new=True)
        source = self._describe(peer, identity, tenant)
        try:
            self._reception.places.take_for(party_of(source))
        except UnwelcomeError as error:
            raise error.naming(
                sender=source.sender, certificate=source.certificate, peer=source.peer
            ) from error
        self._identities[source.connection] = identity
        return source

    def refuse(self, error: UnwelcomeError) -> None:
        """Count and log that a sender was turned away."""
        self._note("the sender may not send, its connection is closed", error)

    def review(self) -> None:
        """Close the connections of those who may not send any longer."""
        for session in tuple(self._sessions):
            source = session.source
            try:
                identity = self._identities[source.connection]
                self._judge(identity, source.address, source.peer, is_new=False)
            except UnwelcomeError as error:
                self._note(
                    "the sender may not send any longer, its connection is closed",
                    error,
                )
                self._sessions.discard(session)
                session.dismiss()

    def examine(self, source: Source, batch: Batch) -> None:
        """Look at a window before it is taken.

        Raises:
            UnwelcomeError: Its events name another host, which is not allowed.
        """
        if source.certificate is None:
            return  # It has no name that events could agree with.
        try:
            mismatch = self._reception.admission.compare_hosts(source.sender, batch)
        except UnwelcomeError as error:
            raise error.naming(
                sender=source.sender, certificate=source.certificate, peer=source.peer
            ) from error
        if mismatch is None:
            return
        self._reception.mismatched_events += mismatch.events
        if source.connection not in self._mismatched:
            self._mismatched.add(source.connection)
            self._reception.log.warning(
                "events name another host than their sender",
                error=str(mismatch),
                sender=source.sender,
                certificate=source.certificate,
                peer=source.peer,
            )

    def next_arrival(self) -> int:
        """Return a number that orders connections and windows."""
        return self._reception.next_arrival()

    def began(self, session: Session) -> None:
        """Note a session."""
        self._sessions.add(session)
        self._reception.began(session)

    def ended(self, session: Session) -> None:
        """Forget a session."""
        self._sessions.discard(session)
        self._mismatched.discard(session.source.connection)
        self._reception.places.give_back_for(party_of(session.source))
        del self._identities[session.source.connection]
        self._reception.ended(session)

    def left(self) -> None:
        """Note that a connection is gone, whether it had a session or not."""
        self._reception.places.give_back()

    def _judge(
        self, identity: Identity | None, address: str, peer: str, *, is_new: bool
    ) -> str | None:
        """Return the tenant that a sender brings along.

        Lists that have expired meanwhile concern nobody who is connected.

        Raises:
            UnwelcomeError: It may not send.
        """
        try:
            if identity is not None and self._tls is not None:
                self._tls.revocations.check(identity)
                if is_new:
                    now = self._reception.terms.clock()
                    self._tls.revocations.check_age(identity, now)
            return self._reception.admission.admit(identity, address)
        except UnwelcomeError as error:
            raise error.naming(
                sender=identity.name if identity else address,
                certificate=identity.certificate if identity else None,
                peer=peer,
            ) from error

    def _note(self, event: str, error: UnwelcomeError) -> None:
        self._reception.count_refusal(error.refusal)
        self._reception.log.warning(
            event, reason=error.refusal.value, error=str(error), **error.facts
        )

    def _build_behind_proxy(self, peer: Peer) -> asyncio.Protocol | None:
        if self._tls is None:
            return self.build_session()
        reception = self._reception
        per_second = reception.places.caps.handshakes_per_second
        try:
            reception.handshakes.begin(peer[0], per_second)
        except UnwelcomeError as error:
            self._turn_away(peer, error)
            return None
        return self._encrypt(self._tls)

    def _turn_away(self, peer: Peer, error: UnwelcomeError) -> None:
        error = UnwelcomeError(error.refusal, str(error), peer=spell_peer(peer))
        self._note("a connection is turned away", error)

    def _encrypt(self, tls: TlsFiles) -> Encryption:
        terms = self._reception.terms
        return Encryption(
            tls.context,
            tls.handshake_seconds or terms.patience.handshake_seconds,
            terms.timers,
            terms.log,
            self.build_session,
            self._reception.count_refusal,
            self.left,
        )

    def _describe(
        self, peer: Peer, identity: Identity | None, tenant: str | None
    ) -> Source:
        opened = self.next_arrival()
        return Source(
            sender=identity.name if identity else peer[0],
            certificate=identity.certificate if identity else None,
            address=peer[0],
            peer=spell_peer(peer),
            connection=self._reception.name_connection(opened),
            opened=opened,
            tenant=tenant,
        )
