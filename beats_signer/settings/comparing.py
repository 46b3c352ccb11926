"""Name the settings in which two configurations differ."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from beats_signer.settings.tree import Steps, spell

__all__ = ["list_changes"]


def list_changes(old: Struct, new: Struct) -> tuple[str, ...]:
    """Return the names of all settings whose values are not the same.

    A list of sections that has become longer or shorter is named as a whole.
    """
    return tuple(spell(steps) for steps in _compare(old, new, ()))


def _compare(old: object, new: object, steps: Steps) -> Iterator[Steps]:
    if old == new:
        return
    match old, new:
        case Struct(), Struct() if type(old) is type(new):
            before, after = msgspec.structs.asdict(old), msgspec.structs.asdict(new)
            for key, value in before.items():
                yield from _compare(value, after[key], (*steps, key))
        case tuple(), tuple() if len(old) == len(new) and _are_sections(old):
            for at, pair in enumerate(zip(old, new, strict=True)):
                yield from _compare(*pair, (*steps, at))
        case _:
            yield steps


def _are_sections(values: tuple[object, ...]) -> bool:
    return all(isinstance(value, Struct) for value in values)
