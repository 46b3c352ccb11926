"""End a chain for good: its last seal is a ``close``.

| step                                 | crash after it leaves           | at restart |
|--------------------------------------|---------------------------------|------------|
| 1 ``close`` sealed                   | nothing; the chain is open      |            |
| 2 ``close`` and the end journaled    | a chain that has ended, its keys| 3          |
| 3 key file erased                    | the same without keys           | 4          |
| 4 ``close`` stored                   | the same, not marked            | 4          |
| 5 marked stored                      | the same, not reported          | 6          |
| 6 last ``head`` record (catalogue)   | a closed chain                  |            |

``Sealer`` does 1 to 3, the chain's sequencer 4 and 5. The journal's row ends with
step 2 and not later: what can still go wrong needs no key any more, and a chain
without keys can only be finished. So whoever starts next finishes it, whether to
serve or to close. The catalogue is never closed: its ``stop`` record says that a
signer has ended, and what it lists must stay open to the last ``head`` record.
"""

from beats_signer.errors import StateError
from beats_signer.sign.journal import Journal
from beats_signer.sign.journal_rows import JournaledChain

__all__ = ["has_been_closed", "is_closed"]


def is_closed(journal: Journal, chain: JournaledChain) -> bool:
    """Tell whether the journal has the ``close`` of a chain."""
    last = journal.last(chain.chain)
    return last is not None and last.head.closed


def has_been_closed(journal: Journal, signer: str, origin: str) -> bool:
    """Tell whether nothing is left to do to close the chain *origin*.

    Raises:
        StateError: There is no such chain, or it cannot be closed.
    """
    if origin == signer:
        raise StateError(
            f"{origin} is the catalogue, which cannot be closed",
            hint="A signer that ends for good is stopped: its catalogue says so. "
            "Close its chains before, if nothing may follow in them.",
        )
    chains = {chain.origin: chain for chain in journal.chains()}
    if (chain := chains.get(origin)) is None:
        open_ones = [one.origin for one in chains.values() if one.active and one.stream]
        raise StateError(
            f"there is no chain {origin}",
            hint=f"The open chains of this signer are: {', '.join(open_ones)}.",
        )
    if chain.active:
        return False
    last = journal.last(chain.chain)
    if last is None or not last.head.closed:
        raise StateError(
            f"{origin} has a successor: nothing can be sealed in it any more",
            hint="Verification reports it as a discontinuity, and the successor "
            "names its last seal. Close the successor instead.",
        )
    return chain.reported == last.head.seals
