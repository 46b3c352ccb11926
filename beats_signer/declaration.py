"""Say in words what a declared type allows.

The words come from the types, bounds and descriptions of msgspec, so that an
error cannot promise anything else than what is checked.
"""

from difflib import get_close_matches
from pathlib import Path

from msgspec import inspect

__all__ = ["describe", "kind_at", "suggest"]


def kind_at(kind: type, steps: tuple[str | int, ...]) -> inspect.Type:
    """Return what is declared at a place of the type."""
    here: inspect.Type = inspect.type_info(kind)
    for step in steps:
        here = _bare(here)
        if isinstance(here, inspect.StructType):
            here = next(f.type for f in here.fields if f.encode_name == step)
        elif isinstance(here, inspect.VarTupleType):
            here = here.item_type
        elif isinstance(here, inspect.DictType):
            here = here.value_type
    return here


def _bare(kind: inspect.Type) -> inspect.Type:
    """Return the type without its description and without the choice of null."""
    if isinstance(kind, inspect.Metadata):
        return _bare(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _bare(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
    return kind


def suggest(key: str, kind: inspect.Type) -> str:
    """Say which keys a mapping knows, and which of them an unknown key may mean."""
    kind = _bare(kind)
    assert isinstance(kind, inspect.StructType)
    known = [field.encode_name for field in kind.fields]
    first, dot, rest = key.partition(".")
    if dot and first in known:
        return f"Write {rest} on a line of its own, indented under {first}."
    near = get_close_matches(key, known, 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Known here: {', '.join(known)}."


def describe(kind: inspect.Type) -> str:
    """Say in words what a value of a declared type may be."""
    match kind:
        case inspect.Metadata(extra_json_schema={"description": text}):
            return str(text)
        case inspect.Metadata(type=inner):
            return describe(inner)
        case inspect.UnionType(types=choices):
            return " or ".join(describe(choice) for choice in choices)
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case inspect.IntType(ge=least, le=most):
            return "a whole number" + _bounds(least, most)
        case inspect.FloatType(ge=least, le=most):
            return "a number" + _bounds(least, most)
        case inspect.VarTupleType(item_type=item):
            return f"a list; each of its items is {describe(item)}"
        case inspect.StructType(fields=fields):
            known = ", ".join(field.encode_name for field in fields)
            return f"a mapping with keys of these: {known}"
        case inspect.CustomType(cls=cls) if cls is not Path:
            text = str(cls.__doc__).partition("\n")[0].rstrip(".")
            return text[0].lower() + text[1:]
        case inspect.NoneType():
            return "null"
        case inspect.CustomType():
            return "the path of a file or folder"
    return "text"


def _bounds(least: float | None, most: float | None) -> str:
    if least is None:
        return "" if most is None else f" of at most {most}"
    return f" of at least {least}" if most is None else f" from {least} to {most}"
