"""How many TLS handshakes one address may begin.

A handshake costs about a millisecond of the event loop before anything is known
of who asks for it. So each address has a bucket of tokens: a handshake takes one,
and they come back with time. A fleet behind one address that reconnects at once
has the whole bucket; what goes beyond comes again by the back-off of its Beats.
"""

from collections import OrderedDict
from collections.abc import Callable

from beats_signer.receive.peer import network_of
from beats_signer.receive.refusal import Refusal, UnwelcomeError

__all__ = ["BURST_SECONDS", "Handshakes"]

BURST_SECONDS = 10
"""A full bucket holds what comes back in this time."""

_MOST_ADDRESSES = 10_000
"""Buckets kept. The one that was used longest ago goes first: it is the fullest."""


class Handshakes:
    """Buckets of addresses. The event loop alone uses it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a *clock* in seconds that never goes back."""
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted."""

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._buckets)

    def begin(self, address: str, per_second: int) -> None:
        """Take a token of an address.

        Raises:
            UnwelcomeError: There is none left.
        """
        key, now = network_of(address), self._clock()
        most = float(per_second * BURST_SECONDS)
        tokens, counted = self._buckets.pop(key, (most, now))
        tokens = min(most, tokens + (now - counted) * per_second)
        is_left = tokens >= 1
        self._buckets[key] = (tokens - is_left, now)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if not is_left:
            raise UnwelcomeError(
                Refusal.HANDSHAKES,
                f"its address begins more than {per_second} TLS handshakes a second: "
                "see limits.handshakes_per_second",
            )
