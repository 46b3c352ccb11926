"""Say in a person's words why a server did not answer, and what to do about it."""

from collections.abc import Sequence
from typing import Final

from elastic_transport import ConnectionTimeout, TransportError

__all__ = ["explain_silence"]

_AUTHORITY: Final = (
    "its certificate is of no trusted authority",
    "Name its authority in elasticsearch.ssl.certificate_authorities, or with --ca "
    "where a URL is given; a server that set itself up keeps it as "
    "config/certs/http_ca.crt.",
)
_NAME: Final = (
    "its certificate is for another name",
    "Name the server in elasticsearch.hosts as its certificate does.",
)
_KNOWN: Final = (
    ("mismatch, certificate is not valid for", *_NAME),
    (
        "certificate has expired",
        "its certificate has expired",
        "Renew the certificate of the server, and see that the clocks are right.",
    ),
    ("CERTIFICATE_VERIFY_FAILED", *_AUTHORITY),
    (
        "WRONG_VERSION_NUMBER",
        "it speaks no TLS",
        "Write http:// in elasticsearch.hosts, or switch TLS on there.",
    ),
    (
        "CERTIFICATE_REQUIRED",
        "it demands a client certificate",
        "Name one with elasticsearch.ssl.certificate and key.",
    ),
    (
        "(b'",
        "its certificate does not have the fingerprint of the settings",
        "Compare elasticsearch.ssl.certificate_fingerprint with the SHA-256 "
        "fingerprint of the certificate that the server shows.",
    ),
    (
        "Name or service not known",
        "there is no host of that name",
        "Correct the URL, in the settings elasticsearch.hosts.",
    ),
    (
        "Connect call failed",
        "nothing listens there",
        "See that Elasticsearch runs and can be reached at that address and port.",
    ),
    (
        "Server disconnected",
        "it closed the connection without an answer",
        "See that Elasticsearch runs and can be reached. Where it demands TLS, write "
        "https:// in elasticsearch.hosts.",
    ),
)
"""A part of what the libraries say, what it means, and what to do."""


def explain_silence(error: TransportError, hosts: Sequence[str]) -> tuple[str, str]:
    """Return what happened and what to do, for an answer that never came.

    The library tells neither of them apart but in words.
    """
    text = str(error.message)
    where = hosts[0] if len(hosts) == 1 else "one of " + ", ".join(hosts)
    if isinstance(error, ConnectionTimeout):
        return (
            f"{where}: timed out",
            "See that Elasticsearch is not overloaded and can be reached.",
        )
    for part, meaning, hint in _KNOWN:
        if part in text:
            return f"{where}: {meaning}", hint
    return f"{where}: {text}", "See that Elasticsearch runs and can be reached."
