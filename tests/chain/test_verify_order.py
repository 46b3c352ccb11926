"""Using a verifier out of order is our mistake; a bad chain never is."""

import pytest

from beats_signer.chain.catalogue import CatalogueVerifier
from beats_signer.chain.findings import Findings
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.chain.trust import TrustLine
from beats_signer.chain.verify import ChainVerifier
from tests.chain.samples import IDENTITY, ORIGIN, TIME, founding


@pytest.fixture
def verifier() -> ChainVerifier:
    """A verifier of a chain of which nothing came yet."""
    seal, _, _ = founding()
    findings = Findings(ORIGIN)
    return ChainVerifier(seal, IDENTITY, findings, now=TIME, newest=TIME)


def record() -> SealRecord:
    """Return the founding of that chain."""
    return founding()[1]


def catalogue() -> CatalogueVerifier:
    """Return a verifier of a catalogue of which nothing came yet."""
    seal: Seal = founding()[0]
    return CatalogueVerifier(
        TrustLine(IDENTITY, seal.hash()),
        Findings(IDENTITY.name),
        now=TIME,
        on_record=lambda record, seal: None,
    )


def test_nothing_follows_the_end(verifier: ChainVerifier) -> None:
    verifier.add_seal(record())
    verifier.finish()

    with pytest.raises(RuntimeError, match="seal after the end was announced"):
        verifier.add_seal(record())


def test_no_entries_follow_the_end(verifier: ChainVerifier) -> None:
    verifier.finish()

    with pytest.raises(RuntimeError, match="entries after the end was announced"):
        verifier.add_entries(0, b"J", [b"{}"], None)


def test_the_end_comes_once(verifier: ChainVerifier) -> None:
    verifier.finish()

    with pytest.raises(RuntimeError, match="finish after the end was announced"):
        verifier.finish()


def test_the_end_of_a_catalogue_comes_once() -> None:
    verifier = catalogue()
    verifier.finish()

    with pytest.raises(RuntimeError, match="FINISHED after FINISHED"):
        verifier.finish()


def test_a_chain_of_nothing_has_no_facts_of_seals(verifier: ChainVerifier) -> None:
    verifier.finish()

    assert (verifier.facts.seals, verifier.facts.intact) == (0, 0)
    assert verifier.found is None


def test_a_catalogue_without_a_founding_has_no_facts() -> None:
    verifier = catalogue()
    verifier.add_seal(SealRecord("x", "y", b""))
    verifier.add_entries(0, b"R", [b"{}"], None)
    verifier.add_absent(1, 1, "expired")
    verifier.add_unreadable(2, 1, "damaged")
    verifier.finish()

    assert verifier.facts is None
    assert verifier.found is None
    assert not verifier.is_anchored
    assert not verifier.is_proven(0)
