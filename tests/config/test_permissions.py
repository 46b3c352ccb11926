"""Who may read a secret, and who may change the configuration."""

import os
import stat

import pytest

from beats_signer.permissions import describe_secret_fault, describe_writers

ROOT, SIGNER, OTHER = 0, 998, 1000


def file(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, 998, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "owner", "user"),
    [
        (0o600, SIGNER, SIGNER),
        (0o400, SIGNER, SIGNER),
        (0o640, ROOT, SIGNER),
        (0o440, ROOT, SIGNER),
        (0o600, SIGNER, ROOT),
        (0o600, ROOT, ROOT),
    ],
)
def test_a_secret_of_the_signer_alone_is_right(
    mode: int, owner: int, user: int
) -> None:
    assert describe_secret_fault(file(mode, owner), user) == ""


@pytest.mark.parametrize(
    ("mode", "owner", "user", "fault"),
    [
        (0o604, SIGNER, SIGNER, "has mode 0604: every user of this host may reach it"),
        (0o602, ROOT, ROOT, "has mode 0602: every user of this host may reach it"),
        (0o660, ROOT, SIGNER, "has mode 0660: its group may change it"),
        (
            0o640,
            SIGNER,
            SIGNER,
            "has mode 0640: its group may read it, and its owner is not root",
        ),
        (0o600, OTHER, SIGNER, "belongs to user 1000, who can read and change it"),
    ],
)
def test_a_secret_that_others_reach_is_a_fault(
    mode: int, owner: int, user: int, fault: str
) -> None:
    assert describe_secret_fault(file(mode, owner), user) == fault


@pytest.mark.parametrize(
    ("mode", "owner", "user", "writers"),
    [
        (0o644, SIGNER, SIGNER, ""),
        (0o644, ROOT, SIGNER, ""),
        (0o600, OTHER, ROOT, ""),
        (0o664, ROOT, SIGNER, "has mode 0664: others than its owner may change it"),
        (0o646, ROOT, SIGNER, "has mode 0646: others than its owner may change it"),
        (0o644, OTHER, SIGNER, "belongs to user 1000, who may change it"),
    ],
)
def test_who_else_may_change_the_configuration_is_told(
    mode: int, owner: int, user: int, writers: str
) -> None:
    assert describe_writers(file(mode, owner), user) == writers
