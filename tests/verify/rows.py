"""Put the lines of a world into an archive as they are, whatever was done to them."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from beats_signer.chain.origin import signer_of
from beats_signer.store.archive_file import create_archive
from beats_signer.store.block import build_blocks, split_blocks
from tests.verify.archives import to_entries
from tests.verify.signer import SignedChain, World

Row = tuple[object, ...]


def put(world: World, path: Path) -> Path:
    """Write an archive by hand; no signer would store what is damaged."""
    create_archive(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for chain in (world.catalogue, *world.chains):
            name = (chain.origin, chain.hashes[0], signer_of(chain.origin))
            connection.execute("INSERT OR IGNORE INTO chains VALUES (?, ?, ?)", name)
            for table, row in _rows(chain):
                marks = ", ".join("?" * len(row))
                connection.execute(
                    f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row
                )
        if world.checkpoint is not None:
            note = world.checkpoint or world.sign_checkpoint()
            connection.execute(
                "INSERT INTO checkpoint VALUES (?, ?)", (world.signer, note)
            )
    return path


def _rows(chain: SignedChain) -> list[tuple[str, Row]]:
    rows: list[tuple[str, Row]] = []
    run: list[dict[str, Any]] = []
    for line in [*chain.lines, {"seal": None}]:
        entry = line.get("entry")
        if run and (entry is None or entry["index"] != run[-1]["index"] + 1):
            rows += _blocks(chain.hashes[0], run)
            run = []
        if entry is not None:
            run += [entry] if "payload" in entry else []
        elif line.get("seal") is not None:
            rows.append(("seals", _seal(chain.hashes[0], line["seal"])))
    return rows


def _blocks(chain: bytes, run: list[dict[str, Any]]) -> list[tuple[str, Row]]:
    first = run[0]["index"]
    blocks = split_blocks(build_blocks(to_entries(run)), first)
    return [("blocks", (chain, b.first, b.count, bytes(b.data))) for b in blocks]


def _seal(chain: bytes, seal: dict[str, Any]) -> Row:
    leaves = base64.b64decode(seal["leaves"])
    texts = seal["note"], seal["body"]
    return (chain, seal["number"], "events", 0, len(leaves) // 32, 0, *texts, leaves)
