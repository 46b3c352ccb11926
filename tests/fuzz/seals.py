"""Seals of every kind, whose body may be any text."""

from dataclasses import replace
from pathlib import Path

from beats_signer.chain.body import body_hash
from beats_signer.chain.export import SealLine, decode_lines
from beats_signer.chain.seal import Kind, Seal, parse_seal_note

__all__ = ["seals_with_body"]

_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"


def _read() -> list[Seal]:
    """Return the first seal of each kind in the catalogue and in another chain."""
    found: dict[tuple[Kind, bool], Seal] = {}
    for path in sorted(_VECTORS.glob("*.ndjson")):
        for line in decode_lines(path.read_bytes()):
            if isinstance(line, SealLine):
                seal, _ = parse_seal_note(line.note)
                found.setdefault((seal.kind, path.stem == "catalogue"), seal)
    config = found[Kind.CONFIG, False]
    found[Kind.ERASE, False] = replace(config, kind=Kind.ERASE)
    return list(found.values())


_SEALS = _read()


def seals_with_body(text: str) -> list[Seal]:
    """Return seals that say of a text that it is their body."""
    body = body_hash(text)
    return [replace(seal, body=body) for seal in _SEALS]
