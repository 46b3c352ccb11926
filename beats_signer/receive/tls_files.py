"""The files behind one listener's TLS, as they are at the moment."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from beats_signer.config import TlsConfig
from beats_signer.errors import Problem
from beats_signer.receive.revocation import Revocations, load_revocations
from beats_signer.receive.tls import ServerTls, load_server_tls
from beats_signer.receive.watched import Watched

__all__ = ["TlsFiles"]

_DAY_SECONDS = 24 * 3600
_CERTIFICATE_DAYS = 14
"""How long before its end a certificate becomes a problem."""
_LIST_DAYS = 7
"""How long before its end a revocation list does."""


class TlsFiles:
    """What a listener shows, whom it trusts, and whom no more."""

    def __init__(self, config: TlsConfig) -> None:
        """Read all files.

        Raises:
            ConfigError: One cannot be used.
        """
        self._config = config
        self._server: Watched[ServerTls] = Watched(
            config.server_files, partial(load_server_tls, config)
        )
        # Apart, so that a broken list does not hold up a renewed certificate.
        self._revocations: Watched[Revocations] = Watched(
            config.revocation_files, partial(load_revocations, config)
        )

    @property
    def context(self) -> ssl.SSLContext:
        """Return the TLS side for the next handshake."""
        return self._server.value.context

    @property
    def handshake_seconds(self) -> float | None:
        """Return how long a handshake may take; ``None``: as everywhere."""
        return self._config.handshake_timeout

    @property
    def revocations(self) -> Revocations:
        """Return what was revoked."""
        return self._revocations.value

    @property
    def watched(self) -> Sequence[Watched[Any]]:
        """Return the files that count as soon as they change."""
        return self._server, self._revocations

    @property
    def certificate_ends(self) -> datetime | None:
        """Return when the certificate expires, if that could be read."""
        return self._server.value.ends

    @property
    def lists_end(self) -> datetime | None:
        """Return when the first of the revocation lists expires."""
        ends = (one.ends for one in self.revocations.lists)
        return min(filter(None, ends), default=None)

    def expiring(self, now: int, address: str) -> Iterator[Problem]:
        """Yield what expires soon; *now* is in nanoseconds since 1970.

        *address* is where the listener is, for the text.
        """
        ends = self._server.value.ends
        if ends is not None and _days_left(ends, now) < _CERTIFICATE_DAYS:
            yield Problem(
                f"the certificate {self._config.certificate} of the listener {address} "
                f"is valid until {_spell(ends)}",
                "From then on no sender connects.",
                "Replace the files of certificate and key; no restart is needed.",
            )
        for one in self.revocations.lists:
            if one.ends is not None and _days_left(one.ends, now) < _LIST_DAYS:
                yield Problem(
                    f"the revocation list {one.path} of the listener {address} is "
                    f"valid until {_spell(one.ends)}",
                    "From then on it counts as it is, and nothing newer is known."
                    if self.revocations.accepts_expired
                    else "From then on no sender of that authority can connect.",
                    "Replace the file by a newer list; no restart is needed.",
                )


def _days_left(ends: datetime, now: int) -> float:
    return (ends.timestamp() - now / 1e9) / _DAY_SECONDS


def _spell(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
