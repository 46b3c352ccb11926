"""Put the environment's values in the place of ``${NAME}``.

As in Beats: ``${NAME:default}`` has a default, ``${NAME:?text}`` an error text
of its own, ``$${`` is the two characters themselves, and a variable that is
empty is one that is not set. It happens after the YAML is read, so no variable
can change the structure of a file, and comments and keys are left alone.

An unquoted value that is nothing but a variable is read as if the content stood
there: a number, true, or a list such as ``[a, b]``. Any other is text.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from beats_signer.errors import ConfigError
from beats_signer.settings.document import parse_document, parse_scalar
from beats_signer.settings.tree import Entry, Items, Leaf, Section, Steps, Tree, spell

__all__ = ["expand"]

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def expand(tree: Tree, environment: Mapping[str, str], steps: Steps = ()) -> Tree:
    """Return the tree with every variable replaced.

    Raises:
        ConfigError: A variable is not set and has no default, or is not written
            as one. The message names variable, key and line, never a content.
    """
    match tree:
        case Section(place=place, entries=entries):
            inner = {
                key: Entry(one.place, expand(one.tree, environment, (*steps, key)))
                for key, one in entries.items()
            }
            return Section(place, inner)
        case Items(place=place, items=items):
            return Items(
                place,
                tuple(
                    expand(item, environment, (*steps, at))
                    for at, item in enumerate(items)
                ),
            )
        case Leaf(value=str(text)) if "${" in text:
            return _expand(tree, text, environment, steps)
        case Leaf():
            return tree


def _expand(
    leaf: Leaf, text: str, environment: Mapping[str, str], steps: Steps
) -> Tree:
    where = f"{leaf.place}: {spell(steps)}"

    def value_of(found: re.Match[str]) -> str:
        if found[1] is None:
            return "${"
        if found[2] is None or "${" in found[1]:
            raise ConfigError(
                f"{where}: {text!r} holds a variable that does not end, or one in "
                "another",
                hint="Write ${NAME} or ${NAME:default}; $${ for the signs themselves.",
            )
        return _look_up(found[1], environment, where)

    content = _REFERENCE.sub(value_of, text)
    only = _REFERENCE.fullmatch(text)
    if only is None or only[1] is None or leaf.is_quoted:
        written = text if _REFERENCE.sub(_escaped, text) != content else None
        return replace(leaf, value=content, written=written)
    return _read(content, leaf, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[1] is not None else "${"


def _look_up(reference: str, environment: Mapping[str, str], where: str) -> str:
    name, colon, default = reference.partition(":")
    if not _NAME.match(name):
        raise ConfigError(
            f"{where}: '${{{reference}}}' does not name a variable",
            hint="A name is made of letters, digits and underscores; write $${ for "
            "the signs themselves.",
        )
    if value := environment.get(name):
        return value
    if default.startswith("?"):
        raise ConfigError(
            f"{where}: the variable {name} is not set: {default[1:]}",
            hint=f"Set {name} in the environment of the signer.",
        )
    if not colon:
        raise ConfigError(
            f"{where}: the variable {name} is not set",
            hint=f"Set {name} in the environment of the signer, or give a default: "
            f"${{{name}:default}}.",
        )
    return default


def _read(content: str, leaf: Leaf, text: str) -> Tree:
    """Return what YAML makes of the content of a variable, never a mapping."""
    if content.startswith("[") and content.endswith("]"):
        try:
            tree = parse_document(content, leaf.place.file)
        except ConfigError:
            tree = leaf  # a text that only looks like a list
        if isinstance(tree, Items) and all(isinstance(i, Leaf) for i in tree.items):
            items = (
                replace(item, place=leaf.place, written=text)
                for item in tree.items
                if isinstance(item, Leaf)
            )
            return Items(leaf.place, tuple(items))
    return replace(leaf, value=parse_scalar(content), written=text)
