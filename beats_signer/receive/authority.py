"""Issue certificates for a first try: an authority that is thrown away at once.

Its private key exists only in memory. Who needs a further certificate makes
all of them anew, or takes an authority that is kept with care.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Issued", "ThrowawayAuthority"]

_CLOCK_SKEW = timedelta(hours=1)
"""How far behind the clock of a peer may be."""

_COMMON_NAME_CHARACTERS = 64
"""Longest common name that X.509 allows; longer names stand beside it in full."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, as PEM; the key is PKCS #8."""

    certificate: bytes
    key: bytes


class ThrowawayAuthority:
    """One certificate authority with a P-256 key, for one run of ``init``."""

    def __init__(self, *, now: datetime, days: int = 365) -> None:
        """Make the authority's key and certificate; ``now`` has to know its zone."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("beats-signer throw-away authority")
        self._begin, self._end = now - _CLOCK_SKEW, now + timedelta(days=days)
        self._certificate = (
            self._build(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(True, 0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate(self) -> bytes:
        """Return the authority's certificate as PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue_server(self, names: Sequence[str]) -> Issued:
        """Return a certificate for a listener that is reached under ``names``.

        A name is a host name or an IP address; the first becomes the common name.
        """
        return self._issue(names, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_client(self, name: str) -> Issued:
        """Return a certificate by which a sender is known as ``name``."""
        return self._issue([name], ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(self, names: Sequence[str], purpose: x509.ObjectIdentifier) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_alternative(n) for n in names])
        certificate = (
            self._build(_name(names[0]), key.public_key())
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        """Return what all certificates of this authority have in common."""
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._begin)
            .not_valid_after(self._end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(own, critical=False)
        )


def _name(common: str) -> x509.Name:
    text = common[:_COMMON_NAME_CHARACTERS]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
