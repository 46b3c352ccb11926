"""Keep what the memory of this process holds from leaving it: keys, payloads.

Python cannot wipe a key, so nobody else may look: no core dump is written, and the
kernel lets no other process of the same user attach to this one or read its
memory and environment. Root still can, as it can everything.
"""

import ctypes
import resource
import sys

__all__ = ["protect_memory"]

_PR_SET_DUMPABLE = 4


def protect_memory() -> None:
    """Forbid core dumps and, on Linux, debuggers of the same user.

    Call it before a key is read. What the metrics read below /proc/self, such as
    stat and fd, is readable as before.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
