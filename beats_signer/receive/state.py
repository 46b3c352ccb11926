"""Where a connection is in its life, as data."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

__all__ = ["TRANSITIONS", "SessionState"]


class SessionState(Enum):
    """Where a connection is in its life."""

    STARTING = "starting"
    """There is no transport yet, or the peer is gone already."""

    READING = "reading"
    """Bytes may come at any time."""

    PAUSED = "paused"
    """We do not read: something has to be taken, stored or set free first."""

    ENDED = "ended"
    """Nothing more is read; the windows that are in the buffer are still taken."""

    FINISHING = "finishing"
    """Nothing more is taken; the windows that were taken get their acks."""

    LINGERING = "lingering"
    """We have said all and closed our side. What still comes is thrown away."""

    CLOSING = "closing"
    """The transport is told to close and has not confirmed it."""

    CLOSED = "closed"
    """Nothing happens any more."""

    __hash__ = object.__hash__  # Enum hashes names, in Python, for every look-up.


TRANSITIONS: Mapping[SessionState, frozenset[SessionState]] = MappingProxyType(
    {
        SessionState.STARTING: frozenset({SessionState.READING, SessionState.CLOSED}),
        SessionState.READING: frozenset(
            {
                SessionState.PAUSED,
                SessionState.ENDED,
                SessionState.FINISHING,
                SessionState.CLOSING,
                SessionState.CLOSED,
            }
        ),
        SessionState.PAUSED: frozenset(
            {
                SessionState.READING,
                SessionState.ENDED,
                SessionState.FINISHING,
                SessionState.CLOSING,
                SessionState.CLOSED,
            }
        ),
        SessionState.ENDED: frozenset(
            {SessionState.FINISHING, SessionState.CLOSING, SessionState.CLOSED}
        ),
        SessionState.FINISHING: frozenset(
            {SessionState.LINGERING, SessionState.CLOSING, SessionState.CLOSED}
        ),
        SessionState.LINGERING: frozenset({SessionState.CLOSING, SessionState.CLOSED}),
        SessionState.CLOSING: frozenset({SessionState.CLOSED}),
        SessionState.CLOSED: frozenset(),
    }
)
