"""Why a TLS handshake failed, in words."""

import ssl

__all__ = ["explain_handshake"]

_MEANINGS = {
    "HTTP_REQUEST": "an HTTP request on a TLS port",
    "NO_SHARED_CIPHER": "the sender and this listener have no cipher in common",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the sender showed no certificate",
    "UNSUPPORTED_PROTOCOL": "the sender speaks only a version of TLS that is refused",
    "WRONG_VERSION_NUMBER": "what came is not TLS: a plain sender on a TLS port?",
}


def explain_handshake(error: OSError | EOFError) -> str:
    """Return what went wrong between a sender and a listener."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the sender's certificate is refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the sender did not finish in time"
    reason = getattr(error, "reason", None) or str(error)
    return _MEANINGS.get(reason, reason or "the sender hung up")
