"""Feeds a connection, cut in any way, and keeps what came of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from lumberjack import Batch, Connection, Limits, ProtocolError, Reason

__all__ = ["CUTS", "Outcome", "cut", "receive"]

CUTS = ("whole", "byte by byte", "at random 1", "at random 2", "at random 3")
"""The ways in which each stream is delivered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receiver made of a stream."""

    batches: tuple[Batch, ...]
    error: tuple[Reason, str] | None
    is_open: bool
    left: tuple[Batch, ...]


def cut(stream: bytes, way: str) -> Iterator[bytes]:
    """Yield the pieces of ``stream``, none of them empty."""
    match way.split():
        case ["whole"]:
            yield stream
        case ["byte", "by", "byte"]:
            yield from (stream[at : at + 1] for at in range(len(stream)))
        case ["at", "random", seed]:
            random, at = Random(f"{seed} {len(stream)}"), 0
            while at < len(stream):
                size = random.choice((1, 2, 5, 11, 40, 700, 9000))
                yield stream[at : at + size]
                at += size
        case _:
            raise ValueError(way)


def receive(pieces: Iterable[bytes], limits: Limits = Limits()) -> Outcome:  # noqa: B008
    """Deliver the pieces, then the clean close, taking batches after each."""
    connection = Connection(limits)
    batches: list[Batch] = []
    left: list[Batch] = []
    is_open = False
    try:
        for piece in pieces:
            connection.receive_data(piece)
            batches.extend(_take(connection))
        is_open = connection.window_open
        connection.receive_eof()
        left.extend(_take(connection))
    except ProtocolError as error:
        return Outcome(tuple(batches), (error.reason, str(error)), False, ())
    return Outcome(tuple(batches), None, is_open, tuple(left))


def _take(connection: Connection) -> Iterator[Batch]:
    while (batch := connection.next_batch()) is not None:
        yield batch
