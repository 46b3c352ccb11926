"""Build names of streams, targets and pipelines from what an event says.

A template is text with placeholders in braces: ``logs-{stream}-{tenant}``, or
``{data_stream.dataset}``. What a sender writes never reaches Elasticsearch as a
name before it has passed ``check_target``.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import translate
from functools import lru_cache

__all__ = [
    "OWN_NAMES",
    "PLACES",
    "RoutingNameError",
    "Template",
    "check_part",
    "check_pipeline",
    "check_target",
    "is_like",
]

OWN_NAMES = "beats-signer-"
"""Names that begin so are the signer's own: no event goes there."""

PLACES = frozenset({"sender", "tenant", "stream"})
"""Placeholders that are no fields of an event."""

_PLACEHOLDER = re.compile(r"\{([^{}\s]+)\}")
_PART = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TARGET = re.compile(r"[a-z0-9][a-z0-9._+-]*")
_PIPELINE = re.compile(r"[^\s/\\*?\"<>|,#:\x00-\x1f]{1,255}")
_TARGET_BYTES = 230
"""Elasticsearch takes 255; the indices behind a data stream add 22."""


class RoutingNameError(Exception):
    """A name that an event asks for cannot be one; it goes to the default."""


class Template(str):
    """A name with placeholders in braces, such as logs-{stream}-{tenant}."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Template":
        """Check the braces and return the text as a template.

        Raises:
            ValueError: A brace has no partner, or there is no text.
        """
        rest = _PLACEHOLDER.sub("", text)
        if not text or "{" in rest or "}" in rest:
            raise ValueError(
                f"{text!r} is not a name with placeholders\n"
                "Write it like logs-{data_stream.dataset}-default."
            )
        return super().__new__(cls, text)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Return the names in braces, in order."""
        return tuple(_PLACEHOLDER.findall(self))

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of an event that it takes."""
        return tuple(name for name in self.placeholders if name not in PLACES)

    def render(self, values: Mapping[str, str | None]) -> str | None:
        """Return the name, or ``None`` when a placeholder has no value."""
        found = [values.get(name) for name in self.placeholders]
        if not all(found):
            return None
        values_in_order = iter(found)
        return _PLACEHOLDER.sub(lambda _: next(values_in_order) or "", self)

    def pattern(self, known: Mapping[str, str]) -> str:
        """Return the wildcard pattern of all names that it can give."""
        return _PLACEHOLDER.sub(lambda place: known.get(place[1], "*"), self)

    def literals(self) -> Iterator[str]:
        """Yield the text between the placeholders."""
        return iter(_PLACEHOLDER.split(self)[::2])


def check_part(name: str, noun: str) -> None:
    """Refuse what cannot name a tenant or a stream.

    Raises:
        RoutingNameError: It does not have the form of such a name.
    """
    if not _PART.fullmatch(name):
        raise RoutingNameError(f"{noun} {name[:64]!r} does not match {_PART.pattern}")


def check_target(name: str) -> None:
    """Refuse what cannot name a data stream or an index of events.

    It is stricter than Elasticsearch: letters, digits and ``._+-`` only.

    Raises:
        RoutingNameError: It breaks a rule of Elasticsearch, is too long, or is
            one of the signer's own names.
    """
    if not _TARGET.fullmatch(name):
        raise RoutingNameError(f"target {name[:64]!r} does not match {_TARGET.pattern}")
    if len(name) > _TARGET_BYTES:
        raise RoutingNameError(
            f"target of {len(name)} bytes exceeds the limit of {_TARGET_BYTES}"
        )
    if name.startswith(OWN_NAMES):
        raise RoutingNameError(f"target {name[:64]!r} is one of the signer's own")


def check_pipeline(name: str) -> None:
    """Refuse what cannot be the id of an ingest pipeline.

    Raises:
        RoutingNameError: It has characters that no id has, or is too long.
    """
    if not _PIPELINE.fullmatch(name):
        raise RoutingNameError(f"pipeline {name[:64]!r} is no id of a pipeline")


def is_like(text: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a text matches one of the patterns; ``*`` stands for anything."""
    return any(_compiled(pattern).match(text) is not None for pattern in patterns)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
