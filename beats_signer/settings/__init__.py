"""Read YAML files into a declared type, and explain what does not fit.

The declaration is a msgspec ``Struct``: its types, bounds and descriptions are
the rules and, in the same words, the text of the errors. Nothing here knows a
setting by name. The steps, in this order: files are parsed (``document``), dotted
keys nested, drop-in files and the command line laid over (``merging``), variables
expanded, and the whole is converted.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from beats_signer.errors import ConfigError
from beats_signer.settings.document import read_document
from beats_signer.settings.explaining import explain
from beats_signer.settings.merging import merge, override
from beats_signer.settings.nesting import nest
from beats_signer.settings.tree import Leaf, Section, Tree, to_plain
from beats_signer.settings.variables import expand

__all__ = ["DROP_IN", "convert", "list_files", "read_settings", "read_tree"]

_T = TypeVar("_T")

DROP_IN = "conf.d"
"""Folder beside the file; what is in it is laid over the file in order of names."""


def read_settings(path: Path, kind: type[_T]) -> _T:
    """Return the content of one file, which takes nothing from anywhere else.

    Raises:
        ConfigError: As for ``read_tree`` and ``convert``.
    """
    tree = nest(read_document(path), msgspec.inspect.type_info(kind))
    return convert(tree, kind, path.absolute().parent)


def list_files(path: Path) -> tuple[Path, ...]:
    """Return the file and its drop-in files, in the order in which they count.

    Raises:
        ConfigError: The folder of drop-in files is there and cannot be read.
    """
    folder = path.parent / DROP_IN
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise ConfigError(
            f"cannot read the folder {folder}: {error.strerror}",
            hint="Let the user that runs the signer read it, or take it away.",
        ) from error
    counting = (one for one in names if one.endswith(".yml") and one[0] != ".")
    return (path, *(folder / one for one in counting))


def read_tree(
    path: Path,
    kind: type,
    *,
    overrides: Sequence[str],
    environment: Mapping[str, str],
) -> Tree:
    """Return what is set by a file, its drop-in files and the command line.

    Raises:
        ConfigError: A file cannot be read, is not YAML, has a key twice, or
            names a variable that is not set. The message names file and line.
        UsageError: An override is no ``key=value``.
    """
    declared = msgspec.inspect.type_info(kind)
    tree = nest(read_document(path), declared)
    for file in list_files(path)[1:]:
        over = nest(read_document(file), declared)
        if isinstance(over, Leaf) and over.value is None:
            continue  # all of it is commented out
        if not isinstance(over, Section):
            raise ConfigError(
                f"{over.place}: the file holds no settings",
                hint="Write settings as in the main file, such as signer: audit-1.",
            )
        tree = merge(tree, over, declared)
    for text in overrides:
        tree = override(tree, text, declared)
    return expand(tree, environment)


def convert(
    tree: Tree,
    kind: type[_T],
    folder: Path,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> _T:
    """Return what is set as a value of ``kind``.

    A field of type ``Path`` is returned absolute. Any other type that YAML does not
    know is called with the text. What a declaration raises as ``ValueError`` becomes
    the explanation: what is wrong, and on a second line what to do.

    Args:
        tree: What is set.
        kind: What is declared.
        folder: What relative paths are relative to.
        renamed: By keys that users know from elsewhere, what to write here.

    Raises:
        ConfigError: It does not fit ``kind``. The message names file, line and key.
    """

    def read(field_kind: type[Any], value: object) -> object:
        if not isinstance(value, str):  # explained in the words of the declaration
            raise ValueError("Expected text")
        if field_kind is Path:
            return folder / value
        return field_kind(value)

    try:
        return msgspec.convert(to_plain(tree), kind, strict=True, dec_hook=read)
    except msgspec.ValidationError as error:
        raise explain(str(error), tree, kind, renamed) from error
