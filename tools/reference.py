"""Write docs/configuration.md: every setting, as the declaration has it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml
from msgspec import inspect

from beats_signer.config import Config
from beats_signer.declaration import bare_kind, describe
from beats_signer.settings.docstrings import read_docstrings

__all__ = ["PAGE", "render_reference"]

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"

_HEAD = """\
# Settings

Written by `tools/update_readme.py` from the declarations: change those. Times are in
seconds, sizes in bytes. `[]` stands for each item of a list. How files, variables and
`-E` become one configuration, and what can change while the signer runs, is in
[README.md](../README.md#configuration).
"""


def render_reference() -> str:
    """Return the whole page."""
    return _HEAD + "".join(_sections(Config, ""))


def _sections(kind: type[msgspec.Struct], path: str) -> Iterator[str]:
    """Yield a section with the table of a mapping, then those of mappings in it."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    below: list[tuple[type[msgspec.Struct], str]] = []
    rows = []
    for field in info.fields:
        name = f"{path}.{field.encode_name}".lstrip(".")
        inner = bare_kind(field.type)
        if isinstance(inner, inspect.VarTupleType):
            item = bare_kind(inner.item_type)
            if isinstance(item, inspect.StructType):
                below.append((item.cls, f"{name}[]"))
        if isinstance(inner, inspect.StructType):
            below.append((inner.cls, name))
            if field.default is not None:  # a section that is always there
                continue
        rows.append(_row(name, field, read_docstrings(kind).get(field.name, "")))
    yield f"\n## {path or 'The file'}\n\n{' '.join(str(kind.__doc__).split())}\n\n"
    if rows:
        yield "| setting | says | value | default |\n|---|---|---|---|\n"
        yield "".join(rows)
    for inner_kind, name in below:
        yield from _sections(inner_kind, name)


def _row(name: str, field: inspect.Field, text: str) -> str:
    value = describe(field.type)
    if isinstance(bare_kind(field.type), inspect.StructType):
        value = "a section, see below, or null"
    cells = (f"`{name}`", text.replace("``", "`"), value, _default(field))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    plain = msgspec.to_builtins(default, enc_hook=str)
    text: str = yaml.safe_dump(
        list(plain) if isinstance(plain, tuple) else plain, default_flow_style=True
    )
    return f"`{text.removesuffix(chr(10)).removesuffix(f'{chr(10)}...')}`"
