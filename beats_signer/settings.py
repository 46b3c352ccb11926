"""Read a YAML file into a declared type, and explain what does not fit.

The declaration is a msgspec ``Struct``: its types, bounds and descriptions are
the rules and, in the same words, the text of the errors. This file knows no
setting by name.
"""

import json
import math
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from beats_signer.declaration import describe, kind_at, suggest
from beats_signer.errors import ConfigError

__all__ = ["read_settings"]

_T = TypeVar("_T")
_Steps = tuple[str | int, ...]
"""The way from the top of a file to a value: keys and list positions."""

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.*)`$")
_MISSING_KEY = re.compile(r"Object missing required field `(.*)`$")
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
_FOUND_CHARACTERS = 60
"""How much of a value that does not fit an error repeats, in characters."""


def read_settings(path: Path, kind: type[_T]) -> _T:
    """Return the content of a YAML file as a value of ``kind``.

    A field of type ``Path`` is returned absolute; in the file it may be relative
    to the folder of the file. Any other type that YAML does not know is called
    with the text. What a declaration raises as ``ValueError`` becomes the
    explanation: what is wrong, and on a second line what to do.

    Raises:
        ConfigError: The file cannot be read, is not YAML, has a key twice, or
            does not fit ``kind``. The message names file, line and key.
    """
    node, tree = _load(path)

    def convert(field_kind: type[Any], value: object) -> object:
        if not isinstance(value, str):  # explained in the words of the declaration
            raise ValueError("Expected text")
        if field_kind is Path:
            return path.absolute().parent / value
        return field_kind(value)

    try:
        return msgspec.convert(tree, kind, strict=True, dec_hook=convert)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        steps = _parse_steps(where.rstrip("`"))
        raise _explain(message, steps, path, node, tree, kind) from error


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a key that stands twice in a mapping is an error."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        keys = set()
        for key_node, _ in node.value:
            problem = ""
            if key_node.tag not in _KEY_TAGS:
                problem = "a key is not plain text"
            elif key_node.value in keys:
                problem = f"the key {key_node.value!r} stands here a second time"
            if problem:
                raise yaml.constructor.ConstructorError(
                    problem=problem, problem_mark=key_node.start_mark
                )
            keys.add(key_node.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        number: float = super().construct_yaml_float(node)
        if not math.isfinite(number):
            raise yaml.constructor.ConstructorError(
                problem=f"{node.value!r} is not a number that a setting can have",
                problem_mark=node.start_mark,
            )
        return number


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _load(path: Path) -> tuple[yaml.Node | None, object]:
    """Return the file as YAML nodes, which know their lines, and as values."""
    try:
        loader = _Loader(path.read_text("utf-8"))
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no configuration file {path}",
            hint="Make one with `beats-signer init`, or name yours with --config.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration file {path}: {error.strerror}",
            hint="Let the user that runs the signer read it.",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start} is not UTF-8",
            hint="Save the file as UTF-8 text.",
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{path}{line}: {error.problem or error.context}",
            hint="Each key once, nested by spaces; quote text that holds : # [ or {.",
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{path} is not YAML: {' '.join(str(error).split())}",
            hint="Save the file as plain text without control characters.",
        ) from error


def _parse_steps(where: str) -> _Steps:
    return tuple(key or int(place) for key, place in _STEP.findall(where))


def _explain(
    message: str,
    steps: _Steps,
    path: Path,
    node: yaml.Node | None,
    tree: object,
    kind: type,
) -> ConfigError:
    """Say which setting is wrong, what stands there, and what may stand there."""
    if match := _UNKNOWN_KEY.match(message):
        unknown = (*steps, match[1])
        place = _place(path, node, unknown)
        return ConfigError(
            f"{place}: there is no setting {_name(unknown)}",
            hint=suggest(match[1], kind_at(kind, steps)),
        )
    place = _place(path, node, steps)
    if match := _MISSING_KEY.match(message):
        missing = (*steps, match[1])
        return ConfigError(
            f"{place}: the setting {_name(missing)} is missing",
            hint=f"It is {describe(kind_at(kind, missing))}.",
        )
    if message.startswith(("Expected ", "Invalid ")):
        found = _show(_value_at(tree, steps))
        return ConfigError(
            f"{place}: {_name(steps)} is {found}",
            hint=f"It has to be {describe(kind_at(kind, steps))}.",
        )
    what, _, hint = message.partition("\n")
    return ConfigError(f"{place}: {_name(steps)}: {what}", hint=hint)


def _name(steps: _Steps) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(parts).lstrip(".") or "the file as a whole"


def _place(path: Path, node: yaml.Node | None, steps: _Steps) -> str:
    """Return file and line of the value, or of the nearest mapping around it."""
    line = 0
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == str(step)]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
    return f"{path}:{line + 1}"


def _value_at(tree: Any, steps: _Steps) -> object:  # noqa: ANN401
    for step in steps:
        tree = tree[step]
    return tree


def _show(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    if len(text) > _FOUND_CHARACTERS:
        return text[:_FOUND_CHARACTERS] + "…"
    return "empty" if value is None else text
