"""Show chains, seals and events to people."""

import time
from collections.abc import Iterator
from typing import Any

import click
from rich.table import Table

from beats_signer.chain.errors import ChainError
from beats_signer.chain.seal import parse_seal_note
from beats_signer.chain.times import format_time
from beats_signer.cli.layout import open_console
from beats_signer.cli.server import ServerOptions, server_options
from beats_signer.cli.source import open_any
from beats_signer.errors import UsageError
from beats_signer.verify.printable import printable
from beats_signer.verify.readable import Readable
from beats_signer.verify.view import Event, Reader, describe_seal

__all__ = ["inspect"]

_POLL_SECONDS = 0.5


@click.command(
    epilog="Example: beats-signer inspect archive.db --chain acme/audit --grep error"
)
@click.argument("source", required=False)
@click.option(
    "--chain", "part", help="Show this chain: its origin, or a part that no other has."
)
@click.option("--seal", "number", type=click.IntRange(0), help="Show this seal of it.")
@click.option("--grep", help="Show only events whose payload contains this text.")
@click.option("--follow", is_flag=True, help="Wait for new events, from the last seal.")
@click.option("--limit", type=click.IntRange(1), help="End after this many events.")
@click.option("--signer", help="Of a store with several signers, show this one.")
@server_options
def inspect(
    source: str | None,
    part: str | None,
    number: int | None,
    grep: str | None,
    follow: bool,
    limit: int | None,
    signer: str | None,
    **options: Any,  # noqa: ANN401
) -> int:
    """Show the chains of SOURCE and their events.

    SOURCE is the URL of Elasticsearch, an archive, or the folder of an export.
    Without options the chains; with --chain, --grep, --limit or --follow one line
    per event: when it was sealed, its index, its sender and what it says. Nothing is
    verified here: that is what `beats-signer verify` is for.
    """
    opened = open_any(source, ServerOptions.take(options), signer)
    click.get_current_context().call_on_close(opened.close)
    if number is not None:
        if part is None or follow:
            raise UsageError("--seal needs --chain, and cannot be followed")
        return _show_seal(opened, _choose(opened, part), number, grep, limit)
    if part is None and grep is None and limit is None and not follow:
        open_console().print(_build_chains(opened))
        return 0
    origins = [_choose(opened, part)] if part else opened.origins()
    shown = 0
    for origin, event in _events(opened, origins, is_followed=follow):
        if grep is None or grep.encode() in (event.payload or b""):
            whose = f"{printable(origin)} " if len(origins) > 1 else ""
            click.echo(f"{whose}{event.line()}")
            shown += 1
        if shown == limit:
            break
    return 0


def _choose(source: Readable, part: str) -> str:
    """Return the one origin that is meant."""
    origins = source.origins()
    if part in origins:
        return part
    meant = [origin for origin in origins if part in origin]
    if len(meant) != 1:
        raise UsageError(
            f"{len(meant)} chains have {printable(part)} in their origin",
            hint="\n".join(printable(origin) for origin in meant or origins),
        )
    return meant[0]


def _events(
    source: Readable, origins: list[str], *, is_followed: bool
) -> Iterator[tuple[str, Event]]:
    """Yield the events of some chains; when they are followed, for ever."""
    starts = {
        origin: _last_number(source, origin) if is_followed else 0 for origin in origins
    }
    while True:
        for origin in origins:
            for item in Reader().read(source.read(origin, starts[origin])):
                if isinstance(item, Event):
                    yield origin, item
                else:
                    starts[origin] = item[1].number + 1
        if not is_followed:
            return
        time.sleep(_POLL_SECONDS)


def _last_number(source: Readable, origin: str) -> int:
    record = source.last(origin)
    try:
        return 0 if record is None else parse_seal_note(record.note)[0].number
    except ChainError:
        return 0


def _show_seal(
    source: Readable, origin: str, number: int, grep: str | None, limit: int | None
) -> int:
    """Show one seal, then its events."""
    is_found = False
    shown = 0
    for item in Reader().read(source.read(origin, number)):
        if isinstance(item, Event):
            if grep is None or grep.encode() in (item.payload or b""):
                click.echo(item.line())
                shown += 1
            if shown == limit:
                break
        elif is_found or item[1].number != number:
            break
        else:
            is_found = True
            table = _build_table("line", "value")
            for row in describe_seal(*item):
                table.add_row(*row)
            open_console().print(table)
    if not is_found:
        raise UsageError(f"{printable(origin)} has no seal {number} that can be read")
    return 0


def _build_chains(source: Readable) -> Table:
    table = _build_table("chain", "seals", "entries", "last sealed")
    for origin in source.origins():
        record = source.last(origin)
        try:
            seal = None if record is None else parse_seal_note(record.note)[0]
        except ChainError:
            seal = None
        if seal is None:
            table.add_row(printable(origin), "?", "?", "cannot be read")
            continue
        table.add_row(
            printable(origin),
            str(seal.number + 1),
            str(seal.first + seal.count),
            f"{format_time(seal.time)[:19]}Z",
        )
    return table


def _build_table(*columns: str) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
