"""The content of configuration files as values that know where they stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Entry",
    "Items",
    "Leaf",
    "Place",
    "Section",
    "Steps",
    "Tree",
    "leaves",
    "place_of",
    "spell",
    "to_plain",
    "tree_at",
]

Steps: TypeAlias = tuple[str | int, ...]
"""The way from the top to a value: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: in a file, or on the command line."""

    file: str
    line: int | None = None
    """From 1; nothing on the command line."""

    def __str__(self) -> str:
        """Return it as errors name it."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text, number, truth value or null."""

    place: Place
    value: object
    is_quoted: bool = False
    written: str | None = None
    """The text of the file where a variable has given the value. It is shown in
    place of the value, which may be a secret."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping."""

    place: Place
    entries: Mapping[str, "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands under a key, and where the key stands."""

    place: Place
    tree: "Tree"


Tree: TypeAlias = Leaf | Items | Section


def to_plain(tree: Tree) -> object:
    """Return the tree as dicts, lists and values."""
    match tree:
        case Section(entries=entries):
            return {key: to_plain(entry.tree) for key, entry in entries.items()}
        case Items(items=items):
            return [to_plain(item) for item in items]
        case Leaf(value=value):
            return value


def leaves(tree: Tree) -> Iterator[Leaf]:
    """Yield every leaf."""
    match tree:
        case Section(entries=entries):
            for entry in entries.values():
                yield from leaves(entry.tree)
        case Items(items=items):
            for item in items:
                yield from leaves(item)
        case Leaf():
            yield tree


def place_of(tree: Tree, steps: Steps) -> Place:
    """Return where a value stands, or the nearest mapping around it."""
    return _follow(tree, steps)[0]


def tree_at(tree: Tree, steps: Steps) -> Tree:
    """Return what stands there, or the nearest that stands around it."""
    return _follow(tree, steps)[1]


def _follow(tree: Tree, steps: Steps) -> tuple[Place, Tree]:
    place = tree.place
    for step in steps:
        if isinstance(tree, Section) and step in tree.entries:
            entry = tree.entries[str(step)]
            place, tree = entry.place, entry.tree
        elif isinstance(tree, Items) and isinstance(step, int):
            tree = tree.items[step]
            place = tree.place
        else:
            break
    return place, tree


def spell(steps: Steps) -> str:
    """Return the name of a setting as errors show it."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(parts).lstrip(".") or "the file as a whole"
