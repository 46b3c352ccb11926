"""Declare every metric: name, kind, labels, and what it says.

This is the one list. ``operate.metrics`` shows it, docs/metrics.md explains it,
and a test holds the three together. Names follow Prometheus: the base unit at
the end, ``_total`` for what only grows since the process began. Values of a
label come from a closed set, from the configuration, or from a list with a
bound, above which they are ``other``.
"""

from dataclasses import dataclass
from enum import Enum

__all__ = ["ACK_BUCKETS", "FAMILIES", "LAG_BUCKETS", "STORE_BUCKETS", "Family", "Kind"]


class Kind(Enum):
    """How a value behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Of a histogram: upper bounds, in the unit of the name."""


ACK_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    *(30.0, 60.0, 120.0, 300.0),
)
"""Beats give up a connection that is silent for 30 seconds."""
STORE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

_CHAIN = ("tenant", "stream")


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(f"beats_signer_{name}_total", Kind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(f"beats_signer_{name}", Kind.GAUGE, text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...]) -> Family:
    return Family(f"beats_signer_{name}", Kind.HISTOGRAM, text, (), buckets)


FAMILIES: tuple[Family, ...] = (
    _gauge("build_info", "Always 1; says which version runs.", "version", "signer"),
    _gauge("start_timestamp_seconds", "When the process began."),
    _gauge("ready", "1 when the signer receives, seals and stores."),
    _gauge("problems", "Problems that the status lists with their next step."),
    # receiving
    _gauge("connections", "Connections that are open."),
    _counter("connections", "Connections that senders have made."),
    _counter("refused_senders", "Senders that were turned away.", "reason"),
    _counter("mismatched_events", "Events that name another host than their sender."),
    _counter("protocol_errors", "Connections closed for what came.", "reason"),
    _counter("received_windows", "Complete windows taken.", "sender"),
    _counter("received_events", "Events of those windows.", "sender"),
    _counter("received_bytes", "Payload bytes of those events.", "sender"),
    _counter("acked_events", "Events that were acknowledged.", "sender"),
    _counter("keepalives", "Signs of life sent to senders that wait."),
    _gauge("unacked_windows", "Windows taken and not acknowledged."),
    _gauge("memory_bytes", "Received bytes held in memory."),
    _gauge("memory_limit_bytes", "Most bytes that may be held in memory."),
    _histogram(
        "ack_seconds", "From a complete window to its acknowledgement.", ACK_BUCKETS
    ),
    # sealing
    _counter("recognised_windows", "Windows sent again, not sealed again.", *_CHAIN),
    _counter("bare_events", "Events stored without their fields.", *_CHAIN),
    _counter("astray_events", "Events sent to a default stream.", "reason"),
    _gauge("chains", "Chains that this signer writes."),
    _counter("chain_seals", "Seals of a chain since its founding.", *_CHAIN),
    _counter("chain_stored_seals", "Those that are stored without a gap.", *_CHAIN),
    _counter("chain_entries", "Events sealed in a chain since its founding.", *_CHAIN),
    _gauge("chain_last_seal_timestamp_seconds", "Time of the newest seal.", *_CHAIN),
    _gauge("chain_waiting_windows", "Windows that wait to be sealed.", *_CHAIN),
    _gauge("chain_problem", "1 while a chain does not get on.", *_CHAIN),
    _counter("catalogue_seals", "Seals of the catalogue since its founding."),
    _gauge("catalogue_last_seal_timestamp_seconds", "Time of its newest seal."),
    _gauge("journal_seals", "Sealed and not yet confirmed by the store."),
    _gauge("journal_bytes", "What the journal holds for the store."),
    _gauge("journal_limit_bytes", "Above it a chain seals no more."),
    _gauge("state_free_bytes", "Free space beside the journal."),
    # storing
    _counter("store_requests", "Requests to the store.", "result"),
    _counter("store_items", "Items of those requests.", "outcome"),
    _gauge("store_requests_in_flight", "Requests on their way to the store."),
    _gauge("store_requests_limit", "Most requests now; less when it is busy."),
    _histogram("store_seconds", "One request to the store.", STORE_BUCKETS),
    # this process
    _histogram(
        "loop_lag_seconds", "How late the event loop was, once a second.", LAG_BUCKETS
    ),
    _gauge(
        "certificate_expiry_timestamp_seconds",
        "When a listener's certificate ends.",
        "listener",
    ),
    _gauge(
        "revocation_list_expiry_timestamp_seconds",
        "When the first of a listener's revocation lists ends.",
        "listener",
    ),
    _counter("reloads", "Configurations read again.", "result"),
)
"""All of them, in the order in which they are shown."""
