"""Spell times: UTC with nine digits of a second, ``2026-11-23T09:00:01.500000000Z``.

In Python a time is an ``int`` of nanoseconds since 1970. Years end at 9999;
a leap second has no spelling.
"""

import re
from datetime import UTC, datetime

from beats_signer.chain.encoding import shown
from beats_signer.chain.errors import FormatError

__all__ = ["SECOND", "TIME_LIMIT", "check_time", "format_time", "parse_time"]

SECOND = 1_000_000_000
"""Nanoseconds of a second."""

TIME_LIMIT = 253_402_300_800 * SECOND
"""The first nanosecond of the year 10000, which has no spelling."""

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{9})Z"
)


def check_time(time: int, noun: str = "time") -> None:
    """Refuse a time outside the years 1970 to 9999."""
    if not 0 <= time < TIME_LIMIT:
        raise FormatError(f"{noun} {time} is outside the years 1970 to 9999")


def format_time(time: int) -> str:
    """Return the text of nanoseconds since 1970."""
    check_time(time)
    seconds, nanoseconds = divmod(time, SECOND)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.isoformat()[:19]}.{nanoseconds:09d}Z"


def parse_time(text: str, noun: str = "time") -> int:
    """Return the nanoseconds since 1970 that ``text`` spells."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise FormatError(
            f"{noun} {shown(text)} is not spelled like 2026-11-23T09:00:01.500000000Z"
        )
    try:
        year, month, day, hour, minute, second, rest = map(int, match.groups())
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise FormatError(f"{noun} {shown(text)} does not exist") from error
    time = int(moment.timestamp()) * SECOND + rest
    check_time(time, noun)
    return time
