"""The file of the journal: its tables, and how it is made and opened.

SQLite, WAL and ``synchronous=FULL``: a transaction that has returned survives a
power cut. What a killed process committed last may still be in memory only,
and what a failed sync left there may never reach the disk by itself; therefore
opening writes the WAL once more.
"""

import sqlite3
from pathlib import Path

from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.bare import BARE_TABLE
from beats_signer.sign.disk import Disk

__all__ = ["DAMAGED_HINT", "SCHEMA_VERSION", "create_journal", "open_journal"]

SCHEMA_VERSION = 3
"""Version 1 had no bare documents and no settings, version 2 no identity that may
change; opening adds them."""

_UPGRADES = {
    1: f"""
BEGIN;
ALTER TABLE chains ADD COLUMN retention_days INTEGER;
ALTER TABLE chains ADD COLUMN heartbeat_seconds INTEGER;
UPDATE chains SET
    retention_days = json_extract(body, '$.retention_days'),
    heartbeat_seconds = json_extract(body, '$.heartbeat_seconds')
    FROM seals WHERE seals.chain = chains.chain AND number = 0;
{BARE_TABLE}
PRAGMA user_version = 2;
COMMIT;
""",  # noqa: S608 - nothing of it comes from outside
    2: """
BEGIN;
ALTER TABLE chains ADD COLUMN identity TEXT;
PRAGMA user_version = 3;
COMMIT;
""",
}
"""For each older version, the step to the next one."""

_LOG_BYTES = 64 << 20
"""Size to which the WAL shrinks again after a larger transaction."""

_SCHEMA = f"""
BEGIN;
CREATE TABLE chains (
    chain       BLOB NOT NULL PRIMARY KEY,
    origin      TEXT NOT NULL UNIQUE,
    tenant      TEXT,               -- NULL in the catalogue
    stream      TEXT,
    salt_bytes  INTEGER NOT NULL,
    active      INTEGER NOT NULL,   -- 0: closed, or replaced by a founding
    catalogued  INTEGER NOT NULL,   -- its found record is in the journal
    reported    INTEGER NOT NULL,   -- size in its newest head record
    retention_days    INTEGER,      -- as the chain says; NULL: for ever
    -- Of the catalogue, as it says; no identity: that of its founding.
    heartbeat_seconds INTEGER,
    identity          TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_chain_per_route ON chains (tenant, stream) WHERE active;
CREATE TABLE seals (
    chain   BLOB NOT NULL,
    number  INTEGER NOT NULL,
    stored  INTEGER NOT NULL,       -- the store has confirmed it
    note    TEXT NOT NULL,
    head    BLOB NOT NULL,          -- the head after this seal
    body    TEXT NOT NULL,
    leaves  BLOB NOT NULL,
    digest  BLOB NOT NULL,          -- over note, head, body and leaves
    PRIMARY KEY (chain, number)
) STRICT;
CREATE TABLE writes (               -- what unstored seals send to the store
    chain   BLOB NOT NULL,
    number  INTEGER NOT NULL,
    data    BLOB NOT NULL,
    digest  BLOB NOT NULL,          -- over data
    PRIMARY KEY (chain, number)
) STRICT;
CREATE TABLE windows (
    chain       BLOB NOT NULL,
    connection  TEXT NOT NULL,
    window      INTEGER NOT NULL,
    certificate TEXT,
    address     TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    first       INTEGER NOT NULL,
    seal        INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    PRIMARY KEY (chain, connection, window)
) STRICT, WITHOUT ROWID;
{BARE_TABLE}
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

DAMAGED_HINT = (
    "The journal holds sealed events that may not be stored yet: keep the file. "
    "Restore nothing over it; found a new signer with 'beats-signer init' and a new "
    "signer name."
)
_UNUSABLE = "Let the user that runs the signer read and write the state directory."


def create_journal(path: Path) -> sqlite3.Connection:
    """Make the empty journal of a new state directory, mode 0600.

    Raises:
        OSError, sqlite3.Error: It cannot be written; it may be there in part.
    """
    path.touch(mode=0o600, exist_ok=False)
    database = _connect(path)
    try:
        database.execute("PRAGMA page_size = 8192")
        _set_durable(database)
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def open_journal(path: Path, disk: Disk) -> sqlite3.Connection:
    """Open an existing journal, all of it durable.

    Raises:
        StateError: It is missing, damaged or of another version.
        DurabilityError: Its last transactions cannot be made durable.
    """
    if not path.exists():
        raise StateError(
            f"{path}: there is no journal", hint="Run 'beats-signer init' first."
        )
    _rewrite_log(path, disk)
    database = _connect(path)
    try:
        _check(path, database)
        _set_durable(database)
    except BaseException as error:
        database.close()
        if isinstance(error, sqlite3.OperationalError):
            raise StateError(f"{path}: {error}", hint=_UNUSABLE) from error
        if isinstance(error, sqlite3.Error):
            raise StateError(f"{path}: {error}", hint=DAMAGED_HINT) from error
        raise
    return database


def _rewrite_log(path: Path, disk: Disk) -> None:
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return
    try:
        disk.rewrite(log)
    except OSError as error:
        raise DurabilityError(f"{log}: {error}", hint=_UNUSABLE) from error


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    return database


def _check(path: Path, database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION and version not in _UPGRADES:
        raise StateError(
            f"{path}: journal of version {version}, this program reads version "
            f"{SCHEMA_VERSION}",
            hint="Use the version of beats-signer that wrote it.",
        )
    (damage,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if damage != "ok":
        raise StateError(f"{path}: damaged: {damage}", hint=DAMAGED_HINT)
    for older in range(version, SCHEMA_VERSION):
        database.executescript(_UPGRADES[older])


def _set_durable(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
