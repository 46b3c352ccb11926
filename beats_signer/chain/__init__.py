"""Compute and check the chain: leaves, seals, notes, records, proofs, rules.

Pure: bytes and values in, values out, or a ``ChainError``. No clock, socket,
file, logger, environment or randomness; time and keys come in as arguments.
Import names from the module that owns them: ``from beats_signer.chain.seal
import Seal``.

Source: section 3 of the design; vectors in ``fixtures/vectors``.
"""
