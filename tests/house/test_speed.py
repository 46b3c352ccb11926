"""What was measured is said as it was measured, also without a real server."""

from pathlib import Path
from typing import Any

from tools.bench_requests import add_request, count_requests, read_requests
from tools.update_readme import describe_elasticsearch


def row(name: str, events_per_second: int, server: float) -> dict[str, Any]:
    return {
        "name": name,
        "events_per_second": events_per_second,
        "server_us_per_event": server,
        "cpu_us_per_event": 9.84,
        "loop_lag_p99_ms": 14.0,
    }


def measured() -> dict[str, Any]:
    speed = {
        "server": "8.19.21, 1g of heap",
        "document_bytes": 1749,
        "signed": row("signer", 36_000, 44.0),
        "ready_made": row("ready made", 45_000, 40.0),
        "verified": row("verify", 40_500, 30.0),
        "read": row("read", 45_000, 30.0),
    }
    return {"elasticsearch": speed}


def test_without_a_server_nothing_is_claimed() -> None:
    assert describe_elasticsearch({"elasticsearch": None}) == (
        "Not measured where the figures above were taken.\n"
    )


def test_each_row_has_its_speed_and_both_costs() -> None:
    assert "| signer | 36,000 | 9.8 | 44.0 |\n" in describe_elasticsearch(measured())


def test_the_ratios_are_those_of_the_rows() -> None:
    said = " ".join(describe_elasticsearch(measured()).split())
    assert "the server spends 1.10 times the CPU time per event" in said
    assert "takes 80% of the events in the same time" in said
    assert "verifies at 90% of the speed of plain reading" in said


def test_requests_come_back_as_they_were_written_down(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    add_request(path, b"first")
    add_request(path, b"")

    assert count_requests(path) == 2
    assert read_requests(path) == [b"first", b""]
