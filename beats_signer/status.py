"""What ``/status`` answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from beats_signer.chain.times import SECOND, format_time
from beats_signer.receive.listener import Listener
from beats_signer.receive.reception import Reception
from beats_signer.receive.session import Session

__all__ = ["describe_problems", "describe_reception"]


def describe_reception(
    listeners: Iterable[Listener], reception: Reception
) -> dict[str, Any]:
    """Return what there is to say about listeners and connections."""
    senders = [_describe(session) for session in reception.sessions]
    return {
        "connections": len(senders),
        "listeners": [
            {
                "address": listener.address,
                "tls": listener.is_encrypted,
                "certificate_ends": _spell(listener.certificate_ends),
                "revocation_lists_end": _spell(listener.lists_end),
            }
            for listener in listeners
        ],
        "senders": senders,
        "refused_senders": dict(reception.refusals),
        "mismatched_events": reception.mismatched_events,
    }


def describe_problems(chains: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return what a person has to know or do, for chains as the signer tells them."""
    return [_problem(chain) for chain in chains if chain["problem"]]


def _spell(time: datetime | None) -> str | None:
    return None if time is None else format_time(int(time.timestamp()) * SECOND)


def _describe(session: Session) -> dict[str, Any]:
    outstanding = session.outstanding
    return {
        "sender": session.source.sender,
        "peer": session.source.peer,
        "state": session.state.value,
        "events": outstanding.events,
        "windows": outstanding.windows,
        "acked": outstanding.acknowledged_events,
        "open_windows": len(outstanding),
        "keepalives": session.keepalives,
    }


def _problem(chain: dict[str, Any]) -> dict[str, str]:
    is_stopped = chain["state"] == "stopped"
    return {
        "symptom": f"{chain['origin']}: {chain['problem']}",
        "impact": "Nothing more is signed in this chain."
        if is_stopped
        else "Windows of this chain are not acknowledged; their senders wait.",
        "action": "Find the other process that signs as this signer."
        if is_stopped
        else "See that the store can be written; the signer tries again by itself.",
    }
