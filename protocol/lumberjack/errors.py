"""What can go wrong on the wire, one class per reaction of the caller."""

from enum import StrEnum

__all__ = ["AckError", "LimitError", "LumberjackError", "ProtocolError", "Reason"]


class Reason(StrEnum):
    """Why a connection is closed: a closed set, fit for a metric's label."""

    TLS_ON_PLAIN = "tls-on-plain"
    HTTP = "http"
    JSON_TEXT = "json-text"
    SYSLOG = "syslog"
    BAD_VERSION = "bad-version"
    BAD_TYPE = "bad-type"
    NO_WINDOW = "no-window"
    WINDOW_OPEN = "window-open"
    SURPLUS = "surplus"
    NESTED = "nested"
    INFLATE = "inflate"
    TRUNCATED = "truncated"
    JSON_LENGTH = "json-length"
    PAIRS = "pairs"
    LIMIT = "limit"


class LumberjackError(Exception):
    """The root of what this package raises on purpose."""


class ProtocolError(LumberjackError):
    """The peer broke the format: close the connection, acknowledge nothing more.

    The stream has no mark to resume at. ``reason`` says which rule was broken,
    the message what, which and how much; neither holds a payload.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LimitError(ProtocolError):
    """The peer asked for more than ``Limits`` allows: close, as for its parent.

    It is a class of its own because an operator may answer it by a larger limit.
    """

    def __init__(self, message: str) -> None:
        super().__init__(Reason.LIMIT, message)


class AckError(LumberjackError):
    """The receiver's answer fits no window in flight: close, send them again."""
