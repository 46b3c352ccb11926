"""Export an archive into a folder that can be verified anywhere."""

import time
from pathlib import Path

import click

from beats_signer.cli.progress import ReadingProgress
from beats_signer.errors import UsageError
from beats_signer.verify.source import open_source
from beats_signer.verify.writer import ExportWriter

__all__ = ["export"]

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="Example: beats-signer export archive.db evidence, then: "
    "beats-signer verify evidence --trust trust-line.txt"
)
@click.argument("archive", type=_PATH)
@click.argument("folder", type=_PATH)
@click.option("--chain", "only", multiple=True, help="Export this chain only.")
@click.option("--signer", help="Of an archive with several signers, export this one.")
@click.option("--gzip", "is_compressed", is_flag=True, help="Compress the files.")
def export(
    archive: Path,
    folder: Path,
    only: tuple[str, ...],
    signer: str | None,
    is_compressed: bool,
) -> int:
    """Write the chains of ARCHIVE into FOLDER, also while a signer writes it.

    An earlier export of the same chains is replaced. Exit code 1: entries of the
    archive cannot be read; what is exported will not verify.
    """
    if archive.is_dir():
        raise UsageError(
            f"{archive} is a folder", hint="Only an archive is exported; copy a folder."
        )
    source = open_source(archive, signer)
    click.get_current_context().call_on_close(source.close)
    with ReadingProgress("exporting", source.done, time.monotonic) as progress:
        writer = ExportWriter(
            source, folder, is_compressed=is_compressed, on_entries=progress.add
        )
        files = writer.write(only)
    click.echo(f"{len(files)} files in {folder}")
    if writer.lost_entries:
        click.echo(
            f"{writer.lost_entries} entries of {archive} cannot be read and are missing"
            " in the export",
            err=True,
        )
        return 1
    return 0
