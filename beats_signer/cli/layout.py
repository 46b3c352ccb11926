"""Lay rows out for people: as a table, or as paragraphs where that is too wide."""

import os
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

__all__ = ["lay_out", "open_console"]

_FILE_COLUMNS = 160
"""Width of what is shown when nobody looks at it."""


def open_console() -> Console:
    """Return standard output: as wide as the terminal, or as COLUMNS says."""
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _FILE_COLUMNS
    return console


def lay_out(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> RenderableType:
    """Return a table; where a row would not fit, what belongs to each first cell."""
    table = Table(title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    # Measured without a bound: within the console's width everything is folded.
    wide = console.options.update(width=1 << 16, max_width=1 << 16)
    if console.measure(table, options=wide).maximum <= console.width:
        return table
    return Group(*(_paragraph(columns, row) for row in rows))


def _paragraph(columns: Sequence[str], row: Sequence[str]) -> RenderableType:
    rest = zip(columns[1:], row[1:], strict=True)
    facts = ", ".join(f"{column} {cell}" for column, cell in rest if cell)
    first, text = (Text(part, overflow="fold") for part in (row[0], facts))
    return Group(first, Padding(text, (0, 0, 0, 2)))
