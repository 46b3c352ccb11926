"""Say who may read or write a file besides those who have to.

A secret is for the user that runs the signer, so its file has mode 0600 or 0400.
One thing more is common and safe: a file of root that the group of the service may
read, 0640 or 0440, as packages, systemd and Kubernetes (``fsGroup`` with
``defaultMode: 0440``) make them.
"""

import os
import stat

__all__ = ["describe_secret_fault", "describe_writers"]

_ROOT = 0
_GROUP_CHANGES = stat.S_IWGRP | stat.S_IXGRP


def describe_secret_fault(found: os.stat_result, user: int) -> str:
    """Return what is wrong with the file of a secret; nothing when all is right.

    *user* runs this program. As root it may look for a service of another user,
    so any owner is right then.
    """
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_IRWXO:
        return f"has mode {mode:04o}: every user of this host may reach it"
    if mode & _GROUP_CHANGES:
        return f"has mode {mode:04o}: its group may change it"
    if mode & stat.S_IRGRP and found.st_uid != _ROOT:
        return f"has mode {mode:04o}: its group may read it, and its owner is not root"
    if user != _ROOT and found.st_uid not in (_ROOT, user):
        return f"belongs to user {found.st_uid}, who can read and change it"
    return ""


def describe_writers(found: os.stat_result, user: int) -> str:
    """Return who else may change a file; nothing when nobody may."""
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"has mode {mode:04o}: others than its owner may change it"
    if user != _ROOT and found.st_uid not in (_ROOT, user):
        return f"belongs to user {found.st_uid}, who may change it"
    return ""
