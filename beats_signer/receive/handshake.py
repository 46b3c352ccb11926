"""Why TLS with a sender failed, in words."""

import ssl

__all__ = ["explain_handshake"]

_NOT_TLS = "what came is not TLS: does the sender speak plain text?"
_MEANINGS = {
    "BAD_CERTIFICATE": "the sender refuses the certificate of this listener",
    "CERTIFICATE_EXPIRED": "to the sender this listener's certificate has expired",
    "CERTIFICATE_UNKNOWN": "the sender refuses the certificate of this listener",
    "HTTPS_PROXY_REQUEST": "what came is an HTTP request, not TLS",
    "HTTP_REQUEST": "what came is an HTTP request, not TLS",
    "NO_SHARED_CIPHER": "the sender and this listener have no cipher in common",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the sender showed no certificate",
    "RECORD_LAYER_FAILURE": _NOT_TLS,
    "UNKNOWN_CA": "the sender does not know the authority of this listener",
    "UNKNOWN_PROTOCOL": _NOT_TLS,
    "UNSUPPORTED_PROTOCOL": "the sender speaks only a version of TLS that is refused",
    "WRONG_VERSION_NUMBER": _NOT_TLS,
}
"""By OpenSSL's name of the reason, in all its versions. What the sender's alerts
say, names with ``_ALERT_``, is at the end of those names."""


def explain_handshake(error: ssl.SSLError) -> str:
    """Return what went wrong between a sender and a listener."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the sender's certificate is refused: {error.verify_message}"
    reason = str(error.reason or error)
    return _MEANINGS.get(reason.rpartition("_ALERT_")[2], reason)
