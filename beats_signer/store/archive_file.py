"""Create, recognise and open the SQLite file of an archive.

A file comes to its name whole or not at all: it is made under another name,
synced and then linked. Whether a file is an archive is read from its first 100
bytes, so that a stranger's database is not even opened.
"""

import errno
import os
import sqlite3
import struct
import tempfile
from contextlib import closing, suppress
from pathlib import Path

__all__ = [
    "FILE_ERRORS",
    "create_archive",
    "open_for_reading",
    "open_for_writing",
    "why_not_archive",
]

FILE_ERRORS = (OSError, sqlite3.Error, UnicodeDecodeError)
"""What comes of a file that cannot be used. The last is SQLite naming a damaged
table, in a message that ``sqlite3`` fails to decode."""

_APPLICATION_ID = 0x62737167
"""``bsqg``, at offset 68 of the file; ``file`` and we tell archives by it."""
_VERSION = 1
_HEADER = struct.Struct(">16s44xI4xI28x")
"""Of a SQLite file: magic, user version, application id."""
_MAGIC = b"SQLite format 3\0"
_BUSY_SECONDS = 5.0
"""How long a reader waits while the first of all or the last leaves the WAL."""
_LOG_BYTES = 64 << 20
"""Size to which the WAL shrinks again after a larger transaction."""
_VALUE_BYTES = 192 << 20
"""Largest value that a reader takes from the file; no signer writes one."""

_SCHEMA = f"""
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE chains (
    origin TEXT NOT NULL PRIMARY KEY,
    chain BLOB NOT NULL UNIQUE,
    signer TEXT NOT NULL
) STRICT;
CREATE TABLE seals (
    chain BLOB NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    time INTEGER NOT NULL,
    note TEXT NOT NULL,
    body TEXT NOT NULL,
    leaves BLOB NOT NULL,
    PRIMARY KEY (chain, number)
) STRICT;
CREATE INDEX seals_by_first ON seals (chain, first) WHERE count > 0;
CREATE TABLE blocks (
    chain BLOB NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (chain, first)
) STRICT;
CREATE TABLE checkpoint (
    signer TEXT NOT NULL PRIMARY KEY,
    note TEXT NOT NULL
) STRICT;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
COMMIT;
"""  # kind, first, count and time repeat the note, for people who query with SQL


def create_archive(path: Path) -> None:
    """Create an empty archive, unless there is a file of that name.

    Raises:
        OSError: The folder does not take the file.
        sqlite3.Error: The disk is full.
    """
    if path.exists():
        return
    if _log(path).exists():  # SQLite would apply it to the new file
        raise FileExistsError(errno.EEXIST, f"{_log(path)} has lost its archive")
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=path.parent) as folder:
        draft = Path(folder, path.name)
        draft.touch(0o600)
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
        _sync(draft)
        with suppress(FileExistsError):  # another signer came first
            os.link(draft, path)
        _sync(path.parent)


def why_not_archive(path: Path) -> str | None:
    """Return why the file is not an archive that this program reads.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        return "it is not a SQLite database"
    _, version, application_id = _HEADER.unpack(header)
    if application_id != _APPLICATION_ID:
        return "it is the SQLite database of another program"
    if version != _VERSION:
        return f"it has format {version}, and this program knows format {_VERSION}"
    return None


def open_for_writing(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open an archive that exists; every commit is synced before it returns.

    So is what another process wrote and died before it had synced it.
    """
    connection = _connect(path, "mode=rw", busy_seconds)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        connection.execute("SELECT count(*) FROM checkpoint").fetchone()
        _sync(_log(path))
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an archive that is perhaps being written, without writing to it.

    Where this user may not create the WAL's files and there are none, nobody is
    writing either: the file is read as if it could not change.
    """
    try:
        return _open_for_reading(path, "mode=ro")
    except sqlite3.OperationalError:
        if _log(path).exists():
            raise
        return _open_for_reading(path, "mode=ro&immutable=1")


def _open_for_reading(path: Path, how: str) -> sqlite3.Connection:
    connection = _connect(path, how, _BUSY_SECONDS)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if _tables(connection) != _expected_tables():
            raise sqlite3.DatabaseError("its tables are not those of an archive")
    except BaseException:
        connection.close()
        raise
    return connection


def _tables(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    """Return the definition of all tables, views, indexes and triggers."""
    return set(connection.execute("SELECT type, name, sql FROM sqlite_schema"))


def _expected_tables() -> set[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
        return _tables(connection)


def _connect(path: Path, how: str, busy_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,  # one thread at a time is enough
    )
    # A note that was tampered with fails its check, and not the reading of it.
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _log(path: Path) -> Path:
    """Return where SQLite keeps the WAL: beside the file, not beside a link."""
    file = path.resolve()
    return file.with_name(f"{file.name}-wal")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
