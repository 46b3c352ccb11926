"""Name the errors and problems that a user meets, one class per reaction.

The message says what and where; the hint says what to do about it. The exit
code of a class is the code with which a command ends when nothing below it
reacts. Codes from 64 on are those of ``sysexits.h``.
"""

from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "ConfigError",
    "DurabilityError",
    "ForkError",
    "Problem",
    "RefusedError",
    "SignerError",
    "SourceError",
    "StateError",
    "StoreError",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong while the program goes on, what follows, and what to do."""

    symptom: str
    impact: str
    action: str


class SignerError(Exception):
    """Anything that this program can explain to the person who runs it."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Take what happened and where, and what to do about it."""
        super().__init__(message)
        self.hint = hint


class StoreError(SignerError):
    """The store did not confirm a write or a read: nothing is known.

    Whoever wrote sends the same bytes again, after a pause.
    """

    exit_code = 69


class RefusedError(StoreError):
    """The store has answered that it will not take this, as things stand.

    Nothing is lost and nothing is acknowledged: whoever wrote sends the same
    bytes again, slowly, and tells an operator what to mend.
    """


class ForkError(SignerError):
    """Another seal stands in the store under the number of ours.

    The chain stops, for good: only a person can say which of two signers is
    the one. The exit code is that of ``StateError``, so that no service
    manager starts the process again by itself.
    """

    exit_code = 78


class StateError(SignerError):
    """The state folder and the store do not belong together, or are in use.

    The program refuses to start; going on might sign one number twice.
    """

    exit_code = 78


class DurabilityError(SignerError):
    """A write to the state folder failed: what the disk holds is unknown.

    The process ends, and the next start reads what is there. A service manager
    may start it again. The exit code is ``EX_IOERR``.
    """

    exit_code = 74


class ConfigError(SignerError):
    """A setting, or a file that a setting names, is wrong.

    The program refuses to start, or keeps the configuration it has.
    """

    exit_code = 78


class SourceError(SignerError):
    """What was to be read cannot be reached, is empty or is incomplete.

    The question stays undecided; asking again later may answer it.
    """

    exit_code = 2


class UsageError(SignerError):
    """The command line asks for something that makes no sense."""

    exit_code = 64
