"""Declare the settings of the Elasticsearch store, field by field.

They stand here and not in ``beats_signer.config``, which puts them into the
file as the section ``elasticsearch``, so that the store needs nothing above it.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

__all__ = [
    "Accepted",
    "ElasticsearchConfig",
    "ElasticsearchTlsConfig",
    "HostUrl",
    "Lifecycle",
]

_KIB, _MIB = 1 << 10, 1 << 20

Accepted = Literal[
    "version",
    "privileges",
    "durability",
    "index-mode",
    "ids",
    "payload-mapping",
    "source",
]
"""Checks at start that an operator may overrule, by name."""

Lifecycle = Literal["ilm", "data_stream", "none"]


class HostUrl(str):
    """A URL such as https://es-1.example.com:9200, without user and password."""

    __slots__ = ()

    def __new__(cls, text: str) -> "HostUrl":
        """Check the text and return it as a URL.

        Raises:
            ValueError: The text is no URL of a server, or names a user.
        """
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{text!r} is not the URL of a server\n"
                "Write it as https://es-1.example.com:9200."
            )
        if parts.username is not None:
            # The text is not repeated: it holds a password.
            raise ValueError(
                "the URL names a user\n"
                "Put the password into a file: username and password_file."
            )
        if parts.query or parts.fragment:
            raise ValueError(
                f"{text!r} has more than host, port and path\n"
                "Write it as https://es-1.example.com:9200."
            )
        return super().__new__(cls, text)

    @property
    def is_encrypted(self) -> bool:
        """Tell whether TLS protects what is sent there."""
        return self.startswith("https:")

    @property
    def is_local(self) -> bool:
        """Tell whether it names this host by its loopback address."""
        host = urlsplit(self).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


class ElasticsearchTlsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """TLS to Elasticsearch, in the words of Beats."""

    certificate_authorities: tuple[Path, ...] = ()
    """Authorities of the servers, PEM; those of the system when none is named."""

    certificate_fingerprint: (
        Annotated[
            str,
            Meta(
                pattern=r"\A[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}\Z",
                description="a SHA-256 fingerprint of 64 hex digits",
            ),
        ]
        | None
    ) = None
    """SHA-256 of the server's own certificate. It alone is trusted then, whatever
    its authority and its name."""

    certificate: Path | None = None
    """Certificate of this client, PEM; with ``key`` another way to authenticate."""

    key: Path | None = None
    """Private key of the certificate, without a passphrase; PEM."""

    verification_mode: Literal["full", "certificate", "none"] = "full"
    """full: authority and name; certificate: authority only; none: nothing."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError(
                "certificate and key belong together, one of them is missing\n"
                "Name both files, or neither."
            )


class ElasticsearchConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the store is, who the signer is there, and how much it sends."""

    hosts: Annotated[
        tuple[HostUrl, ...],
        Meta(min_length=1, description="a list of at least one URL"),
    ]
    """Nodes of one cluster. The next one is asked when one does not answer."""

    api_key_file: Path | None = None
    """File with an API key, as id:key or in its encoded form."""

    username: str | None = None
    """User of the role beats-signer-signer; its password is in password_file."""

    password_file: Path | None = None
    """File with the password; a line feed at its end is not part of it."""

    allow_plain_http: bool = False
    """Send the key or password over http:// to another host."""

    ssl: ElasticsearchTlsConfig = ElasticsearchTlsConfig()

    timeout_seconds: Annotated[float, Meta(ge=61, le=3600)] = 90.0
    """Time for an answer. Longer than the 60 that the server itself waits."""

    grace_seconds: Annotated[float, Meta(ge=0, le=300)] = 5.0
    """After a time-out: how long a conflict with our own bytes is no proof yet."""

    in_flight: Annotated[int, Meta(ge=1, le=64)] = 4
    """Most requests of all chains on their way; fewer when the server is busy."""

    max_body_bytes: Annotated[int, Meta(ge=64 * _KIB, le=100 * _MIB)] = 8 * _MIB
    """Most bytes of one request before compression; one larger event is one
    request. The server refuses more than http.max_content_length, 100 MiB."""

    bare_share: Annotated[float, Meta(gt=0, le=1)] = 0.05
    """Share of bare documents among a stream's newest events from which health
    is degraded."""

    sender_fields: bool = False
    """Add the sender's name and address to the visible fields of each event, as
    ``beats_signer_sender.name`` and ``.address``."""

    lifecycle: Lifecycle = "ilm"
    """Who ends an event's retention: an ILM policy, the lifecycle of the data
    stream (serverless), or nobody."""

    template_priority: Annotated[int, Meta(ge=101, le=1_000_000)] = 1000
    """Least priority of our index templates: a target gets 10 more for each letter
    of its pattern, seals get 5000 more. Elastic's own have up to 200."""

    index_templates: bool = True
    """Let `beats-signer setup` make an index template for each target. Without it,
    add the component template beats-signer-event to templates of your own."""

    indices: tuple[str, ...] = ()
    """Targets that are plain indices, * stands for anything; all others are data
    streams. A plain index is not rolled over, so its retention is yours."""

    derived: tuple[str, ...] = ()
    """Fields that ingest pipelines add, rename or remove, * stands for anything:
    `beats-signer verify` does not hold them against what was signed."""

    replicas: Annotated[int, Meta(ge=0, le=10)] | None = None
    """Copies besides the first of seals and catalogue; null: the server's own
    default, which is 1."""

    accept: tuple[Accepted, ...] = ()
    """Checks that may fail without stopping the start. Each one breaks a promise:
    see `beats-signer test output`."""

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password_file is None):
            raise ValueError(
                "username and password_file belong together, one of them is missing\n"
                "Name both, or neither."
            )
        if self.username is not None and self.api_key_file is not None:
            raise ValueError(
                "api_key_file and username are both given\nKeep one of them."
            )
        is_secret = self.username is not None or self.api_key_file is not None
        open_hosts = [h for h in self.hosts if not h.is_encrypted and not h.is_local]
        if is_secret and open_hosts and not self.allow_plain_http:
            raise ValueError(
                f"{open_hosts[0]} would get the key or password in plain text\n"
                "Use https://, or set allow_plain_http: true."
            )
