"""The state of a receiving connection, as data.

A state says what the windows of this connection look like so far; a step is what
arrives. A step that has no entry in ``TRANSITIONS`` is an error, which
``REFUSALS`` (in refusal.py) names.

There are two machines in one. Nearly every peer announces a window, sends exactly
as many events, and announces the next. One old version 1 client announces a size
once and then sends bare `D` frames for ever; it is told apart by having sent
nothing but `1W` and bare `1D`, which the two ``BARE`` states stand for.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from .frames import FrameType, Head

__all__ = ["TRANSITIONS", "State", "Step", "step_of"]


class State(Enum):
    """Where a connection stands."""

    START = "start"
    """No window has been announced yet."""

    BARE_WINDOW = "bare window"
    """A window is open, and the peer has sent only `1W` and bare `1D`."""

    BARE_IDLE = "bare idle"
    """Between windows, and the peer has sent only `1W` and bare `1D`."""

    WINDOW = "window"
    """A window is open."""

    IDLE = "idle"
    """Between windows."""

    CLOSED = "closed"
    """The peer closed the connection. Nothing follows."""

    FAILED = "failed"
    """The peer broke the format. Nothing follows."""

    __hash__ = object.__hash__  # Enum hashes names, in Python, for every look-up.


class Step(Enum):
    """What arrives."""

    BARE_ANNOUNCE = "`1W` above 0, not compressed"
    ANNOUNCE = "any other `W` above 0"
    EMPTY = "`W` of 0"
    COMPRESSED = "`C`"
    NESTED = "`C` inside a `C`"
    BARE_DATA = "`1D`, not compressed"
    DATA = "any other `D` or `J`"
    FULL = "last event of the window"
    CLOSE = "clean close"
    VIOLATION = "violation"

    __hash__ = object.__hash__


TRANSITIONS: Mapping[State, Mapping[Step, State]] = MappingProxyType(
    {
        State.START: {
            Step.BARE_ANNOUNCE: State.BARE_WINDOW,
            Step.ANNOUNCE: State.WINDOW,
            Step.EMPTY: State.IDLE,
            Step.COMPRESSED: State.START,
            Step.CLOSE: State.CLOSED,
            Step.VIOLATION: State.FAILED,
        },
        State.BARE_WINDOW: {
            Step.COMPRESSED: State.BARE_WINDOW,
            Step.BARE_DATA: State.BARE_WINDOW,
            Step.DATA: State.WINDOW,
            Step.FULL: State.BARE_IDLE,
            Step.CLOSE: State.CLOSED,
            Step.VIOLATION: State.FAILED,
        },
        State.BARE_IDLE: {
            Step.BARE_ANNOUNCE: State.BARE_WINDOW,
            Step.ANNOUNCE: State.WINDOW,
            Step.EMPTY: State.IDLE,
            Step.COMPRESSED: State.BARE_IDLE,
            Step.BARE_DATA: State.BARE_WINDOW,
            Step.CLOSE: State.CLOSED,
            Step.VIOLATION: State.FAILED,
        },
        State.WINDOW: {
            Step.COMPRESSED: State.WINDOW,
            Step.BARE_DATA: State.WINDOW,
            Step.DATA: State.WINDOW,
            Step.FULL: State.IDLE,
            Step.CLOSE: State.CLOSED,
            Step.VIOLATION: State.FAILED,
        },
        State.IDLE: {
            Step.BARE_ANNOUNCE: State.WINDOW,
            Step.ANNOUNCE: State.WINDOW,
            Step.EMPTY: State.IDLE,
            Step.COMPRESSED: State.IDLE,
            Step.CLOSE: State.CLOSED,
            Step.VIOLATION: State.FAILED,
        },
        State.CLOSED: {},
        State.FAILED: {},
    }
)


def step_of(head: Head, *, inside: bool) -> Step:
    """Return the step that a client's frame is; ``inside`` a `C` frame or not."""
    bare = head.version == 1 and not inside
    match head.type:
        case FrameType.WINDOW if head.number == 0:
            return Step.EMPTY
        case FrameType.WINDOW:
            return Step.BARE_ANNOUNCE if bare else Step.ANNOUNCE
        case FrameType.COMPRESSED:
            return Step.NESTED if inside else Step.COMPRESSED
        case FrameType.DATA if bare:
            return Step.BARE_DATA
        case _:
            return Step.DATA
