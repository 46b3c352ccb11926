"""Show a configuration that holds: every value, and where it comes from.

What may be secret is not shown: a value that the environment has given (its
variable is shown), a setting that is named like a secret, and anything that
looks like a private key or like a password in a URL. The paths of secrets are.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
import yaml
from msgspec import Struct

from beats_signer.settings.tree import Entry, Items, Leaf, Section, Tree, leaves

__all__ = ["MASK", "display", "is_secret"]

MASK = "********"
_SECRET_KEY = re.compile(r"pass(word|phrase)|secret|token|api_key|credential")
_URL_USER = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_COMMENT_COLUMN = 48


_Line: TypeAlias = tuple[str, str]
"""The text of a line, and where its value was set; empty for a default."""


def display(value: Struct, tree: Tree) -> Iterator[str]:
    """Yield lines of YAML, all defaults filled in.

    A comment says where a value was set; the others are defaults. Read again, in
    the same environment and folder, the lines give the same configuration, but for
    what is masked.

    Args:
        value: The configuration.
        tree: What it was converted from.
    """
    for text, source in _section(value, tree):
        yield f"{text:<{_COMMENT_COLUMN}} # {source}" if source else text


def is_secret(key: str) -> bool:
    """Tell whether a setting holds a secret, by its name; the path of one is none."""
    return bool(_SECRET_KEY.search(key)) and not key.endswith("_file")


def _section(value: Struct, tree: Tree | None) -> Iterator[_Line]:
    for key, inner in msgspec.structs.asdict(value).items():
        entry = tree.entries.get(key) if isinstance(tree, Section) else None
        below = _below(tree, key)
        if isinstance(inner, Struct):
            yield f"{key}:", ""
            yield from _indent(_section(inner, below))
        elif _is_list_of_sections(inner):
            yield f"{key}:", ""
            for at, item in enumerate(inner):
                one = below.items[at] if isinstance(below, Items) else None
                yield from _indent(_dash(_section(item, one)))
        else:
            source = _source(entry) if entry else ""
            yield f"{key}: {_spell(key, inner, below)}", source


def _is_list_of_sections(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(one, Struct) for one in value)


def _source(entry: Entry) -> str:
    is_given = any(leaf.written is not None for leaf in leaves(entry.tree))
    return f"{entry.place}, from the environment" if is_given else str(entry.place)


def _spell(key: str, value: object, tree: Tree | None) -> str:
    """Return a value in one line of YAML, without what may be secret."""
    shown = _masked(key, _plain(value), tree)
    text: str = yaml.safe_dump(
        shown, default_flow_style=True, width=float("inf"), allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return msgspec.to_builtins(value, enc_hook=str)


def _masked(key: str, value: object, tree: Tree | None) -> object:
    if value is None:
        return None
    if is_secret(key):
        return MASK
    match value, tree:
        case _, Leaf(written=str(text)):
            return text
        case tuple() as values, Items(items=items):
            pairs = zip(values, items, strict=True)
            return [_masked(key, one, below) for one, below in pairs]
        case tuple() as values, _:
            return [_masked(key, one, None) for one in values]
        case dict(), _:
            return {
                name: _masked(name, one, _below(tree, name))
                for name, one in value.items()
            }
        case str(), _:
            shown = MASK if "PRIVATE KEY" in value else _URL_USER.sub(MASK, value)
            return shown.replace("${", "$${")
    return value


def _below(tree: Tree | None, key: str) -> Tree | None:
    entry = tree.entries.get(key) if isinstance(tree, Section) else None
    return entry.tree if entry else None


def _indent(lines: Iterator[_Line]) -> Iterator[_Line]:
    for text, source in lines:
        yield f"  {text}", source


def _dash(lines: Iterator[_Line]) -> Iterator[_Line]:
    """Make the lines of a mapping those of a list's item."""
    for at, (text, source) in enumerate(lines):
        yield f"{'  ' if at else '- '}{text}", source
