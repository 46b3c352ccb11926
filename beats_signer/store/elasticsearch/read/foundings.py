"""Find which chains were founded, by the seals that say so of themselves.

Whether a founding is the right one is the verifier's question: anybody who may
write can found a chain in anybody's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from beats_signer.chain.findings import Document
from beats_signer.chain.origin import signer_of
from beats_signer.errors import SourceError
from beats_signer.store.elasticsearch.places import SEALS_INDEX
from beats_signer.store.elasticsearch.read.pages import Pages, Search
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.seal_documents import read_seal

__all__ = ["Founding", "Foundings"]


@dataclass(frozen=True, slots=True)
class Founding:
    """Seal 0 of a chain, as it is found."""

    chain: bytes
    """The chain id, 32 bytes."""
    document: Document


class Foundings:
    """The foundings of all signers in one cluster."""

    def __init__(self, asking: Asking) -> None:
        """Take the cluster; nothing is asked yet."""
        self._asking = asking
        self._found: dict[str, list[Founding]] | None = None

    def forget(self) -> None:
        """Ask again the next time."""
        self._found = None

    def find(self) -> Mapping[str, list[Founding]]:
        """Return the foundings by the origin that they claim.

        Raises:
            SourceError: They cannot be read.
        """
        if self._found is None:
            found: dict[str, list[Founding]] = {}
            search = Search(SEALS_INDEX, {"term": {"seal": 0}}, None)
            for hits in Pages(self._asking, search):
                for hit in hits:
                    seal = read_seal(hit, "").seal
                    if seal is not None and seal.number == 0:
                        document = Document(hit.index, hit.id)
                        founding = Founding(seal.hash(), document)
                        found.setdefault(seal.origin, []).append(founding)
            self._found = found
        return self._found

    def chains(self, signer: str) -> list[str]:
        """Return the first 32 digits of the id of each chain of a signer."""
        return [
            one.chain.hex()[:32]
            for origin, foundings in self.find().items()
            for one in foundings
            if signer_of(origin) == signer
        ]

    def only_signer(self) -> str:
        """Return the one signer of which there are chains.

        Raises:
            SourceError: There is none, or there are several.
        """
        signers = sorted({signer_of(origin) for origin in self.find()})
        if not signers:
            raise SourceError(
                f"{self._asking.where} holds no chain",
                hint="Is this the cluster that a signer writes to, and may this user "
                f"read {SEALS_INDEX}?",
            )
        if len(signers) > 1:
            raise SourceError(
                f"{self._asking.where} holds the chains of {len(signers)} signers:"
                f" {', '.join(signers)}",
                hint="Name the one to read, by its trust line or with --signer.",
            )
        return signers[0]
