"""A seal's contents, before it has a number, a time and a signature."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from beats_signer.chain.body import EMPTY_BODY, ConfigBody, WindowRecord
from beats_signer.chain.merkle import leaf_hashes
from beats_signer.chain.records import RECORD_FORM
from beats_signer.chain.seal import Kind
from beats_signer.sign.journal_rows import SideEffects
from beats_signer.sign.window import Control, Records
from beats_signer.store.contract import Destination, Entries

__all__ = ["Draft", "draft_control", "draft_records"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a seal commits to, and what is journaled together with it."""

    kind: Kind
    body: str
    entries: Entries
    leaves: list[bytes]
    windows: tuple[WindowRecord, ...] = ()
    effects: SideEffects = field(default_factory=SideEffects)
    destinations: Sequence[Destination | None] | None = None
    """One per entry; ``None``: the store's default place."""


def draft_control(control: Control) -> Draft:
    """Return the contents of a seal without entries."""
    config = None
    if control.kind is Kind.CONFIG:
        config = ConfigBody.parse(control.body)
    return Draft(
        control.kind,
        control.body,
        Entries(b"", (), None),
        [],
        effects=SideEffects(config=config, closes=control.kind is Kind.CLOSE),
    )


def draft_records(groups: Sequence[Records]) -> Draft:
    """Return the contents of a seal of the catalogue."""
    payloads = [payload for group in groups for payload in group.payloads]
    entries = Entries(RECORD_FORM * len(payloads), payloads, None)
    reported: dict[bytes, int] = {}
    for group in groups:
        reported |= group.reported
    return Draft(
        Kind.EVENTS,
        EMPTY_BODY,
        entries,
        leaf_hashes(entries.forms, payloads, None),
        effects=SideEffects(
            catalogued=[chain for group in groups for chain in group.catalogued],
            reported=reported,
            listed={
                chain: indexes
                for group in groups
                for chain, indexes in group.listed.items()
            },
        ),
    )
