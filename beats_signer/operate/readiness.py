"""Say whether a signer does what it is for, by its status alone."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["why_not_ready"]


def why_not_ready(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield the reasons why no event would be received, sealed and stored now."""
    if status["state"] != "serving":
        yield f"the signer is {status['state']}"
        return
    if status["is_paused"]:
        yield "the disk is nearly full: sealing pauses"
    catalogue, chains = status["catalogue"], status["chains"]
    if catalogue["problem"]:
        yield f"the catalogue is not stored: {catalogue['problem']}"
    elif chains and all(chain["problem"] for chain in chains):
        yield f"no chain is stored: {chains[0]['problem']}"
