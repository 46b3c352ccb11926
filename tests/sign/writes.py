"""Seals made by hand, for tests of the journal alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from beats_signer.chain.head import Head
from beats_signer.sign.journal_rows import JournaledChain
from beats_signer.store.contract import Sealed, Write
from tests.store.chains import Chain, to_write

__all__ = ["Journaled", "journaled", "row"]


@dataclass(frozen=True)
class Journaled:
    """One seal on its way into the journal."""

    write: Write
    head: Head


def journaled(chain: Chain, count: int) -> Iterator[Journaled]:
    """Yield the founding and more seals of a chain, each with the head after it."""
    head = Head.founded(chain.founding.seal, chain.id)
    yield Journaled(to_write(chain.founding), head)
    for number in range(1, count):
        sealed: Sealed = chain.events([b"event %d" % number])
        head = head.after(sealed.seal, sealed.seal.hash())
        yield Journaled(to_write(sealed), head)


def row(chain: Chain) -> JournaledChain:
    """Return the journal's row of a chain."""
    return JournaledChain(chain.id, chain.origin, "acme", "syslog")
