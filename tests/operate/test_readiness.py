"""Ready means: an event that comes now is received, sealed and stored."""

from typing import Any

import pytest

from beats_signer.operate.readiness import why_not_ready
from tests.operate.status import build_status

CATALOGUE = build_status()["catalogue"]
CHAIN = build_status()["chains"][0]
STUCK = CHAIN | {"problem": "the index has a write block"}


def test_a_signer_that_serves_is_ready() -> None:
    assert list(why_not_ready(build_status())) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "starting"}, "the signer is starting"),
        ({"state": "stopping"}, "the signer is stopping"),
        ({"is_paused": True}, "the disk is nearly full: sealing pauses"),
        (
            {"catalogue": CATALOGUE | {"problem": "no answer"}},
            "the catalogue is not stored: no answer",
        ),
        ({"chains": [STUCK]}, "no chain is stored: the index has a write block"),
    ],
)
def test_what_keeps_it_from_that_is_said(changes: Any, reason: str) -> None:
    assert list(why_not_ready(build_status(**changes))) == [reason]


def test_one_stuck_target_among_others_leaves_it_ready() -> None:
    assert list(why_not_ready(build_status(chains=[CHAIN, STUCK]))) == []


def test_a_signer_that_starts_has_nothing_else_to_say_yet() -> None:
    assert list(why_not_ready({"state": "starting"})) == ["the signer is starting"]
