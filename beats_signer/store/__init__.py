"""Keep entries and seals, confirm them, and hand them out again.

``Store`` and ``Source`` are the two sides of one promise; ``Archive`` and
``ArchiveSource`` keep it in one SQLite file.
"""

from beats_signer.store.archive import Archive
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.store.confirming import ConfirmingStore
from beats_signer.store.contract import (
    Appended,
    Destination,
    Entries,
    EntryBlock,
    Sealed,
    Source,
    Store,
    Write,
)

__all__ = [
    "Appended",
    "Archive",
    "ArchiveSource",
    "ConfirmingStore",
    "Destination",
    "Entries",
    "EntryBlock",
    "Sealed",
    "Source",
    "Store",
    "Write",
]
