"""One target takes nothing: only those wait whose events go there."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.end_to_end.conftest import MakeSigner
from tests.end_to_end.crowd import Crowd, bulky_events
from tests.senders.libbeat import cut_windows

pytestmark = pytest.mark.elasticsearch

MIB = 1 << 20
WINDOW = 20
KEEPALIVE_SECONDS = 1
WAIT_SECONDS = 4.0
BACK_SECONDS = 8.0
"""The longest pause between two attempts is 5 seconds."""
SLOWED = 3
"""Those who are refused come again and again, and that takes time too."""

Block = Callable[[Elasticsearch, str], None]


def setting(name: str, value: bool | None) -> Block:
    """Return what sets a block, or lifts it."""

    def put(client: Elasticsearch, target: str) -> None:
        client.indices.put_settings(
            index=target, settings={f"index.blocks.{name}": value}
        )

    return put


def close(client: Elasticsearch, target: str) -> None:
    client.indices.close(index=backing(client, target))


def reopen(client: Elasticsearch, target: str) -> None:
    client.indices.open(index=backing(client, target))


def backing(client: Elasticsearch, target: str) -> str:
    """Return the index behind a data stream."""
    (name,) = client.indices.get(index=f".ds-{target}-*", expand_wildcards="all")
    return str(name)


BLOCKED = "cluster_block_exception"
BLOCKS = [
    pytest.param(
        setting("write", True), setting("write", None), BLOCKED, id="write-block"
    ),
    pytest.param(
        setting("read_only_allow_delete", True),
        setting("read_only_allow_delete", None),
        BLOCKED,
        id="full-disk",
    ),
    pytest.param(close, reopen, "index_closed_exception", id="closed"),
]


def routed(**limits: Any) -> dict[str, Any]:
    """Return settings by which events go to a stream by their field ``kind``."""
    streams = [
        {"when": {"fields": {"kind": [kind]}}, "stream": kind}
        for kind in ("stuck", "free")
    ]
    limits["keepalive_seconds"] = KEEPALIVE_SECONDS
    return {"limits": limits, "routing": {"rules": streams}}


def loads(
    kinds: list[str], members: int, windows: int, size: int, host: str = "web"
) -> list[list[list[bytes]]]:
    """Return windows for each member; events of several kinds are mixed."""
    made = []
    for member in range(members):
        name = f"{host}-{'-'.join(kinds)}-{member}"
        count = windows * WINDOW // len(kinds) + 1
        each = [bulky_events(count, host=name, size=size, kind=k) for k in kinds]
        first, *rest = zip(*each, strict=True)
        events = [event for group in rest for event in group]
        made.append([list(first), *map(list, cut_windows(events, WINDOW))])
    return made


@pytest.mark.parametrize(("block", "lift", "reason"), BLOCKS)
def test_those_who_write_to_a_stuck_target_wait_and_the_others_do_not(
    make_signer: MakeSigner,
    client: Elasticsearch,
    block: Block,
    lift: Block,
    reason: str,
) -> None:
    signer = make_signer(**routed())
    target = signer.target("stuck")
    waiting = Crowd(
        signer.plain_port,
        [*loads(["stuck"], 2, 2, 100), *loads(["stuck", "free"], 2, 2, 100)],
    )
    free = Crowd(signer.plain_port, loads(["free"], 3, 20, 100))
    waiting.wait_for_acks(1)
    free.wait_for_acks(1)

    block(client, target)
    blocked = time.monotonic()
    waiting.go_on()
    free.go_on()
    free.finish()
    time.sleep(max(0, blocked + WAIT_SECONDS - time.monotonic()))
    problems = [one["symptom"] for one in signer.status()["problems"]]
    lift(client, target)
    lifted = time.monotonic()
    waiting.finish()
    assert signer.end() == 0

    assert [ack for ack in waiting.acks if blocked < ack < lifted] == []
    assert [member.errors for member in waiting.members] == [[]] * 4
    silences = [member.silence(blocked, lifted) for member in waiting.members]
    assert max(silences) < 2 * KEEPALIVE_SECONDS
    assert len(problems) == 1
    assert f"not stored in {target}: {reason}" in problems[0]
    assert waiting.acks[-1] - lifted < BACK_SECONDS
    signer.check_stored([*waiting.events, *free.events])


def test_a_stuck_target_takes_no_memory_from_the_others(
    make_signer: MakeSigner, client: Elasticsearch
) -> None:
    signer = make_signer(**routed(memory_bytes=16 * MIB, window_bytes=4 * MIB))
    target, port = signer.target("stuck"), signer.plain_port
    before = Crowd(port, loads(["free"], 4, 60, 1_000, host="early"))
    during = Crowd(port, loads(["free"], 4, 60, 1_000))
    stuck = Crowd(port, loads(["stuck"], 20, 3, 25_000))
    for crowd in (before, during, stuck):
        crowd.wait_for_acks(1)
    usual = seconds_of(before)

    setting("write", True)(client, target)
    stuck.go_on()
    seconds = seconds_of(during)
    held = signer.status()["memory_bytes"]
    setting("write", None)(client, target)
    stuck.finish()
    assert signer.end() == 0

    assert seconds < SLOWED * usual + 1
    assert held <= 16 * MIB * 3 // 4
    signer.check_stored([*before.events, *during.events, *stuck.events])


def seconds_of(crowd: Crowd) -> float:
    """Let a crowd send everything, and return how long it took."""
    begun = time.monotonic()
    crowd.go_on()
    crowd.finish()
    return time.monotonic() - begun
