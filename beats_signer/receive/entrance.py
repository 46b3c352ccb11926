"""The way in through one listener: who comes through it, and who may."""

import asyncio
import ssl

from beats_signer.receive.encryption import Encryption
from beats_signer.receive.identity import Identity
from beats_signer.receive.peer import Peer, peer_of, spell_peer
from beats_signer.receive.reception import Reception
from beats_signer.receive.refusal import UnwelcomeError
from beats_signer.receive.session import Session
from beats_signer.sign.window import Source

__all__ = ["Entrance"]


class Entrance:
    """Builds the sessions of one listener, and is their host."""

    def __init__(
        self, reception: Reception, context: ssl.SSLContext | None = None
    ) -> None:
        """Take what all listeners share, and the TLS of this one."""
        self._reception = reception
        self._context = context

    def build_protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return self.build_session() if self._context is None else self._encrypt()

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
        admission = self._reception.admission
        identity = admission.identify(certificate) if certificate else None
        try:
            tenant = admission.admit(identity, peer[0])
        except UnwelcomeError as error:
            raise UnwelcomeError(
                error.refusal,
                str(error),
                sender=identity.name if identity else peer[0],
                certificate=identity.certificate if identity else None,
                peer=spell_peer(peer),
            ) from error
        return self._describe(peer, identity, tenant)

    def refuse(self, error: UnwelcomeError) -> None:
        """Count and log that a sender was turned away."""
        self._reception.count_refusal(error.refusal)
        self._reception.log.warning(
            "the sender may not send, its connection is closed",
            reason=error.refusal.value,
            error=str(error),
            **error.facts,
        )

    def next_arrival(self) -> int:
        """Return a number that orders connections and windows."""
        return self._reception.next_arrival()

    def began(self, session: Session) -> None:
        """Note a session."""
        self._reception.began(session)

    def ended(self, session: Session) -> None:
        """Forget a session."""
        self._reception.ended(session)

    def _encrypt(self) -> Encryption:
        terms = self._reception.terms
        assert self._context is not None
        return Encryption(
            self._context,
            terms.patience.handshake_seconds,
            terms.timers,
            terms.log,
            self.build_session,
            self._reception.count_refusal,
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
