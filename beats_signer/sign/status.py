"""What ``/status`` says about one chain."""

from typing import Any

from beats_signer.chain.times import format_time
from beats_signer.sign.sequencer import Sequencer

__all__ = ["describe_chain"]


def describe_chain(chain: Sequencer) -> dict[str, Any]:
    """Return where a chain stands, ready for JSON."""
    sealer = chain.sealer
    head = sealer.head if sealer else None
    return {
        "origin": chain.origin,
        "chain": sealer.chain.hex() if sealer else None,
        "state": chain.state.value,
        "seals": head.seals if head else 0,
        "entries": head.entries if head else 0,
        "stored_seals": chain.unstored.prefix.size,
        "last_seal_time": format_time(head.time) if head else None,
        "waiting_windows": chain.waiting_windows,
        "journal_rows": len(chain.unstored),
        "bare_entries": chain.bare_entries,
        "recognised_windows": sealer.recognised_windows if sealer else 0,
        "problem": chain.problem,
    }
