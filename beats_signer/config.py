"""Declare every setting: key, unit, default and bound.

The file is YAML. An unknown key is an error, relative paths are relative to
the file, and secrets are the paths of files. Times are in seconds, sizes in
bytes.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from beats_signer.address import Address, Network
from beats_signer.listeners import ListenerConfig, ProxyProtocolConfig, TlsConfig
from beats_signer.renamed import RENAMED
from beats_signer.rules import RoutingConfig
from beats_signer.senders import Allowed, AllowedConfig, SendersConfig, read_allowed
from beats_signer.settings import convert, read_tree
from beats_signer.sign.routing import Routing
from beats_signer.store.elasticsearch.config import ElasticsearchConfig
from lumberjack.limits import Limits

__all__ = [
    "Address",
    "Allowed",
    "AllowedConfig",
    "CatalogueConfig",
    "Config",
    "ElasticsearchConfig",
    "HttpConfig",
    "LimitsConfig",
    "ListenerConfig",
    "LoggingConfig",
    "Network",
    "ProxyProtocolConfig",
    "RoutingConfig",
    "SealingConfig",
    "SendersConfig",
    "SignerName",
    "TlsConfig",
    "load",
    "read_allowed",
]

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30

_PART = "[a-z0-9][a-z0-9._-]{0,63}"
_NAME_IS = (
    "of a-z, 0-9, dot, underscore and hyphen, at most 64, first a letter or digit"
)
SignerName = Annotated[
    str,
    Meta(
        pattern=rf"\A{_PART}(/{_PART})*\Z",
        description=f"a name {_NAME_IS}; several such parts may be joined by /",
    ),
]


class HttpConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The signer's own HTTP: its status."""

    address: Address = Address("127.0.0.1:9600")
    """Where to answer. The answers name senders: keep them on this host."""


class LoggingConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What the log tells."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is written. No level shows events or keys."""


class SealingConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How events are gathered into seals, and what may wait for the store."""

    max_entries: Annotated[int, Meta(ge=1, le=65_536)] = 16_384
    """Events after which a seal is full. One larger window still is one seal."""

    max_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = 32 * _MIB
    """Payload bytes after which a seal is full. One larger window is one seal."""

    linger_seconds: Annotated[float, Meta(ge=0, le=1)] = 0.001
    """How long a seal waits for more windows when no other is on its way."""

    in_flight: Annotated[int, Meta(ge=1, le=64)] = 4
    """Seals of one chain that may be on their way to the store."""

    journal_bytes: Annotated[int, Meta(ge=64 * _MIB)] = 2 * _GIB
    """Sealed bytes that may wait for the store. Above it no more is sealed."""


class LimitsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What one sender, and what all of them together, may take up."""

    read_ahead_windows: Annotated[int, Meta(ge=1, le=64)] = 4
    """Unacknowledged windows of one connection. Filebeat sends 2 ahead."""

    memory_bytes: Annotated[int, Meta(ge=16 * _MIB)] = 256 * _MIB
    """Received bytes that all connections together may hold. Above it none is read."""

    connections: Annotated[int, Meta(ge=1, le=1_000_000)] = 8192
    """Connections in all; who comes then is turned away. Logstash: no limit."""

    connections_per_sender: Annotated[int, Meta(ge=1, le=1_000_000)] = 1024
    """Those of one certificate's name; without certificate, of one address."""

    handshakes_per_second: Annotated[int, Meta(ge=1, le=100_000)] = 50
    """TLS handshakes that one address may begin, after 10 seconds' worth at once."""

    handshake_seconds: Annotated[float, Meta(ge=1, le=300)] = 10.0
    """Time for a TLS handshake. Logstash: 10."""

    first_byte_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """Time from the handshake to the first byte. Logstash closes at 60."""

    window_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """Time in which a window that has begun must be complete."""

    write_seconds: Annotated[float, Meta(ge=1, le=300)] = 30.0
    """Time in which a sender must take an acknowledgement."""

    keepalive_seconds: Annotated[float, Meta(ge=1, le=15)] = 5.0
    """Pause between signs of life to a waiting sender. Beats give up after 30."""

    window_events: Annotated[int, Meta(ge=1, le=65_536)] = Limits().window_events
    """Events of one window: at most what one seal holds. Filebeat sends 2048."""

    compressed_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = Limits().compressed_bytes
    """One compressed frame as received. Graylog: 16 MiB; Vector: 100 MiB."""

    compressed_frames: Annotated[int, Meta(ge=1)] = Limits().compressed_frames
    """Frames inside one compressed frame."""

    inflated_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = Limits().inflated_bytes
    """One compressed frame after inflation. Graylog: 64 MiB; Vector: 100 MiB."""

    inflate_ratio: Annotated[int, Meta(ge=10, le=1100)] = Limits().inflate_ratio
    """Inflated to compressed size, judged above 8 MiB. Beats reach about 20."""

    window_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = Limits().window_bytes
    """All payload bytes of one window."""

    json_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = Limits().json_bytes
    """One JSON event. Graylog: 16 MiB; Vector: 100 MiB."""

    pairs: Annotated[int, Meta(ge=1, le=65_536)] = Limits().pairs
    """Pairs of one event of the old form. Graylog: 1024."""

    item_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = Limits().item_bytes
    """One key or value of the old form. Graylog: 1 MiB."""

    pairs_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = Limits().pairs_bytes
    """All pairs of one event of the old form."""

    def __post_init__(self) -> None:
        if self.memory_bytes < self.window_bytes:
            raise ValueError(
                f"memory_bytes is {self.memory_bytes}, window_bytes is "
                f"{self.window_bytes}\n"
                "A window has to fit into memory: raise memory_bytes, or lower "
                "window_bytes."
            )

    def for_wire(self) -> Limits:
        """Return those of the limits that the wire format itself is held to."""
        return msgspec.convert(self, Limits, from_attributes=True)


class CatalogueConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the catalogue speaks. Verifiers judge silence by it."""

    head_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """Pause between two records of how far a chain has come."""

    heartbeat_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60
    """Silence after which the catalogue gets a seal that shows the signer lives."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration of a signer."""

    signer: SignerName
    """Name of this signer. It is in every origin and cannot be changed later."""

    listeners: Annotated[
        tuple[ListenerConfig, ...],
        Meta(min_length=1, description="a list of at least one listener"),
    ]
    """The addresses that senders connect to."""

    state: Path = Path("state")
    """Folder of keys and journal. Keep it out of every backup and snapshot."""

    archive: Path = Path("archive.db")
    """The embedded store: a file with all events and seals. It is not used when
    there is a section elasticsearch."""

    elasticsearch: ElasticsearchConfig | None = None
    """The store in Elasticsearch; null: the embedded one."""

    senders: SendersConfig = SendersConfig()
    http: HttpConfig = HttpConfig()
    logging: LoggingConfig = LoggingConfig()
    sealing: SealingConfig = SealingConfig()
    limits: LimitsConfig = LimitsConfig()
    catalogue: CatalogueConfig = CatalogueConfig()
    routing: RoutingConfig = RoutingConfig()

    retention_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    """Days after which an event may be gone; null: never."""

    drain_seconds: Annotated[float, Meta(ge=0, le=600)] = 25.0
    """Time that a stop waits for open windows. Beats send again after 30."""

    @property
    def applied_routing(self) -> Routing:
        """Return the rules of routing as the signer applies them."""
        return self.routing.for_signer(self.retention_days, self.senders.tenants)

    def __post_init__(self) -> None:
        addresses = [listener.address for listener in self.listeners]
        taken = {one for one in addresses if one.port and addresses.count(one) > 1}
        if taken:
            raise ValueError(
                f"two listeners have the address {min(map(str, taken))}\n"
                "Give each listener an address of its own."
            )


def load(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """Return the configuration; all its paths are absolute.

    Args:
        path: The file. Those of the folder ``conf.d`` beside it are laid over it.
            All paths in all of them are relative to the folder of this one.
        overrides: Settings of the command line, each as ``key=value``.
        environment: What variables are taken from.

    Raises:
        ConfigError: A file is missing, unreadable or wrong; the message names
            file, line and key, the hint says what is allowed there.
        UsageError: An override is no ``key=value``.
    """
    tree = read_tree(path, Config, overrides=overrides, environment=environment)
    folder = path.absolute().parent
    config = convert(tree, Config, folder, RENAMED)
    # A default is relative to the folder as well.
    return msgspec.structs.replace(
        config, state=folder / config.state, archive=folder / config.archive
    )
