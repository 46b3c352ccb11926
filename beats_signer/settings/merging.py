"""Lay one tree over another: files of ``conf.d``, and ``-E`` of the command line.

Mappings are merged key by key. A list of mappings, such as listeners or rules,
is continued; a list of plain values, such as hosts, is replaced, as is every
other value: the later one counts.
"""

import re
from dataclasses import replace

from msgspec import inspect

from beats_signer.declaration import (
    inner_kind,
    is_free,
    is_list,
    is_list_of_sections,
)
from beats_signer.errors import ConfigError, UsageError
from beats_signer.settings.document import parse_document
from beats_signer.settings.nesting import nest
from beats_signer.settings.tree import (
    Entry,
    Items,
    Leaf,
    Place,
    Section,
    Steps,
    Tree,
    spell,
)

__all__ = ["merge", "override"]

_COMMAND_LINE = Place("-E")
_POSITION = re.compile(r"\[(\d+)\]")


def merge(
    base: Tree, over: Tree, kind: inspect.Type | None, *, continues: bool = True
) -> Tree:
    """Return *base* with *over* laid over it.

    Args:
        base: What counts where *over* says nothing.
        over: What counts.
        kind: What is declared there.
        continues: Whether a list of mappings continues the one before it.
    """
    match base, over:
        case Section(entries=before), Section(entries=after):
            entries = dict(before)
            for key, entry in after.items():
                if (old := entries.get(key)) is not None:
                    inner = inner_kind(kind, key)
                    tree = merge(old.tree, entry.tree, inner, continues=continues)
                    is_new = tree is entry.tree
                    entry = Entry(entry.place if is_new else old.place, tree)
                entries[key] = entry
            return replace(base, entries=entries)
        case Items(items=first), Items(items=more):
            if continues and is_list_of_sections(kind):
                return replace(base, items=first + more)
    return over


def override(tree: Tree, text: str, kind: inspect.Type) -> Tree:
    """Return the tree with one ``key=value`` of the command line laid over it.

    The value is YAML. In the key, a position names an item of a list, as in
    ``listeners.0.address`` or ``listeners[0].address``; one more than there are
    adds an item.

    Raises:
        UsageError: It is no ``key=value``.
        ConfigError: The value is not YAML, or there is no such position.
    """
    key, equals, value = text.partition("=")
    key = _POSITION.sub(r".\1", key.strip())
    if not equals or not all(key.split(".")):
        raise UsageError(
            f"-E {text}: not a setting and its value",
            hint="Write it as -E sealing.max_entries=8192 or "
            "-E 'listeners.0.address=0.0.0.0:5044'.",
        )
    new = parse_document(value, _COMMAND_LINE.file, has_lines=False)
    return _lay(tree, key, new, kind, ())


def _lay(
    tree: Tree | None, key: str, new: Tree, kind: inspect.Type | None, steps: Steps
) -> Tree:
    """Return what stands at *steps* with *new* laid over it, *key* further down."""
    if not key:
        new = nest(new, kind, steps)
        # A list of the command line is the whole list.
        return merge(tree, new, kind, continues=False) if tree else new
    head, _, rest = (key, "", "") if is_free(kind) else key.partition(".")
    if isinstance(tree, Items) or (head.isdecimal() and is_list(kind)):
        return _lay_item(tree, head, rest, new, kind, steps)
    entries = dict(tree.entries) if isinstance(tree, Section) else {}
    old = entries.get(head)
    below = old.tree if old else None
    inner = _lay(below, rest, new, inner_kind(kind, head), (*steps, head))
    # Where only something further down is set, the key stays where it stood.
    is_below = rest and old and not isinstance(old.tree, Leaf)
    entries[head] = Entry(old.place if old and is_below else _COMMAND_LINE, inner)
    return Section(tree.place if tree else _COMMAND_LINE, entries)


def _lay_item(
    tree: Tree | None,
    position: str,
    rest: str,
    new: Tree,
    kind: inspect.Type | None,
    steps: Steps,
) -> Items:
    items = list(tree.items) if isinstance(tree, Items) else []
    at = int(position) if position.isdecimal() else len(items) + 1
    if at > len(items):
        raise ConfigError(
            f"-E: there is no item {position} in {spell(steps)}",
            hint=f"The list has {len(items)} items; the first is 0.",
        )
    old = items[at] if at < len(items) else None
    items[at : at + 1] = [_lay(old, rest, new, inner_kind(kind, at), (*steps, at))]
    return Items(tree.place if tree else _COMMAND_LINE, tuple(items))
