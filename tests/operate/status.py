"""A status as a running signer has it, for tests of what shows it."""

from typing import Any

__all__ = ["HOSTILE", "build_status"]

HOSTILE = "<script>document.title='taken'</script>\"'><img src=x onerror=alert(1)>"
"""What a sender may call itself."""


def build_status(**changes: Any) -> dict[str, Any]:
    """Return the status of a signer that serves, with one chain and one sender."""
    chain = {
        "origin": "audit-1/acme/nginx/20261123T090000Z",
        "chain": "ab" * 32,
        "state": "running",
        "seals": 1200,
        "entries": 98_765,
        "stored_seals": 1199,
        "last_seal_time": "2026-11-23T09:00:01.500000000Z",
        "waiting_windows": 2,
        "journal_rows": 1,
        "bare_entries": 3,
        "recognised_windows": 4,
        "problem": None,
    }
    sender = {
        "sender": "web-1.example.com",
        "peer": "192.0.2.1:40000",
        "state": "reading",
        "events": 5000,
        "windows": 10,
        "acked": 4000,
        "open_windows": 2,
        "keepalives": 1,
    }
    return {
        "signer": "audit-1",
        "version": "1.0",
        "started": "2026-11-23T08:00:00.000000000Z",
        "state": "serving",
        "draining": False,
        "memory_bytes": 1 << 20,
        "memory_limit_bytes": 256 << 20,
        "journal_limit_bytes": 2 << 30,
        "journal_bytes": 3 << 20,
        "state_free_bytes": 50 << 30,
        "is_paused": False,
        "catalogue": chain | {"origin": "audit-1", "bare_entries": 0},
        "chains": [chain],
        "connections": 1,
        "senders": [sender],
        "listeners": [
            {
                "address": "0.0.0.0:5044",
                "tls": True,
                "certificate_ends": "2027-11-23T09:00:00.000000000Z",
                "revocation_lists_end": None,
            }
        ],
        "refused_senders": {"not_listed": 1},
        "mismatched_events": 5,
        "astray_events": {"no_match": 7},
        "reloads": {"ok": 2, "failed": 1},
        "problems": [],
    } | changes
