"""Spell the name of a chain: ``<signer>/<tenant>/<stream>/<founded>``.

The catalogue's origin is ``<signer>`` alone. Nothing is ambiguous although a
signer may have several parts: only a founding second has capital letters.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from beats_signer.chain.encoding import shown
from beats_signer.chain.errors import FormatError

__all__ = [
    "Origin",
    "check_name",
    "check_origin",
    "check_signer",
    "is_catalogue",
    "signer_of",
]

_PART = r"[a-z0-9][a-z0-9._-]{0,63}"
_NAME = re.compile(_PART)
_SIGNER = re.compile(rf"{_PART}(?:/{_PART})*")
_ORIGIN = re.compile(
    rf"({_PART}(?:/{_PART})*)/({_PART})/({_PART})/([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})T([0-9]{{2}})([0-9]{{2}})([0-9]{{2}})Z"
)
_FOUNDED = "%Y%m%dT%H%M%SZ"
_FOUNDED_LIMIT = 253_402_300_800
"""The first second of the year 10000."""


def check_name(name: str, noun: str) -> None:
    """Refuse what may not name a tenant or a stream."""
    if not _NAME.fullmatch(name):
        raise FormatError(f"{noun} {shown(name)} does not match {_PART}")


def check_signer(name: str) -> None:
    """Refuse what may not name a signer."""
    if not _SIGNER.fullmatch(name):
        raise FormatError(f"signer {shown(name)} has a part that is not {_PART}")


@dataclass(frozen=True, slots=True)
class Origin:
    """The name of a chain that is not the catalogue."""

    signer: str
    tenant: str
    stream: str
    founded: int
    """Seconds since 1970; a taken origin is founded at the next second."""

    def __post_init__(self) -> None:
        check_signer(self.signer)
        check_name(self.tenant, "tenant")
        check_name(self.stream, "stream")
        if not 0 <= self.founded < _FOUNDED_LIMIT:
            raise FormatError(
                f"founded {self.founded} is outside the years 1970 to 9999"
            )

    def __str__(self) -> str:
        founded = datetime.fromtimestamp(self.founded, UTC).strftime(_FOUNDED)
        return f"{self.signer}/{self.tenant}/{self.stream}/{founded}"

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """Parse the origin of a chain; a catalogue's is refused."""
        match = _ORIGIN.fullmatch(text)
        if match is None:
            raise FormatError(
                f"origin {shown(text)} is not <signer>/<tenant>/<stream>/<founded>"
            )
        signer, tenant, stream, *founded = match.groups()
        year, month, day, hour, minute, second = map(int, founded)
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError as error:
            raise FormatError(f"second of {shown(text)} does not exist") from error
        return cls(signer, tenant, stream, int(moment.timestamp()))


def is_catalogue(origin: str) -> bool:
    """Tell whether a valid origin is a signer's own name."""
    return not origin.endswith("Z")


def check_origin(origin: str) -> None:
    """Refuse what is neither a signer's name nor a chain's origin."""
    if is_catalogue(origin):
        check_signer(origin)
    else:
        Origin.parse(origin)


def signer_of(origin: str) -> str:
    """Return the signer of a valid origin, the catalogue's included."""
    return origin if is_catalogue(origin) else origin.rsplit("/", 3)[0]
