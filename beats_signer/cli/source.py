"""Open what a command is to read: a file, a folder or a cluster."""

import time
from collections.abc import Sequence
from pathlib import Path

from beats_signer.chain.times import SECOND
from beats_signer.cli.server import ServerOptions
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.questions import Asking
from beats_signer.store.elasticsearch.showing import Showing
from beats_signer.store.elasticsearch.source import ElasticsearchSource
from beats_signer.verify.readable import Readable
from beats_signer.verify.source import open_source

__all__ = ["open_any"]


def open_any(
    source: str | None,
    server: ServerOptions,
    signer: str | None,
    *,
    delay_seconds: float = 0.0,
    derived: Sequence[str] | None = None,
) -> Readable:
    """Open a source for reading; the caller closes it.

    ``derived`` are fields that ingest pipelines make, of which visible ones may
    differ; with ``None`` visible fields are not read at all.

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
    return ElasticsearchSource(
        asking,
        signer,
        indices=server.indices or "*",
        now=now,
        settled=now - round(delay_seconds * SECOND),
        compare=None if derived is None else Showing(derived).compare,
    )
