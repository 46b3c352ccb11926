"""Draw the last hour as bars of one SVG path: no script, no library."""

from collections.abc import Sequence
from dataclasses import dataclass

from beats_signer.operate.history import HOUR

__all__ = ["HEIGHT", "WIDTH", "Chart", "draw"]

WIDTH, HEIGHT = 720, 120
"""Units of the drawing; the page scales it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One hour, the newest value at the right edge."""

    title: str
    path: str
    """The ``d`` of an SVG path; empty when there is nothing to draw."""
    top: str
    """What the upper edge stands for."""
    last: str
    """The newest value, for people."""


def draw(title: str, values: Sequence[float | None], unit: str) -> Chart:
    """Return the chart of up to ``HOUR`` values; ``None`` is a gap."""
    known = [value for value in values if value is not None]
    top = max(known, default=0.0)
    last = values[-1] if values else None
    return Chart(
        title,
        _path(values, top),
        _spell(top, unit),
        "-" if last is None else _spell(last, unit),
    )


def _path(values: Sequence[float | None], top: float) -> str:
    """Return one bar per value, each in the middle of its interval."""
    first = HOUR - len(values)
    bars = []
    for place, value in enumerate(values, start=first):
        if value is not None:
            x = (place + 0.5) * WIDTH / HOUR
            y = HEIGHT - (value / top if top else 0.0) * HEIGHT
            bars.append(f"M{x:.1f} {HEIGHT}V{y:.1f}")
    return "".join(bars)


def _spell(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == 0 else 1 if value >= 10 else 3
    return f"{value:,.{digits}f} {unit}"
