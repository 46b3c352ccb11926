"""The status page for people: one HTML document, complete in itself.

Everything on it that senders have named is escaped by the template engine, and
the page forbids scripts besides: a hostile name is text.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from beats_signer.operate.chart import HEIGHT, WIDTH, Chart, draw
from beats_signer.operate.history import History

__all__ = ["CONTENT_SECURITY_POLICY", "render_page"]

_TEMPLATES = Environment(
    loader=PackageLoader("beats_signer.operate", "pages"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["time"] = lambda time: f"{time[:10]} {time[11:19]} UTC"
_STYLE = _TEMPLATES.get_template("style.css").render()
_DIGEST = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows the page's own style and nothing else."""


def render_page(
    status: Mapping[str, Any], unready: Sequence[str], history: History
) -> str:
    """Return the page for a status as ``/status`` has it."""
    return _TEMPLATES.get_template("status.html").render(
        status=status,
        unready=unready,
        charts=_charts(history),
        width=WIDTH,
        height=HEIGHT,
        style=_STYLE,
    )


def _charts(history: History) -> list[Chart]:
    points = history.points
    rates = [point.events_per_second for point in points]
    waits = [point.ack_seconds for point in points]
    return [
        draw("Acknowledged", rates, "events/s"),
        draw("Longest wait for an acknowledgement", waits, "s"),
    ]
