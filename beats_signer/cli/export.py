"""Export an archive or a cluster into a folder that can be verified anywhere."""

import time
from pathlib import Path
from typing import Any

import click

from beats_signer.cli.progress import ReadingProgress
from beats_signer.cli.server import ServerOptions, server_options
from beats_signer.cli.source import open_any
from beats_signer.errors import UsageError
from beats_signer.verify.writer import ExportWriter

__all__ = ["export"]

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="Example: beats-signer export archive.db evidence, then: "
    "beats-signer verify evidence --trust trust-line.txt"
)
@click.argument("source", required=False)
@click.argument("folder", type=_PATH, required=False)
@click.option("--chain", "only", multiple=True, help="Export this chain only.")
@click.option("--signer", help="Of an archive with several signers, export this one.")
@click.option("--gzip", "is_compressed", is_flag=True, help="Compress the files.")
@server_options
def export(
    source: str | None,
    folder: Path | None,
    only: tuple[str, ...],
    signer: str | None,
    is_compressed: bool,
    **options: Any,  # noqa: ANN401
) -> int:
    """Write the chains of SOURCE into FOLDER, also while a signer writes there.

    SOURCE is an archive or the URL of Elasticsearch. An earlier export of the same
    chains is replaced. Exit code 1: entries cannot be read; what is exported will
    not verify.
    """
    server = ServerOptions.take(options)
    if server.config is not None and folder is None:
        source, folder = None, None if source is None else Path(source)
    if folder is None:
        raise UsageError("it is not said which folder to write")
    if source is not None and Path(source).is_dir():
        raise UsageError(
            f"{source} is a folder", hint="Only an archive is exported; copy a folder."
        )
    opened = open_any(source, server, signer)
    click.get_current_context().call_on_close(opened.close)
    with ReadingProgress("exporting", opened.done, time.monotonic) as progress:
        writer = ExportWriter(
            opened, folder, is_compressed=is_compressed, on_entries=progress.add
        )
        files = writer.write(only)
    click.echo(f"{len(files)} files in {folder}")
    if writer.lost_entries:
        click.echo(
            f"{writer.lost_entries} entries of {source} cannot be read and are missing"
            " in the export",
            err=True,
        )
        return 1
    return 0
