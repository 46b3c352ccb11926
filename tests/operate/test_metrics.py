"""Every family is declared once, shown, and explained."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from beats_signer.operate.families import FAMILIES, Family, Kind
from beats_signer.operate.metrics import Metrics
from beats_signer.receive.tally import Tallies
from beats_signer.samples import build_samples
from beats_signer.store.tally import StoreTally
from tests.operate.status import build_status

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def scrape(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the samples of a page, by name and values of labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(metrics.page().decode()):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def read_status() -> dict[str, dict[tuple[str, ...], float]]:
    tallies = Tallies()
    tallies.of("web-1").events = 7
    store = StoreTally(limit=4)
    store.count("partial", 0.5)
    return scrape(
        Metrics(
            CollectorRegistry(), lambda: build_samples(build_status(), tallies, store)
        )
    )


def test_what_is_counted_is_shown() -> None:
    found = read_status()

    chain = ("nginx", "acme")  # in the order of the names of the labels
    assert found["beats_signer_received_events_total"] == {("web-1",): 7}
    assert found["beats_signer_chain_entries_total"] == {chain: 98_765}
    assert found["beats_signer_chain_problem"] == {chain: 0}
    assert found["beats_signer_ready"] == {(): 1}
    assert found["beats_signer_refused_senders_total"] == {("not_listed",): 1}
    assert found["beats_signer_mismatched_events_total"] == {(): 5}
    ends = found["beats_signer_certificate_expiry_timestamp_seconds"]
    assert ends == {("0.0.0.0:5044",): 1_826_960_400}
    assert "beats_signer_revocation_list_expiry_timestamp_seconds" not in found
    assert found["beats_signer_store_requests_total"] == {
        ("partial",): 1,
        ("stored",): 0,
    }
    assert found["beats_signer_store_requests_limit"] == {(): 4}
    assert found["beats_signer_journal_seals"] == {(): 2}
    assert found["beats_signer_start_timestamp_seconds"] == {(): 1_795_420_800}


def test_a_signer_that_starts_is_not_ready_and_says_so() -> None:
    starting = {
        "signer": "audit-1",
        "started": "2026-11-23T08:00:00.000000000Z",
        "state": "starting",
        "memory_bytes": 0,
        "memory_limit_bytes": 1,
        "journal_limit_bytes": 1,
    }
    metrics = Metrics(
        CollectorRegistry(), lambda: build_samples(starting, Tallies(), StoreTally())
    )

    assert scrape(metrics)["beats_signer_ready"] == {(): 0}


def test_histograms_have_the_bucket_at_which_beats_give_up() -> None:
    metrics = Metrics(CollectorRegistry(), dict)
    metrics.histogram("beats_signer_ack_seconds").observe(20)

    buckets = scrape(metrics)["beats_signer_ack_seconds_bucket"]
    assert (buckets[("10.0",)], buckets[("30.0",)]) == (0, 1)


def test_chains_beyond_the_most_are_summed() -> None:
    chain = build_status()["chains"][0]
    chains = [
        chain | {"origin": f"audit-1/acme/s{n}/20261123T090000Z", "entries": 1}
        for n in range(1100)
    ]
    samples = build_samples(build_status(chains=chains), Tallies(), StoreTally())

    entries = samples["beats_signer_chain_entries_total"]
    assert len(entries) == 1001
    assert entries["other", "other"] == 100


def test_a_sample_that_nobody_declared_is_a_fault_of_the_program() -> None:
    with pytest.raises(RuntimeError, match="metric beats_signer_x is not declared"):
        Metrics(CollectorRegistry(), lambda: {"beats_signer_x": {(): 1}}).page()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_names_and_units_follow_prometheus(family: Family) -> None:
    assert re.fullmatch(r"beats_signer_[a-z_]+", family.name)
    assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
    assert family.help.endswith(".")
    assert bool(family.buckets) == (family.kind is Kind.HISTOGRAM)


def test_the_page_explains_exactly_what_there_is() -> None:
    rows = re.findall(r"^\| `(beats_signer_\w+)` \| (\w+) \|", PAGE.read_text(), re.M)

    assert rows == [(family.name, family.kind.value) for family in FAMILIES]
