"""Read chains from wherever they are, verify them, and report.

The rules are in ``beats_signer.chain``; here are the reading, the order of a
run, and what people and programs get to see.
"""
