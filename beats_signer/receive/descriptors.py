"""The file descriptors of this process: a part is kept for what is not a sender.

Without one the journal cannot be synced, the store not be reached and nobody be
told about it, while senders hold them all.
"""

import os
import resource

__all__ = ["RESERVED", "are_left", "raise_limit"]

RESERVED = 64
"""Descriptors that no sender gets: for journal, keys, the store's connections,
status and metrics."""


def raise_limit() -> int:
    """Let this process have as many as it may; return how many that are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def are_left(descriptor: int) -> bool:
    """Tell whether another sender may have one; *descriptor* is any that is open.

    The kernel gives the lowest number that is free: a low one says that enough
    are left, without counting them.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        lowest = os.dup(descriptor)
    except OSError:
        return False
    os.close(lowest)
    return lowest < soft - RESERVED
