"""Expect an error of this program, alone or inside the groups of its tasks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from beats_signer.errors import SignerError

__all__ = ["Caught", "raising"]


@dataclass
class Caught:
    """The first error of the kind; it is there when the block has ended."""

    error: SignerError | None = None

    def __str__(self) -> str:
        return str(self.error)

    @property
    def hint(self) -> str:
        assert self.error is not None
        return self.error.hint


@contextmanager
def raising(kind: type[SignerError]) -> Iterator[Caught]:
    """Fail unless the block ends with an error of *kind*."""
    caught = Caught()
    try:
        yield caught
    except (SignerError, BaseExceptionGroup) as error:
        caught.error = next(_of_kind(error, kind), None)
        if caught.error is None:
            raise
    else:
        pytest.fail(f"no {kind.__name__} was raised")


def _of_kind(error: BaseException, kind: type[SignerError]) -> Iterator[SignerError]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _of_kind(one, kind)
    elif isinstance(error, kind):
        yield error
