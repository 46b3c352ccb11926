"""Open what a command is to read: a file, a folder or a cluster."""

import time
from collections.abc import Sequence
from pathlib import Path

from beats_signer.chain.times import SECOND
from beats_signer.cli.server import ServerOptions
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.showing import Showing
from beats_signer.store.elasticsearch.read.source import ElasticsearchSource
from beats_signer.verify.readable import Readable
from beats_signer.verify.source import open_source

__all__ = ["open_any"]

_LATE_TRIES = 60
"""Seconds to wait for the last events; most clusters show them after one."""


def open_any(
    source: str | None,
    server: ServerOptions,
    signer: str | None,
    *,
    delay_seconds: float = 0.0,
    derived: Sequence[str] | None = None,
    own: Sequence[str] = (),
) -> Readable:
    """Open a source for reading; the caller closes it.

    Args:
        source: What the command line names, if it does.
        server: What it says of a cluster.
        signer: Whose chains, where there may be several signers.
        delay_seconds: For so long an event may be stored and not visible yet.
        derived: Fields that ingest pipelines make, besides those of the settings;
            ``None``: visible fields are not read, and the last events waited for.
        own: Patterns of indices in which everything has to be signed.

    Raises:
        UsageError: It is not clear what is meant.
        ConfigError: A setting or a file that it names cannot be used.
        SourceError: There is nothing that can be read.
    """
    settings = server.settings(source)
    if settings is None:
        assert source is not None, "without a source there are settings"
        return open_source(Path(source), signer)
    asking = Asking(BlockingClient(connect(settings)), settings.hosts[0])
    now = time.time_ns()
    compare = None
    if derived is not None:
        compare = Showing([*settings.derived, *derived]).compare
    return ElasticsearchSource(
        asking,
        signer or server.signer(),
        indices=server.indices or "*",
        now=now,
        settled=now - round(delay_seconds * SECOND),
        compare=compare,
        own=own,
        late_tries=_LATE_TRIES if derived is None else 0,
    )
