"""Take dotted keys, as Beats write them, for the nesting that they mean.

``ssl.key: x`` is ``ssl: {key: x}``. What is declared decides how far a key is
taken apart: below a free mapping, such as the fields of a rule, keys belong to
the user and stay as they are.
"""

from msgspec import inspect

from beats_signer.declaration import inner_kind, is_free
from beats_signer.errors import ConfigError
from beats_signer.settings.tree import Entry, Items, Leaf, Section, Steps, Tree, spell

__all__ = ["nest"]


def nest(tree: Tree, kind: inspect.Type | None, steps: Steps = ()) -> Tree:
    """Return the tree of one file without dotted keys.

    Args:
        tree: What stands there.
        kind: What is declared there; nothing when the key is unknown.
        steps: The way there.

    Raises:
        ConfigError: A setting is given twice, once in each way.
    """
    match tree:
        case Items(place=place, items=items):
            nested = (
                nest(item, inner_kind(kind, at), (*steps, at))
                for at, item in enumerate(items)
            )
            return Items(place, tuple(nested))
        case Section(place=place, entries=entries) if kind is not None:
            found: dict[str, Entry] = {}
            for key, entry in entries.items():
                head, entry = (key, entry) if is_free(kind) else _part(key, entry)
                way = (*steps, head)
                inner = nest(entry.tree, inner_kind(kind, head), way)
                _add(found, head, Entry(entry.place, inner), way)
            return Section(place, found)
        case Section() | Leaf():
            return tree


def _part(key: str, entry: Entry) -> tuple[str, Entry]:
    head, _, rest = key.partition(".")
    if not head or not rest:
        return key, entry
    return head, Entry(entry.place, Section(entry.place, {rest: entry}))


def _add(found: dict[str, Entry], key: str, entry: Entry, steps: Steps) -> None:
    """Add an entry; what was given in the other way before must not be the same."""
    before = found.setdefault(key, entry)
    if before is entry:
        return
    if not isinstance(before.tree, Section) or not isinstance(entry.tree, Section):
        raise ConfigError(
            f"{entry.place}: the setting {spell(steps)} stands in line "
            f"{before.place.line} already",
            hint="Keep one of the two.",
        )
    joined = dict(before.tree.entries)
    for name, inner in entry.tree.entries.items():
        _add(joined, name, inner, (*steps, name))
    found[key] = Entry(before.place, Section(before.tree.place, joined))
