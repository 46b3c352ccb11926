"""Issue certificates for senders and listeners, for those who have no authority.

That of a first try is thrown away at once: its private key exists only in
memory. One that is kept issues further certificates later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificateIssuerPublicKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "Issued"]

_CLOCK_SKEW = timedelta(hours=1)
"""How far behind the clock of a peer may be."""

_COMMON_NAME_CHARACTERS = 64
"""Longest common name that X.509 allows; longer names stand beside it in full."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, as PEM; the key is PKCS #8."""

    certificate: bytes
    key: bytes


class Authority:
    """One certificate authority, for one run of a command."""

    def __init__(
        self,
        key: CertificateIssuerPrivateKeyTypes,
        certificate: x509.Certificate,
        *,
        now: datetime,
        days: int = 365,
    ) -> None:
        """Take the two; what is issued is good for ``days`` from ``now``, in UTC.

        Nothing that is issued outlives the authority itself.
        """
        self._key = key
        self._certificate = certificate
        self._begin = now - _CLOCK_SKEW
        self._end = min(now + timedelta(days=days), certificate.not_valid_after_utc)

    @classmethod
    def create(
        cls, name: str, *, now: datetime, own_days: int, days: int
    ) -> "Authority":
        """Make an authority of this name with a P-256 key, good for ``own_days``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        certificate = (
            _build(subject, subject, key.public_key(), key.public_key())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + timedelta(days=own_days))
            .add_extension(x509.BasicConstraints(True, 0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate, now=now, days=days)

    @classmethod
    def throwaway(cls, *, now: datetime, days: int = 365) -> "Authority":
        """Make an authority whose key nobody keeps; *now* has to know its zone."""
        name = "beats-signer throw-away authority"
        return cls.create(name, now=now, own_days=days, days=days)

    @classmethod
    def read(
        cls, certificate: bytes, key: bytes, *, now: datetime, days: int
    ) -> "Authority":
        """Take an authority that was kept, as PEM.

        Raises:
            ValueError: They are not PEM, do not belong together, or the
                certificate is not one of an authority; the message says which.
        """
        own = load_pem_private_key(key, None)
        issuer = x509.load_pem_x509_certificate(certificate)
        if own.public_key() != issuer.public_key():
            raise ValueError("the key does not belong to the certificate")
        if not isinstance(own, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ValueError("the key is neither of an elliptic curve nor RSA")
        try:
            limits = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
        except x509.ExtensionNotFound as error:
            raise ValueError("the certificate is not one of an authority") from error
        if not limits.value.ca:
            raise ValueError("the certificate is not one of an authority")
        return cls(own, issuer, now=now, days=days)

    @property
    def until(self) -> datetime:
        """Return when what is issued ends."""
        return self._end

    @property
    def key(self) -> bytes:
        """Return the authority's private key as PEM, PKCS #8."""
        return _pem(self._key)

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
        own, public = self._certificate, key.public_key()
        certificate = (
            _build(_name(names[0]), own.subject, public, own.public_key())
            .not_valid_before(self._begin)
            .not_valid_after(self._end)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(certificate.public_bytes(Encoding.PEM), _pem(key))


def _build(
    subject: x509.Name,
    issuer: x509.Name,
    public: CertificatePublicKeyTypes,
    issuer_public: CertificatePublicKeyTypes,
) -> x509.CertificateBuilder:
    """Return what all certificates have in common."""
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        cast(CertificateIssuerPublicKeyTypes, issuer_public)
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(own, critical=False)
    )


def _pem(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


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
