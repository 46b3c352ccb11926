"""Look up whether a sender's certificate was revoked by its authority.

OpenSSL could do it within the handshake, but not in the way that is needed here:
it refuses everybody of an authority without a list, and everybody when a list has
expired, and it does not look again at those who are connected.

The certificate of the sender itself is looked up, and that of the authority that
issued it, if it is one of ``certificate_authorities``. What a sender brings along
to complete its chain is not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPublicKeyTypes,
)

from beats_signer.config import TlsConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.identity import Identity
from beats_signer.receive.issuer import UNREADABLE, Issuer, issuer_of
from beats_signer.receive.refusal import Refusal, UnwelcomeError

__all__ = ["RevocationList", "Revocations", "load_revocations"]

_PEM = re.compile(
    rb"-----BEGIN X509 CRL-----.+?(?:-----END X509 CRL-----|\Z)\s*", re.DOTALL
)
_UNDERSTOOD = (
    x509.AuthorityKeyIdentifier,
    x509.CRLNumber,
    x509.IssuingDistributionPoint,
)
"""Extensions that may be critical: they are looked at, or change nothing here."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """What one authority has revoked."""

    path: Path
    issuer: Issuer
    """Name of the authority."""
    serials: frozenset[int]
    ends: datetime | None
    """When a newer list should be there; ``None``: it does not say."""

    def has_expired(self, now: int) -> bool:
        """Tell whether it is past its end; *now* is in nanoseconds since 1970."""
        return self.ends is not None and self.ends.timestamp() < now / 1e9


@dataclass(frozen=True, slots=True)
class Revocations:
    """All lists of one listener."""

    lists: tuple[RevocationList, ...] = ()
    accepts_expired: bool = False
    revoked_issuers: frozenset[Issuer] = frozenset()
    """Authorities of the listener that were themselves revoked by another one."""

    def check(self, identity: Identity) -> None:
        """Refuse a sender whose certificate was revoked.

        Raises:
            UnwelcomeError: It was, or nobody can tell.
        """
        if not self.lists:
            return
        if identity.issuer is None:
            raise UnwelcomeError(
                Refusal.OTHER,
                "the certificate cannot be parsed, so nobody can tell whether it was "
                "revoked: issue another",
            )
        if identity.issuer in self.revoked_issuers:
            raise UnwelcomeError(
                Refusal.REVOKED, "the authority that issued the certificate was revoked"
            )
        for one in self._of(identity):
            if identity.serial in one.serials:
                raise UnwelcomeError(
                    Refusal.REVOKED, f"the certificate was revoked, by {one.path}"
                )

    def check_age(self, identity: Identity, now: int) -> None:
        """Refuse a new sender when the list of its authority has expired.

        Raises:
            UnwelcomeError: It has, and that is not accepted.
        """
        if self.accepts_expired:
            return
        for one in self._of(identity):
            if one.has_expired(now):
                raise UnwelcomeError(
                    Refusal.LIST_EXPIRED,
                    f"the revocation list {one.path} has expired on "
                    f"{one.ends:%Y-%m-%d %H:%M} UTC: fetch a newer one",
                )

    def _of(self, identity: Identity) -> list[RevocationList]:
        return [one for one in self.lists if one.issuer == identity.issuer]


def load_revocations(tls: TlsConfig) -> Revocations:
    """Return the lists that the settings of a listener name.

    Raises:
        ConfigError: A file is missing, is no list, is none that can be used here,
            or is not signed by an authority of the listener.
    """
    authorities: list[x509.Certificate] = []
    for path in tls.certificate_authorities if tls.certificate_revocation_lists else ():
        authorities += _read_authorities(path)
    lists = [
        _read_list(pem, path, authorities)
        for path in tls.certificate_revocation_lists
        for pem in _split(path)
    ]
    accepts_expired = tls.expired_revocation_lists == "accept"
    revoked = _find_revoked(authorities, lists)
    return Revocations(tuple(lists), accepts_expired, revoked)


def _find_revoked(
    authorities: Sequence[x509.Certificate], lists: Sequence[RevocationList]
) -> frozenset[Issuer]:
    """Return the names of which every certificate was revoked: keys are renewed."""
    revoked: set[Issuer] = set()
    sound: set[Issuer] = set()
    for one in authorities:
        issuer, serial = issuer_of(one.issuer), one.serial_number
        is_revoked = any(
            list_.issuer == issuer and serial in list_.serials for list_ in lists
        )
        (revoked if is_revoked else sound).add(issuer_of(one.subject))
    return frozenset(revoked - sound)


def _read_authorities(path: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(_read(path, "certificate authority"))
        for one in found:
            _ = issuer_of(one.issuer), issuer_of(one.subject)  # parsed only now
    except UNREADABLE as error:
        raise ConfigError(
            f"the certificate authority {path} cannot be used to check revocation "
            f"lists: {error}",
            hint="It has to be a PEM file with one or more certificates.",
        ) from error
    return found


def _split(path: Path) -> list[bytes]:
    lists = _PEM.findall(_read(path, "revocation list"))
    if not lists:
        raise ConfigError(
            f"there is no revocation list in {path}",
            hint="It has to be a PEM file; convert DER with: openssl crl -inform DER "
            f"-in {path} -out FILE",
        )
    return lists


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read the {what} {path}: {error.strerror}",
            hint="Correct the path, or let the user that runs this program read it.",
        ) from error


def _read_list(
    pem: bytes, path: Path, authorities: Sequence[x509.Certificate]
) -> RevocationList:
    try:
        crl = x509.load_pem_x509_crl(pem)
        _check_kind(crl, path)
        issuer = issuer_of(crl.issuer)
        _check_signature(crl, path, authorities)
        serials = frozenset(entry.serial_number for entry in crl)
        return RevocationList(path, issuer, serials, crl.next_update_utc)
    except UNREADABLE as error:
        raise ConfigError(
            f"the revocation list {path} cannot be parsed: {error}",
            hint="Fetch it again; it has to be a PEM file.",
        ) from error


def _check_kind(crl: x509.CertificateRevocationList, path: Path) -> None:
    """Refuse lists that do not say by themselves which certificates are revoked."""
    problem = None
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            problem = "it holds only the changes to another list"
        elif isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl:
                problem = "it speaks for other authorities than its own"
            elif value.only_contains_ca_certs or value.only_contains_attribute_certs:
                problem = "it is not about certificates of senders"
        elif extension.critical and not isinstance(value, _UNDERSTOOD):
            problem = f"it has an extension {extension.oid.dotted_string} of which "
            problem += "nothing is known here"
    if problem:
        raise ConfigError(
            f"the revocation list {path} cannot be used: {problem}",
            hint="Name the complete list that the authority itself has issued.",
        )


def _check_signature(
    crl: x509.CertificateRevocationList,
    path: Path,
    authorities: Sequence[x509.Certificate],
) -> None:
    for authority in authorities:
        # A key that cannot sign at all is a TypeError below.
        key = cast(CertificateIssuerPublicKeyTypes, authority.public_key())
        is_its_own = issuer_of(authority.subject) == issuer_of(crl.issuer)
        if is_its_own and _is_signed(crl, key):
            return
    raise ConfigError(
        f"the revocation list {path} of {crl.issuer.rfc4514_string()} is not signed by "
        "any of the certificate_authorities",
        hint="Name the list of one of them; an intermediate authority has to be named "
        "there for that, too.",
    )


def _is_signed(
    crl: x509.CertificateRevocationList, key: CertificateIssuerPublicKeyTypes
) -> bool:
    try:
        return crl.is_signature_valid(key)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
