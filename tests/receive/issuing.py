"""An authority in the hands of a test: it issues whatever is asked for."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from beats_signer.config import TlsConfig
from beats_signer.receive.tls import build_client_context

__all__ = ["Authority", "Issued"]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path
    serial: int

    @property
    def fingerprint(self) -> str:
        """Return SHA-256 of its DER, hex."""
        pem = self.certificate.read_bytes()
        der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        return sha256(der).hexdigest()


class Authority:
    """One authority, its own file, and all that it issues in one folder."""

    def __init__(
        self, folder: Path, name: str = "authority", above: "Authority | None" = None
    ) -> None:
        """Make one that has issued its own certificate, or has it from *above*."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.crt"
        above = above or self
        certificate = (
            above._build(self._name, self._key.public_key(), NOW + 900 * DAY)
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .sign(above._key, hashes.SHA256())
        )
        self.serial = certificate.serial_number
        self.path.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        uris: Sequence[str] = (),
        dns: Sequence[str] = (),
        organization: str | None = None,
        ends: datetime = NOW + 300 * DAY,
        file: str | None = None,
    ) -> Issued:
        """Return a certificate for a client, or for a server of these DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organization is not None:
            kind = NameOID.ORGANIZATION_NAME
            subject.append(x509.NameAttribute(kind, organization))
        names = [
            *map(x509.UniformResourceIdentifier, uris),
            *map(x509.DNSName, dns),
        ]
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = self._build(x509.Name(subject), key.public_key(), ends)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if names:
            alternatives = x509.SubjectAlternativeName(names)
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return self._write(file or name, certificate, key)

    def revoke(
        self,
        *serials: int,
        ends: datetime = NOW + 30 * DAY,
        extensions: Sequence[x509.ExtensionType] = (),
        file: str = "revoked",
        key: "Authority | None" = None,
    ) -> Path:
        """Return a file with the list of all that is revoked from now on.

        *key* signs in our place, as a forger would.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(NOW - 100 * DAY)
            .next_update(ends)
        )
        for serial in serials:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(NOW)
                .build()
            )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        crl = builder.sign((key or self)._key, hashes.SHA256())
        path = self._folder / f"{file}.crl"
        path.write_bytes(crl.public_bytes(Encoding.PEM))
        return path

    def listener(self, **settings: object) -> TlsConfig:
        """Return the TLS settings of a listener that trusts this authority."""
        server = self.issue("localhost", dns=["localhost"], file="server")
        named = {"certificate_authorities": (self.path,)} | settings
        return TlsConfig(server.certificate, server.key, **named)  # type: ignore[arg-type]

    def sender(
        self, client: Issued | None, *, trusting: "Authority | None" = None
    ) -> ssl.SSLContext:
        """Return the TLS side of a sender with a certificate, or without."""
        pair = (client.certificate, client.key) if client else (None, None)
        return build_client_context((trusting or self).path, *pair)

    def _write(
        self,
        file: str,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
    ) -> Issued:
        issued = Issued(
            self._folder / f"{file}.crt",
            self._folder / f"{file}.key",
            certificate.serial_number,
        )
        issued.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        issued.key.touch(mode=0o600)
        issued.key.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return issued

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime
    ) -> x509.CertificateBuilder:
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 400 * DAY)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(own, critical=False)
        )
