"""Set up TLS for both sides.

Every handshake is a full one: session tickets are off, so that an authority
taken out of the configuration admits nobody after the next start. Connections
of Beats live for days and do not gain from resumption.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from beats_signer.config import TlsConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.ciphers import set_ciphers
from beats_signer.receive.issuer import UNREADABLE

__all__ = [
    "ServerTls",
    "build_client_context",
    "build_server_context",
    "load_server_tls",
]

_VERSIONS = {
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_PASSPHRASE_BYTES = 1024
"""Longest that OpenSSL takes."""
_CLIENTS = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The files of a listener, as they were read together."""

    context: ssl.SSLContext
    ends: datetime | None
    """When its certificate, or one above it in the file, expires."""


def load_server_tls(tls: TlsConfig) -> ServerTls:
    """Return what the files of a listener say.

    Raises:
        ConfigError: As for ``build_server_context``.
    """
    context = build_server_context(tls)
    try:
        chain = x509.load_pem_x509_certificates(tls.certificate.read_bytes())
        return ServerTls(context, min(one.not_valid_after_utc for one in chain))
    except (OSError, *UNREADABLE):
        # OpenSSL could read it a moment ago, and decides.
        return ServerTls(context, None)


def build_server_context(tls: TlsConfig) -> ssl.SSLContext:
    """Return the TLS side of a listener.

    Raises:
        ConfigError: A file is missing, unreadable or not what it has to be;
            the message names the file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    versions = [_VERSIONS[name] for name in tls.supported_protocols]
    context.minimum_version, context.maximum_version = min(versions), max(versions)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    if tls.cipher_suites:
        set_ciphers(context, tls.cipher_suites)
    _load_certificate(context, tls.certificate, tls.key, tls.key_passphrase_file)
    for authority in tls.certificate_authorities:
        _load_authority(context, authority)
    context.verify_mode = _CLIENTS[tls.client_authentication]
    return context


def build_client_context(
    authority: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return the TLS side of a sender that trusts one authority.

    Raises:
        ConfigError: As for ``build_server_context``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_authority(context, authority)
    if certificate is not None and key is not None:
        _load_certificate(context, certificate, key)
    return context


def _load_certificate(
    context: ssl.SSLContext,
    certificate: Path,
    key: Path,
    passphrase_file: Path | None = None,
) -> None:
    _check_readable(certificate, "certificate")
    _check_readable(key, "private key")
    passphrase = _read_passphrase(passphrase_file) if passphrase_file else None
    password = _refuse_passphrase(key) if passphrase is None else passphrase
    try:
        context.load_cert_chain(certificate, key, password=password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"the private key {key} does not belong to the certificate "
                f"{certificate}",
                hint="Name the key for which this certificate was issued.",
            ) from error
        if passphrase is not None and _is_locked(key, passphrase):
            raise ConfigError(
                f"the passphrase in {passphrase_file} does not open the private key "
                f"{key}",
                hint="The file holds the passphrase and nothing else; a line feed at "
                "its end does not count.",
            ) from error
        raise ConfigError(
            f"the certificate {certificate} with the private key {key} cannot be "
            f"used: {error.reason or error}",
            hint="Both have to be PEM files; the signer's own certificate comes first.",
        ) from error
    except OSError as error:
        raise _gone(error, certificate) from error


def _is_locked(key: Path, passphrase: bytes) -> bool:
    """Tell whether only the passphrase is wrong: OpenSSL's error does not."""
    with suppress(OSError, ValueError, UnsupportedAlgorithm):
        data = key.read_bytes()
        try:
            load_pem_private_key(data, None)
        except TypeError:  # it has a passphrase, and is sound as far as one can see
            try:
                load_pem_private_key(data, passphrase)
            except ValueError:
                return True
    return False


def _read_passphrase(path: Path) -> bytes:
    _check_readable(path, "passphrase")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _gone(error, path) from error
    passphrase = text.removesuffix(b"\n").removesuffix(b"\r")
    if not 0 < len(passphrase) <= _PASSPHRASE_BYTES:
        raise ConfigError(
            f"the passphrase in {path} has {len(passphrase)} bytes",
            hint=f"It has to have 1 to {_PASSPHRASE_BYTES}.",
        )
    return passphrase


def _load_authority(context: ssl.SSLContext, authority: Path) -> None:
    _check_readable(authority, "certificate authority")
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise ConfigError(
            f"the certificate authority {authority} cannot be used: "
            f"{error.reason or error}",
            hint="It has to be a PEM file with one or more certificates.",
        ) from error
    except OSError as error:
        raise _gone(error, authority) from error


def _check_readable(path: Path, what: str) -> None:
    """Open the file once: the errors of ``ssl`` do not say which file they mean."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(
            f"cannot read the {what} {path}: {error.strerror}",
            hint="Correct the path, or let the user that runs this program read it.",
        ) from error


def _gone(error: OSError, path: Path) -> ConfigError:
    """Explain a file that was there a moment ago: somebody replaces it."""
    return ConfigError(
        f"cannot read {path} or what belongs to it: {error.strerror}",
        hint="See that the files stay; replace each by renaming a new one.",
    )


def _refuse_passphrase(key: Path) -> Callable[[], NoReturn]:
    """Return what OpenSSL calls instead of asking on the terminal."""

    def refuse() -> NoReturn:
        raise ConfigError(
            f"the private key {key} is protected by a passphrase",
            hint="Name the file that holds it with key_passphrase_file, or store the "
            f"key without: openssl pkey -in {key} -out FILE",
        )

    return refuse
