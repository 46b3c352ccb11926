"""Explain in the words of the declaration what does not fit it."""

import json
import re
from collections.abc import Mapping

from beats_signer.declaration import describe, kind_at, suggest
from beats_signer.errors import ConfigError
from beats_signer.settings.tree import (
    Items,
    Leaf,
    Section,
    Steps,
    Tree,
    leaves,
    place_of,
    spell,
    tree_at,
)

__all__ = ["explain"]

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.*)`$")
_MISSING_KEY = re.compile(r"Object missing required field `(.*)`$")
_FOUND_CHARACTERS = 60
"""How much of a value that does not fit an error repeats, in characters."""


def explain(
    error: str, tree: Tree, kind: type, renamed: Mapping[str, str]
) -> ConfigError:
    """Say which setting is wrong, what stands there, and what may stand there.

    What a variable has given is never repeated: its name is.

    Args:
        error: The text of a msgspec ``ValidationError``.
        tree: What was read.
        kind: What is declared.
        renamed: By keys that users know from elsewhere, what to write here.
    """
    message, _, where = error.partition(" - at `$")
    steps = _parse_steps(where.rstrip("`"))
    if match := _UNKNOWN_KEY.match(message):
        unknown = (*steps, match[1])
        return ConfigError(
            f"{place_of(tree, unknown)}: there is no setting {spell(unknown)}",
            hint=renamed.get(match[1]) or suggest(match[1], kind_at(kind, steps)),
        )
    place = place_of(tree, steps)
    if match := _MISSING_KEY.match(message):
        missing = (*steps, match[1])
        return ConfigError(
            f"{place}: the setting {spell(missing)} is missing",
            hint=f"It is {describe(kind_at(kind, missing))}.",
        )
    found = tree_at(tree, steps)
    if message.startswith(("Expected ", "Invalid ")):
        return ConfigError(
            f"{place}: {spell(steps)} is {_show(found)}",
            hint=f"It has to be {describe(kind_at(kind, steps))}.",
        )
    what, _, hint = _hide(message, found).partition("\n")
    return ConfigError(f"{place}: {spell(steps)}: {what}", hint=hint)


def _parse_steps(where: str) -> Steps:
    # The keys of free mappings are not told: what is behind one is unknown.
    known = where.partition("[...]")[0]
    return tuple(key or int(place) for key, place in _STEP.findall(known))


def _show(tree: Tree) -> str:
    if isinstance(tree, Leaf) and tree.written is not None:
        return f"the content of {_shorten(tree.written)}"
    value = _showable(tree)
    if value is None:
        return "empty"
    return _shorten(json.dumps(value, default=str, ensure_ascii=False))


def _showable(tree: Tree) -> object:
    match tree:
        case Section(entries=entries):
            return {key: _showable(entry.tree) for key, entry in entries.items()}
        case Items(items=items):
            return [_showable(item) for item in items]
        case Leaf(value=value, written=written):
            return value if written is None else written


def _shorten(text: str) -> str:
    if len(text) > _FOUND_CHARACTERS:
        return text[:_FOUND_CHARACTERS] + "…"
    return text


def _hide(message: str, tree: Tree) -> str:
    """Return the message with variables in the place of what they have given."""
    for leaf in leaves(tree):
        if leaf.written is None:
            continue
        for text in (repr(leaf.value)[1:-1], str(leaf.value)):
            if text:
                alone = rf"(?<!\w){re.escape(text)}(?!\w)"
                shown = leaf.written.replace("\\", r"\\")
                message = re.sub(alone, shown, message)
    return message
