"""A signer that is killed at any moment loses nothing and seals nothing twice."""

import random
import time
from collections import Counter
from signal import Signals

import pytest

from tests.senders.running import RunningSigner
from tests.senders.sealed import check_all, payloads_of
from tests.service.resending import Load, Manner

_READY_SECONDS = 5.0
_PROGRESS_SECONDS = 60.0


def manners(signer: RunningSigner) -> list[Manner]:
    """Return senders of every kind that repeats its windows unchanged."""

    return [
        Manner(signer.plain_port),
        Manner(signer.plain_port, compression_level=0),
        Manner(signer.plain_port, version=1),
        Manner(signer.mutual_port, tls=lambda: signer.client_context(certificate=True)),
        Manner(signer.tls_port, tls=signer.client_context),
    ]


@pytest.mark.parametrize(
    ("kills", "seed"), [(5, 1), pytest.param(50, 2, marks=pytest.mark.slow)]
)
def test_every_acknowledged_event_is_sealed_exactly_once_whenever_it_is_killed(
    signer: RunningSigner, kills: int, seed: int
) -> None:
    moments = random.Random(seed)
    signer.start()
    load = Load(manners(signer), seed)
    load.start()
    for _ in range(kills):
        load.wait_for_more(moments.randint(1, 5000), _PROGRESS_SECONDS)
        time.sleep(moments.uniform(0, 0.02))
        signer.end(Signals.SIGKILL)
        before = time.monotonic()
        signer.start()
        assert time.monotonic() - before < _READY_SECONDS
    load.wait_for_more(1000, _PROGRESS_SECONDS)
    load.end(_PROGRESS_SECONDS)
    assert signer.end() == 0

    sealed = Counter(payloads_of(signer.archive))
    assert set(load.acked) - set(sealed) == set()
    assert {payload: times for payload, times in sealed.items() if times > 1} == {}
    assert len(sealed) == len(load.acked)
    assert load.connections >= len(load.manners) + kills
    check_all(signer.archive, signer.trust)
