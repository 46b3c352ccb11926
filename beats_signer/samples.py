"""Gather what the metrics show, from those who count it."""

from collections.abc import Iterable, Mapping
from typing import Any

from beats_signer import __version__
from beats_signer.chain.errors import FormatError
from beats_signer.chain.origin import Origin
from beats_signer.chain.times import SECOND, parse_time
from beats_signer.operate.metrics import Samples
from beats_signer.operate.readiness import why_not_ready
from beats_signer.receive.tally import OTHER, Tallies
from beats_signer.store.tally import StoreTally

__all__ = ["build_samples"]

_MOST_CHAINS = 1000
"""Chains shown by name: above it they are summed, or not shown."""

_Labels = tuple[str, ...]
_SUMMED = {
    "beats_signer_chain_seals_total": "seals",
    "beats_signer_chain_stored_seals_total": "stored_seals",
    "beats_signer_chain_entries_total": "entries",
    "beats_signer_chain_waiting_windows": "waiting_windows",
    "beats_signer_recognised_windows_total": "recognised_windows",
    "beats_signer_bare_events_total": "bare_entries",
}
"""Per chain, and what the status calls it."""


def build_samples(
    status: Mapping[str, Any], tallies: Tallies, store: StoreTally
) -> Samples:
    """Return all samples, for a status as ``/status`` has it."""
    samples: dict[str, Mapping[_Labels, float]] = {
        "beats_signer_build_info": {(__version__, status["signer"]): 1},
        "beats_signer_start_timestamp_seconds": {(): _seconds(status["started"])},
        "beats_signer_ready": {(): not any(why_not_ready(status))},
        "beats_signer_memory_bytes": {(): status["memory_bytes"]},
        "beats_signer_memory_limit_bytes": {(): status["memory_limit_bytes"]},
        "beats_signer_journal_limit_bytes": {(): status["journal_limit_bytes"]},
    }
    samples |= _tallied(tallies)
    samples |= _stored(store)
    if "catalogue" in status:  # it serves
        samples |= _served(status)
        samples |= _chained(status["chains"])
    return samples


def _tallied(tallies: Tallies) -> Samples:
    senders = tallies.by_sender.items()
    return {
        "beats_signer_connections_total": {(): tallies.connections},
        "beats_signer_keepalives_total": {(): tallies.keepalives},
        "beats_signer_protocol_errors_total": {
            (reason.value,): count for reason, count in tallies.protocol_errors.items()
        },
        "beats_signer_received_windows_total": {
            (name,): one.windows for name, one in senders
        },
        "beats_signer_received_events_total": {
            (name,): one.events for name, one in senders
        },
        "beats_signer_received_bytes_total": {
            (name,): one.payload_bytes for name, one in senders
        },
        "beats_signer_acked_events_total": {
            (name,): one.acked_events for name, one in senders
        },
    }


def _stored(store: StoreTally) -> Samples:
    return {
        "beats_signer_store_requests_total": {
            (result,): count for result, count in store.requests.items()
        },
        "beats_signer_store_items_total": {
            (outcome,): count for outcome, count in store.items.items()
        },
        "beats_signer_store_requests_in_flight": {(): store.in_flight},
        "beats_signer_store_requests_limit": {(): store.limit},
    }


def _served(status: Mapping[str, Any]) -> Samples:
    catalogue, senders = status["catalogue"], status["senders"]
    return {
        "beats_signer_problems": {(): len(status["problems"])},
        "beats_signer_connections": {(): len(senders)},
        "beats_signer_unacked_windows": {
            (): sum(sender["open_windows"] for sender in senders)
        },
        "beats_signer_refused_senders_total": {
            (str(reason),): count for reason, count in status["refused_senders"].items()
        },
        "beats_signer_mismatched_events_total": {(): status["mismatched_events"]},
        "beats_signer_astray_events_total": {
            (reason,): count for reason, count in status["astray_events"].items()
        },
        "beats_signer_reloads_total": {
            (result,): count for result, count in status["reloads"].items()
        },
        "beats_signer_chains": {(): len(status["chains"])},
        "beats_signer_catalogue_seals_total": {(): catalogue["seals"]},
        "beats_signer_catalogue_last_seal_timestamp_seconds": {
            (): _seconds(catalogue["last_seal_time"])
        },
        "beats_signer_journal_bytes": {(): status["journal_bytes"]},
        "beats_signer_journal_seals": {
            (): sum(one["journal_rows"] for one in (catalogue, *status["chains"]))
        },
        "beats_signer_state_free_bytes": {(): status["state_free_bytes"]},
        "beats_signer_certificate_expiry_timestamp_seconds": _ends(
            status["listeners"], "certificate_ends"
        ),
        "beats_signer_revocation_list_expiry_timestamp_seconds": _ends(
            status["listeners"], "revocation_lists_end"
        ),
    }


def _ends(listeners: Iterable[Mapping[str, Any]], what: str) -> Mapping[_Labels, float]:
    return {
        (listener["address"],): _seconds(listener[what])
        for listener in listeners
        if listener[what] is not None
    }


def _chained(chains: Iterable[Mapping[str, Any]]) -> Samples:
    samples: dict[str, dict[_Labels, float]] = {name: {} for name in _SUMMED}
    newest: dict[_Labels, float] = {}
    problems: dict[_Labels, float] = {}
    for place, chain in enumerate(chains):
        labels = _route(chain["origin"]) if place < _MOST_CHAINS else (OTHER, OTHER)
        for name, fact in _SUMMED.items():
            samples[name][labels] = samples[name].get(labels, 0) + chain[fact]
        newest[labels] = max(newest.get(labels, 0), _seconds(chain["last_seal_time"]))
        problems[labels] = max(problems.get(labels, 0), chain["problem"] is not None)
    return {
        **samples,
        "beats_signer_chain_last_seal_timestamp_seconds": newest,
        "beats_signer_chain_problem": problems,
    }


def _route(origin: str) -> _Labels:
    """Return tenant and stream; a chain that is being founded has no time yet."""
    try:
        parsed = Origin.parse(origin)
    except FormatError:
        *_, tenant, stream = origin.split("/")
        return tenant, stream
    return parsed.tenant, parsed.stream


def _seconds(time: str | None) -> float:
    return 0.0 if time is None else parse_time(time) / SECOND
