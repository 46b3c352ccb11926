"""Say what a file may hold as JSON Schema, for editors and other programs.

msgspec makes it, from a mirror of the declaration in which every type of our own is
a text. What a file may hold besides is added: dotted keys, and variables in the
place of numbers and fixed words. What two settings together break, such as one
address twice, no schema says: `beats-signer test config` does.
"""

import types
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from beats_signer.settings.docstrings import read_docstrings

__all__ = ["build_schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_BUILTIN = (str, int, float, bool, types.NoneType)
_VARIABLE = "variable"
_ANNOTATIONS = ("description", "default", "title")


def build_schema(kind: type[Struct], title: str) -> dict[str, Any]:
    """Return the schema of a file that a declared type is read from."""
    schema = msgspec.json.schema(_mirror(kind))
    definitions = schema["$defs"]
    for definition in definitions.values():
        _admit_into(definition)
    definitions[_VARIABLE] = {
        "description": "A variable of the environment.",
        "type": "string",
        "pattern": r"\$\{",
    }
    return {"$schema": _DRAFT, "title": title, **schema}


@cache
def _mirror(kind: type[Struct]) -> type[Struct]:
    """Return a struct of the same fields, texts and bounds, of builtin types only."""
    hints = get_type_hints(kind, include_extras=True)
    texts = read_docstrings(kind)
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(kind):
        mirrored = _mirror_type(hints[field.name])
        if field.name in texts:
            mirrored = Annotated[mirrored, Meta(description=texts[field.name])]
        fields.append((field.encode_name, mirrored, _default(field, mirrored)))
    return msgspec.defstruct(
        kind.__name__,
        fields,
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": str(kind.__doc__).partition("\n")[0]},
    )


def _default(field: msgspec.structs.FieldInfo, mirrored: object) -> object:
    default = field.default
    if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if default is msgspec.NODEFAULT:
        return msgspec.NODEFAULT
    if isinstance(default, Struct | dict):
        return msgspec.field(default_factory=dict)  # its own fields have defaults
    plain = msgspec.to_builtins(default, enc_hook=str)
    return tuple(plain) if isinstance(plain, list) else plain


def _mirror_type(kind: Any) -> Any:  # noqa: ANN401
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return origin[_mirror_type(inner[0]), *inner[1:]]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_mirror_type, inner))]  # noqa: UP007
    if origin is tuple:
        return origin[_mirror_type(inner[0]), ...]
    if origin is dict:
        return origin[str, _mirror_type(inner[1])]
    if origin is Literal or kind in _BUILTIN:
        return kind
    if issubclass(kind, Struct):
        return _mirror(kind)
    return str  # a type of our own that is written as a text


def _admit_into(definition: dict[str, Any]) -> None:
    """Let a mapping have dotted keys, and its values be variables."""
    properties = definition["properties"]
    dotted = [name for name, value in properties.items() if _is_section(value)]
    definition["properties"] = {name: _admit(one) for name, one in properties.items()}
    if dotted:
        definition["patternProperties"] = {rf"^{name}\.": True for name in dotted}


def _is_section(schema: dict[str, Any]) -> bool:
    choices = schema.get("anyOf", [schema])
    return any("$ref" in one or "additionalProperties" in one for one in choices)


def _admit(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what takes a variable as well; a section takes none, a text all."""
    outside = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    inside = {key: value for key, value in schema.items() if key not in outside}
    choices = [_translate(choice) for choice in inside.get("anyOf", [inside])]
    is_open = any(
        choice.get("type") == "string" and len(choice) == 1 for choice in choices
    )
    if not is_open and not _is_section(schema):
        choices.append({"$ref": f"#/$defs/{_VARIABLE}"})
    return outside | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def _translate(schema: dict[str, Any]) -> dict[str, Any]:
    if "items" in schema:
        return schema | {"items": _admit(schema["items"])}
    if "pattern" in schema:  # both ends have another spelling than in Python
        pattern = schema["pattern"].removeprefix(r"\A").removesuffix(r"\Z")
        return schema | {"pattern": f"^{pattern}$"}
    return {key: value for key, value in schema.items() if key != "description"}
