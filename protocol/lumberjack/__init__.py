"""The Lumberjack protocol, versions 1 and 2, without I/O.

`Connection` is the receiving side: bytes in, complete windows out, as `Batch`.
`Sender` is the sending side. Nothing here opens a socket, reads a clock or logs.
The format is specified in protocol/README.md.
"""

from .batch import Batch
from .builders import KEEPALIVE_V2, build_ack, build_pairs
from .connection import Connection
from .errors import AckError, LimitError, LumberjackError, ProtocolError, Reason
from .limits import Limits
from .sender import Ack, Sender, build_window
from .state import TRANSITIONS, State, Step

__all__ = [
    "KEEPALIVE_V2",
    "TRANSITIONS",
    "Ack",
    "AckError",
    "Batch",
    "Connection",
    "LimitError",
    "Limits",
    "LumberjackError",
    "ProtocolError",
    "Reason",
    "Sender",
    "State",
    "Step",
    "build_ack",
    "build_pairs",
    "build_window",
]
