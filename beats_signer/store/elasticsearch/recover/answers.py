"""Name the parts of answers that ``recover`` reads."""

import msgspec
from msgspec import Raw, Struct

from beats_signer.store.elasticsearch.recover.document import Place

__all__ = [
    "Doc",
    "Docs",
    "Error",
    "Found",
    "Hit",
    "Opened",
    "Privileges",
    "Simulated",
    "Simulation",
]


class Error(Struct):
    """Why not."""

    type: str = ""
    reason: str | None = None


class Doc(Struct):
    """One document of an ``_mget``."""

    found: bool = False
    source: Raw = msgspec.field(name="_source", default=Raw(b""))
    seq_no: int = msgspec.field(name="_seq_no", default=-1)
    primary_term: int = msgspec.field(name="_primary_term", default=-1)
    error: Error | None = None


class Docs(Struct):
    """An ``_mget``, in the order of what was asked for."""

    docs: list[Doc]


class Hit(Struct):
    """One document that a search has found."""

    index: str = msgspec.field(name="_index")
    id: str = msgspec.field(name="_id")
    sort: list[Raw] = msgspec.field(default_factory=list)
    source: Raw = msgspec.field(name="_source", default=Raw(b"{}"))

    @property
    def place(self) -> Place:
        """Return where it stands."""
        return self.index, self.id


class Total(Struct):
    """How many a search finds."""

    value: int = 0


class Hits(Struct):
    """What a search has found."""

    hits: list[Hit]
    total: Total | None = None


class Shards(Struct):
    """How many did not answer."""

    failed: int = 0


class Found(Struct):
    """A page of a search, which is whole."""

    hits: Hits
    pit_id: str
    timed_out: bool = False
    shards: Shards = msgspec.field(name="_shards", default_factory=Shards)


class Opened(Struct):
    """A point in time."""

    id: str


class Simulated(Struct):
    """What would become of one document."""

    index: str = msgspec.field(name="_index", default="")
    source: Raw = msgspec.field(name="_source", default=Raw(b""))
    result: str = ""
    error: Error | None = None


class Tried(Struct):
    """One document of a simulation."""

    doc: Simulated


class Simulation(Struct):
    """All documents of a simulation, in order."""

    docs: list[Tried]


class Privileges(Struct):
    """What a user may do, by name of indices."""

    username: str = "the user"
    has_all_requested: bool = False
    index: dict[str, dict[str, bool]] = msgspec.field(default_factory=dict)
