"""Read YAML into a tree whose values know their lines."""

import math
from pathlib import Path

import yaml

from beats_signer.errors import ConfigError
from beats_signer.settings.tree import Entry, Items, Leaf, Place, Section, Tree

__all__ = ["parse_document", "parse_scalar", "read_document"]

_DEEPEST = 32
_MOST_VALUES = 100_000
"""Aliases can make a short file mean a huge one."""

_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
_MAPPING, _SEQUENCE = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


def read_document(path: Path) -> Tree:
    """Return the content of a file.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or has a key twice. The
            message names file and line.
    """
    try:
        text = path.read_text("utf-8")
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
    return parse_document(text, str(path))


def parse_document(text: str, file: str, *, has_lines: bool = True) -> Tree:
    """Return the content of a text; *file* is what errors call it.

    Raises:
        ConfigError: As for ``read_document``.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        builder = _Builder(loader, file, has_lines)
        return Leaf(builder.first, None) if node is None else builder.build(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark and has_lines else ""
        raise ConfigError(
            f"{file}{line}: {error.problem or error.context}",
            hint="Each key once, nested by spaces; quote text that holds : # [ or {.",
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{file} is not YAML: {' '.join(str(error).split())}",
            hint="Save the file as plain text without control characters.",
        ) from error
    except RecursionError as error:
        raise ConfigError(
            f"{file}: lists and mappings are nested too deep",
            hint="No setting needs more than a few levels.",
        ) from error


def parse_scalar(text: str) -> object:
    """Return what YAML makes of a text that stands there alone and unquoted."""
    loader = yaml.SafeLoader("")
    # PyYAML's types leave this method out.
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    try:
        return loader.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, yaml.YAMLError):  # such as a month 13
        return text


class _Builder:
    """Turn YAML nodes into a tree, and refuse what no setting needs."""

    def __init__(self, loader: yaml.SafeLoader, file: str, has_lines: bool) -> None:
        self._loader = loader
        self._file = file
        self._has_lines = has_lines
        self._left = _MOST_VALUES
        self.first = Place(file, 1 if has_lines else None)

    def build(self, node: yaml.Node, depth: int = 0) -> Tree:
        self._left -= 1
        if depth > _DEEPEST or not self._left:
            raise _error("lists and mappings are nested too deep, or too large", node)
        place = self._place(node)
        if isinstance(node, yaml.MappingNode) and node.tag == _MAPPING:
            return Section(place, self._entries(node, depth))
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE:
            items = (self.build(item, depth + 1) for item in node.value)
            return Items(place, tuple(items))
        if isinstance(node, yaml.ScalarNode):
            return Leaf(place, self._value(node), is_quoted=node.style is not None)
        raise _error(f"the tag {node.tag!r} is not known here", node)

    def _entries(self, node: yaml.MappingNode, depth: int) -> dict[str, Entry]:
        merged: dict[str, Entry] = {}
        own: dict[str, Entry] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for name, entry in self._merge(value, depth):
                    merged.setdefault(name, entry)
                continue
            if key.tag != _TEXT:
                raise _error("a key is not plain text", key)
            if key.value in own:
                raise _error(f"the key {key.value!r} stands here a second time", key)
            own[key.value] = Entry(self._place(key), self.build(value, depth + 1))
        return merged | own

    def _merge(self, node: yaml.Node, depth: int) -> list[tuple[str, Entry]]:
        tree = self.build(node, depth + 1)
        parts = tree.items if isinstance(tree, Items) else (tree,)
        entries: list[tuple[str, Entry]] = []
        for part in parts:
            if not isinstance(part, Section):
                raise _error("what << takes in is not a mapping", node)
            entries += part.entries.items()
        return entries

    def _value(self, node: yaml.ScalarNode) -> object:
        try:
            value: object = self._loader.construct_object(node)
        except (ValueError, OverflowError) as error:
            raise _error(f"{node.value!r} cannot be read: {error}", node) from error
        if isinstance(value, float) and not math.isfinite(value):
            problem = f"{node.value!r} is not a number that a setting can have"
            raise _error(problem, node)
        return value

    def _place(self, node: yaml.Node) -> Place:
        line = node.start_mark.line + 1 if self._has_lines else None
        return Place(self._file, line)


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
