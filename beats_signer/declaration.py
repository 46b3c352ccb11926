"""Say in words what a declared type allows.

The words come from the types, bounds and descriptions of msgspec, so that an
error cannot promise anything else than what is checked.
"""

from difflib import get_close_matches
from pathlib import Path

from msgspec import inspect

__all__ = [
    "bare_kind",
    "describe",
    "inner_kind",
    "is_free",
    "is_list",
    "is_list_of_sections",
    "kind_at",
    "suggest",
]


def kind_at(kind: type, steps: tuple[str | int, ...]) -> inspect.Type:
    """Return what is declared at a place of the type."""
    here: inspect.Type | None = inspect.type_info(kind)
    for step in steps:
        here = inner_kind(here, step)
    assert here is not None, "the steps are those of declared settings"
    return here


def inner_kind(kind: inspect.Type | None, step: str | int) -> inspect.Type | None:
    """Return what is declared one step further; nothing when nothing is."""
    match bare_kind(kind) if kind is not None else None:
        case inspect.StructType(fields=fields):
            return next((f.type for f in fields if f.encode_name == step), None)
        case inspect.VarTupleType(item_type=inner):
            return inner
        case inspect.DictType(value_type=inner):
            return inner
    return None


def is_free(kind: inspect.Type | None) -> bool:
    """Tell whether it is a mapping whose keys are the user's own."""
    return kind is not None and isinstance(bare_kind(kind), inspect.DictType)


def is_list(kind: inspect.Type | None) -> bool:
    """Tell whether it is a list."""
    return kind is not None and isinstance(bare_kind(kind), inspect.VarTupleType)


def is_list_of_sections(kind: inspect.Type | None) -> bool:
    """Tell whether it is a list of mappings whose keys are settings."""
    inner = inner_kind(kind, 0) if is_list(kind) else None
    return inner is not None and isinstance(bare_kind(inner), inspect.StructType)


def bare_kind(kind: inspect.Type) -> inspect.Type:
    """Return the type without its description and without the choice of null."""
    if isinstance(kind, inspect.Metadata):
        return bare_kind(kind.type)
    if isinstance(kind, inspect.UnionType):
        return bare_kind(
            next(t for t in kind.types if not isinstance(t, inspect.NoneType))
        )
    return kind


def suggest(key: str, kind: inspect.Type) -> str:
    """Say which keys a mapping knows, and which of them an unknown key may mean."""
    kind = bare_kind(kind)
    assert isinstance(kind, inspect.StructType)
    known = [field.encode_name for field in kind.fields]
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
        case inspect.BoolType():
            return "true or false"
        case inspect.CustomType():
            return "the path of a file or folder"
    return "text"


def _bounds(least: float | None, most: float | None) -> str:
    if least is None:
        return "" if most is None else f" of at most {most}"
    return f" of at least {least}" if most is None else f" from {least} to {most}"
