"""Make a client from the settings: addresses, TLS, and who we are there."""

import base64
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from beats_signer.errors import ConfigError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import (
    ElasticsearchConfig,
    ElasticsearchTlsConfig,
)

__all__ = ["connect"]

# It warns of each failure of a node; what we raise says the same, and what to do.
logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)

_CONNECTIONS = 1024
"""More than there are chains: each may have one request on its way although others
do not answer. What is on its way together is bounded by ``Capacity``."""


def connect(config: ElasticsearchConfig, *, password: str | None = None) -> Client:
    """Return a client; nothing is sent yet.

    Args:
        config: Where, and who; ``password`` counts in place of its file.
        password: Of ``username``, when a person has typed it.

    Raises:
        ConfigError: A file that the settings name cannot be read or used.
    """
    options: dict[str, Any] = {"connections_per_node": _CONNECTIONS}
    if config.api_key_file is not None:
        options["api_key"] = _encoded_key(_read_secret(config.api_key_file))
    elif config.username is not None:
        if password is None:
            assert config.password_file is not None, "the declaration checks it"
            password = _read_secret(config.password_file)
        options["basic_auth"] = config.username, password
    if any(host.is_encrypted for host in config.hosts):
        options |= _tls_options(config.ssl)
    return Client(
        *map(_with_port, config.hosts),
        timeout_seconds=config.timeout_seconds,
        **options,
    )


def _with_port(host: str) -> str:
    """Return the URL with a port; the client demands one, and Beats mean 9200."""
    scheme, _, rest = host.partition("://")
    authority, slash, path = rest.partition("/")
    if ":" not in authority.rpartition("]")[2]:
        authority += ":9200"
    return f"{scheme}://{authority}{slash}{path}"


def _read_secret(path: Path) -> str:
    try:
        secret = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except FileNotFoundError as error:
        raise ConfigError(
            f"cannot read the secret in {path}: it is not there",
            hint="Put the key or password into it; `beats-signer setup --user NAME "
            "--create-key` makes an API key.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the secret in {path}: {error}",
            hint="Let the user that runs the signer read it, and nobody else.",
        ) from error
    if not secret:
        raise ConfigError(f"{path} is empty", hint="Put the key or password into it.")
    return secret


def _encoded_key(key: str) -> str:
    """Return an API key as it is sent: id:key is encoded, else it is already."""
    return base64.b64encode(key.encode()).decode() if ":" in key else key


def _tls_options(config: ElasticsearchTlsConfig) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in config.certificate_authorities:
        with _explaining("certificate_authorities", path):
            context.load_verify_locations(path)
    if not config.certificate_authorities:
        context.load_default_certs()
    if config.certificate is not None and config.key is not None:
        with _explaining("certificate and key", config.certificate, config.key):
            context.load_cert_chain(config.certificate, config.key)
    if config.verification_mode != "full":
        context.check_hostname = False
    if config.verification_mode == "none":
        context.verify_mode = ssl.CERT_NONE
    options: dict[str, Any] = {"ssl_context": context}
    if config.certificate_fingerprint is not None:
        options["ssl_assert_fingerprint"] = config.certificate_fingerprint
    return options


@contextmanager
def _explaining(setting: str, *paths: Path) -> Iterator[None]:
    """Say of what fails in here which files it was; the library names none."""
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        names = " and ".join(map(str, paths))
        raise ConfigError(
            f"elasticsearch.ssl: {setting}: {names} cannot be used: "
            f"{error.strerror or error}",
            hint="Name PEM files that the signer may read, and a key that belongs "
            "to its certificate.",
        ) from error
