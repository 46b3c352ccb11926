"""Name what may be wrong with a value of the chain."""

__all__ = [
    "ChainError",
    "FormatError",
    "ProofError",
    "SignatureError",
    "VerificationError",
]


class ChainError(Exception):
    """A value of the chain is malformed or untrue: the root of this room.

    Whatever bytes or text a parser of this room is given, it raises nothing
    else.
    """


class FormatError(ChainError):
    """A text, number or line is not spelled as the format demands."""


class SignatureError(ChainError):
    """A note lacks the signature that it must carry, or carries a wrong one."""


class ProofError(ChainError):
    """A Merkle proof does not lead to the root it claims."""


class VerificationError(ChainError):
    """A well-formed value contradicts another one that it must agree with."""
