"""Why a frame is refused that is sound in itself but comes at the wrong time."""

from collections.abc import Mapping
from types import MappingProxyType

from .errors import ProtocolError, Reason
from .frames import Head
from .state import State, Step
from .window import Window

__all__ = ["REFUSALS", "refuse"]

REFUSALS: Mapping[State, Mapping[Step, Reason]] = MappingProxyType(
    {
        State.START: {
            Step.BARE_DATA: Reason.NO_WINDOW,
            Step.DATA: Reason.NO_WINDOW,
            Step.NESTED: Reason.NESTED,
        },
        State.BARE_WINDOW: {
            Step.BARE_ANNOUNCE: Reason.WINDOW_OPEN,
            Step.ANNOUNCE: Reason.WINDOW_OPEN,
            Step.EMPTY: Reason.WINDOW_OPEN,
            Step.NESTED: Reason.NESTED,
        },
        State.BARE_IDLE: {
            Step.DATA: Reason.SURPLUS,
            Step.NESTED: Reason.NESTED,
        },
        State.WINDOW: {
            Step.BARE_ANNOUNCE: Reason.WINDOW_OPEN,
            Step.ANNOUNCE: Reason.WINDOW_OPEN,
            Step.EMPTY: Reason.WINDOW_OPEN,
            Step.NESTED: Reason.NESTED,
        },
        State.IDLE: {
            Step.BARE_DATA: Reason.SURPLUS,
            Step.DATA: Reason.SURPLUS,
            Step.NESTED: Reason.NESTED,
        },
    }
)
"""The reason for each step of a frame that ``TRANSITIONS`` does not list."""


def refuse(state: State, step: Step, head: Head, window: Window) -> ProtocolError:
    """Build the error for a frame that has no place in ``state``."""
    reason = REFUSALS[state][step]
    frame = f"{head.type.name.lower()} frame of sequence {head.number}"
    messages = {
        Reason.NO_WINDOW: f"{frame} before any window",
        Reason.SURPLUS: f"{frame} beyond the window of {window.size} events",
        Reason.WINDOW_OPEN: (
            f"window of {head.number} events announced while {window.missing} of"
            f" {window.size} events are missing"
        ),
        Reason.NESTED: (
            f"compressed frame of {head.size} bytes inside a compressed frame"
        ),
    }
    return ProtocolError(reason, messages[reason])
