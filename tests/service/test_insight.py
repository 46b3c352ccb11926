"""What is measured while a signer runs, and the one line about it."""

from beats_signer.insight import Insight
from tests.operate.status import build_status


def test_how_it_goes_is_one_line() -> None:
    insight = Insight(build_status)
    assert insight.describe() == (
        "1 connection, 1 chain, 0 events/s acknowledged, no problems"
    )

    insight.history.turn(3000, seconds=30)
    assert "100 events/s acknowledged" in insight.describe()


def test_an_ack_is_seen_by_prometheus_and_by_the_page() -> None:
    insight = Insight(build_status)
    insight.tallies.ack_seconds(1.5)
    insight.history.turn(1)

    assert insight.history.points[-1].ack_seconds == 1.5
    assert b'beats_signer_ack_seconds_bucket{le="2.0"} 1.0' in insight.metrics.page()
