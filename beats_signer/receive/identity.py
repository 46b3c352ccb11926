"""Read who a sender is from its certificate."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from beats_signer.receive.issuer import UNREADABLE, Issuer, issuer_of

__all__ = ["Identity", "identify"]

_NAME_CHARACTERS = 255
"""Longest name taken from a certificate: that of a DNS name. Names go into seals,
logs and tables."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a sender is: a name, and which certificate said so."""

    name: str
    certificate: str
    """SHA-256 of the certificate's DER, 64 lower-case hex digits."""

    organization: str | None = None
    """The first one of the subject."""

    issuer: Issuer | None = None
    """Name of the authority; ``None`` when no parser can read it."""

    serial: int | None = None
    """Number that the authority gave to the certificate."""


def identify(
    certificate: bytes, sources: Sequence[str] = ("uri", "dns", "cn")
) -> Identity:
    """Return whom a client certificate, as DER, stands for.

    The name is the first that one of the *sources* gives, in their order: the
    subject's alternative names of the kinds ``uri`` and ``dns``, and ``cn``, its
    common name. A certificate without such a name, or whose names no parser can
    read, is named by its own fingerprint: it was accepted by an authority all
    the same, and stays recognisable.
    """
    fingerprint = sha256(certificate).hexdigest()
    unnamed = f"sha256:{fingerprint}"
    try:
        parsed, serial = _parse(certificate)
        issuer = issuer_of(parsed.issuer)
    except UNREADABLE:
        return Identity(unnamed, fingerprint)
    try:
        found = dict(_names(parsed))
        organization = _text_of(parsed.subject, x509.NameOID.ORGANIZATION_NAME)
    except UNREADABLE:
        return Identity(unnamed, fingerprint, None, issuer, serial)
    name = next((found[source] for source in sources if source in found), unnamed)
    return Identity(name, fingerprint, organization, issuer, serial)


def _parse(certificate: bytes) -> tuple[x509.Certificate, int]:
    """Read a certificate and its number, which may be odd without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        parsed = x509.load_der_x509_certificate(certificate)
        return parsed, parsed.serial_number


def _names(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    """Yield the first name of each kind that can be shown."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value
            uris = names.get_values_for_type(x509.UniformResourceIdentifier)
            yield from _first("uri", uris)
            yield from _first("dns", names.get_values_for_type(x509.DNSName))
    common = _text_of(certificate.subject, x509.NameOID.COMMON_NAME)
    yield from _first("cn", [common] if common else [])


def _first(source: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from [(source, name) for name in names if _is_presentable(name)][:1]


def _text_of(subject: x509.Name, kind: x509.ObjectIdentifier) -> str | None:
    """Return the first attribute of a kind that can be shown."""
    values = (attribute.value for attribute in subject.get_attributes_for_oid(kind))
    texts = (value for value in values if isinstance(value, str))
    return next((text for text in texts if _is_presentable(text)), None)


def _is_presentable(name: str) -> bool:
    return 0 < len(name) <= _NAME_CHARACTERS and name.isprintable()
