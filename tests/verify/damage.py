"""A world to damage, and ways to name and change a line of it.

The world is one chain of five seals with three events each, every seal of which
the catalogue recorded, and another chain beside it.
"""

import base64
from typing import Any

from tests.verify.signer import World, events

Lines = list[dict[str, Any]]


def whole_world(*names: str) -> World:
    """Return two chains; of the first, five seals and heads over them."""
    world = World(*names)
    chain = world.chain("audit")
    other = world.chain("other")
    for at in range(5):
        chain.events(events(3 * at, 3))
        world.head(chain)
    other.events(events(100, 2))
    world.head(other)
    return world


def seal_at(number: int) -> int:
    """Return the line of a seal."""
    return 0 if number == 0 else 4 * number - 3


def entry_at(index: int) -> int:
    """Return the line of an entry."""
    return seal_at(index // 3 + 1) + 1 + index % 3


def change_line(line: dict[str, Any], word: str) -> None:
    """Change the value of one line of a seal's text into another valid one."""
    note = line["seal"]["note"]
    rows = note.split("\n")
    at = next(at for at, row in enumerate(rows) if row.startswith(f"{word} "))
    if word == "time":
        rows[at] = rows[at][:-2] + ("1Z" if rows[at][-2] == "0" else "0Z")
    else:
        value = bytearray(base64.b64decode(rows[at].split(" ")[1]))
        value[5] ^= 1
        rows[at] = f"{word} {base64.b64encode(value).decode()}"
    line["seal"]["note"] = "\n".join(rows)
