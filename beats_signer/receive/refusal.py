"""Why a sender was turned away, from a closed set that counters can use."""

import ssl
from enum import StrEnum

__all__ = ["Refusal", "UnwelcomeError", "refusal_of"]


class Refusal(StrEnum):
    """Why a sender was turned away."""

    NOT_LISTED = "not_listed"
    """No item of the allow-list is for it."""

    EXPIRED = "expired"
    """Its certificate, or that of an authority above it, is past its end."""

    REVOKED = "revoked"
    """Its authority has revoked its certificate."""

    OTHER_AUTHORITY = "other_authority"
    """No authority of the listener has issued its certificate."""

    NO_CERTIFICATE = "no_certificate"
    """It showed none where one is required."""

    NO_TENANT = "no_tenant"
    """Its certificate names no organization that could be a tenant."""

    LIST_EXPIRED = "list_expired"
    """The revocation list of its authority is past its end."""

    HOST_NAME = "host_name"
    """Its events name another host, and that is not allowed."""

    PROXY_HEADER = "proxy_header"
    """A trusted proxy did not say, or not in order, for whom it has connected."""

    CONNECTIONS = "connections"
    """There are as many connections as there may be in all."""

    SENDER_CONNECTIONS = "sender_connections"
    """The sender has as many as one may have."""

    HANDSHAKES = "handshakes"
    """Its address begins too many TLS handshakes."""

    OTHER = "other"
    """Its certificate is wrong in another way, or TLS failed before any was seen."""


class UnwelcomeError(Exception):
    """This sender may not send: close its connection, take nothing from it."""

    def __init__(self, refusal: Refusal, message: str, **facts: str | None) -> None:
        """Take the reason, the explanation, and who it is."""
        super().__init__(message)
        self.refusal = refusal
        self.facts = facts
        """For the log: sender, certificate and peer, as far as they are known."""

    def naming(
        self, *, sender: str, certificate: str | None, peer: str
    ) -> "UnwelcomeError":
        """Return the same, with who it is about."""
        facts = {"sender": sender, "certificate": certificate, "peer": peer}
        return UnwelcomeError(self.refusal, str(self), **facts)


_BY_VERIFICATION = {
    10: Refusal.EXPIRED,  # certificate has expired
    2: Refusal.OTHER_AUTHORITY,  # unable to get issuer certificate
    7: Refusal.OTHER_AUTHORITY,  # signature failure: an authority of the same name
    18: Refusal.OTHER_AUTHORITY,  # self-signed certificate
    19: Refusal.OTHER_AUTHORITY,  # self-signed certificate in the chain
    20: Refusal.OTHER_AUTHORITY,  # unable to get local issuer certificate
    21: Refusal.OTHER_AUTHORITY,  # unable to verify the first certificate
}
"""By the numbers X509_V_ERR of OpenSSL, which are part of its interface."""


def refusal_of(error: ssl.SSLError) -> Refusal:
    """Return why OpenSSL refused a sender in the handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFICATION.get(error.verify_code, Refusal.OTHER)
    if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return Refusal.NO_CERTIFICATE
    return Refusal.OTHER
