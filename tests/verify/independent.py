"""Check an exported folder by the written format alone.

Nothing of the program is used here: a second reading of the same page. It asks
less than the verifier (it stops at the first thing that is wrong and judges no
retention), and what it accepts the verifier must accept too.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["Checked", "UntrueError", "check_folder"]

_EMPTY = hashlib.sha256(b"").digest()
_ZERO = bytes(32)
_FIELDS = ["seal", "kind", "first", "count", "root", "body", "time", "previous"]
_FIELDS += ["log", "next"]
_KINDS = {"found", "events", "heartbeat", "config", "erase", "close"}


class UntrueError(Exception):
    """The folder is not what the format says; the message says where."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was proven of one chain."""

    seals: int
    entries: int
    absent: int


def check_folder(folder: Path, trust: str) -> dict[str, Checked]:
    """Return what was proven of each chain of an exported folder.

    Raises:
        UntrueError: Something is wrong; nothing is said about the rest.
    """
    identity, catalogue_id = trust.split()
    signer = identity.split("+", 2)[0]
    lines = list(_lines(folder / "catalogue.ndjson"))
    catalogue = _Chain(signer, identity, lines)
    _require(catalogue.hashes[0].hex() == catalogue_id, "catalogue: another founding")
    _checkpoint((folder / "catalogue.checkpoint").read_text(), catalogue)
    checked = {signer: catalogue.checked}
    files = {
        _origin(path): path
        for path in sorted(folder.iterdir())
        if re.search(r"\.ndjson(\.gz)?$", path.name) and path.stem != "catalogue"
    }
    notes, heads = _records(catalogue)
    _require(set(files) <= set(notes), f"not catalogued: {set(files) - set(notes)}")
    for origin in notes:
        _require(origin in files or origin not in heads, f"{origin}: absent")
        if origin in files:
            by, note = notes[origin]
            chain = _Chain(origin, by, _lines(files[origin]))
            _require(chain.notes[0] == note, f"{origin}: another founding")
            for size, root in heads.get(origin, ()):
                _require(size <= len(chain.hashes), f"{origin}: shorter than {size}")
                _require(_tree(chain.hashes[:size]) == root, f"{origin}: a fork")
            checked[origin] = chain.checked
    return checked


class _Chain:
    """All of one chain, in memory."""

    def __init__(self, origin: str, identity: str, lines: Iterable[Any]) -> None:
        self.origin, self.identity = origin, identity
        self.notes: list[str] = []
        self.hashes: list[bytes] = []
        self.log = _Log()
        self.payloads: list[tuple[str, bytes]] = []
        """Records, each with the identity in force."""
        self.identities: list[tuple[int, str]] = [(0, identity)]
        """Each with the size from which on it signs checkpoints."""
        self.entries = self.absent = self.salt_bytes = 0
        self.key = _ZERO
        self.time = ""
        self.leaves: list[bytes] = []
        self.due: list[bytes] = []
        for line in lines:
            if set(line) == {"seal"}:
                self._close()
                self._seal(**line["seal"])
            else:
                _require(set(line) == {"entry"}, f"{origin}: line {line!r:.60}")
                self._entry(**line["entry"])
        self._close()
        _require(bool(self.notes), f"{origin}: no seal")
        self.checked = Checked(len(self.notes), self.entries, self.absent)

    def _seal(self, number: int, note: str, body: str, leaves: str) -> None:
        where = f"{self.origin} seal {number}"
        _require(self.key != _ZERO or not self.notes, f"{where}: after the close")
        text, signatures = note.split("\n\n")
        text += "\n"
        lines = text.splitlines()
        _require(text == "".join(f"{line}\n" for line in lines), f"{where}: lines")
        _require(lines[:2] == ["beats-signer/seal/v1", self.origin], f"{where}: head")
        pairs = [line.split(" ") for line in lines[2:]]
        _require([name for name, _ in pairs] == _FIELDS, f"{where}: lines")
        field = dict(pairs)
        _require(field["seal"] == str(number) == str(len(self.notes)), f"{where}: gap")
        _require(field["first"] == str(self.entries), f"{where}: first")
        count = int(field["count"])
        _require(field["count"] == str(count) and count <= 65_536, f"{where}: count")
        kind = field["kind"]
        _require(kind in _KINDS, f"{where}: kind")
        _require((kind == "found") == (number == 0), f"{where}: kind")
        _require((kind == "events") == (count > 0), f"{where}: count")
        time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"
        _require(bool(re.fullmatch(time, field["time"])), f"{where}: time")
        _require(field["time"] >= self.time, f"{where}: time goes back")
        previous = self.hashes[-1] if self.hashes else _ZERO
        _require(_unbase64(field["previous"]) == previous, f"{where}: previous")
        _require(_unbase64(field["log"]) == self.log.root(), f"{where}: log")
        _require(_unbase64(field["body"]) == _sha(body.encode()), f"{where}: body")
        stored = _unbase64(leaves)
        _require(len(stored) == 32 * count, f"{where}: leaves")
        self.due = [stored[at : at + 32] for at in range(0, len(stored), 32)]
        _require(_unbase64(field["root"]) == _tree(self.due), f"{where}: root")
        content = json.loads(body, object_pairs_hook=_once)
        if kind == "found":
            _require(content["identity"] == self.identity, f"{where}: identity")
            self.salt_bytes = content["salt_bytes"]
            _require(self.salt_bytes in (0, 16), f"{where}: salt_bytes")
            own = _unbase64(content["key"])
            keys = [(self.origin, own), _vkey(self.identity)]
        else:
            keys = [(self.origin, self.key)]
        if kind == "config" and self.origin.count("/") < 3 and "identity" in content:
            self.identity = content["identity"]
            _require(_vkey(self.identity)[0] == self.origin, f"{where}: identity")
            self.identities.append((number + 1, self.identity))
        if kind == "events" and self.origin.count("/") >= 3:
            events = sum(window["events"] for window in content["windows"])
            _require(events == count, f"{where}: windows")
        _verify(text, signatures, keys, where)
        self.key = _unbase64(field["next"])
        _require((self.key == _ZERO) == (kind == "close"), f"{where}: next")
        self.time = field["time"]
        self.notes.append(note)
        self.hashes.append(_sha(b"\0" + text.encode()))
        self.log.append(self.hashes[-1])

    def _entry(self, index: int, form: str = "", **rest: Any) -> None:
        where = f"{self.origin} entry {index}"
        _require(index == self.entries, f"{where}: out of order")
        _require(len(self.leaves) < len(self.due), f"{where}: no seal covers it")
        self.entries += 1
        if "absent" in rest:
            _require(set(rest) == {"absent"} and not form, f"{where}: fields")
            self.absent += 1
            self.leaves.append(self.due[len(self.leaves)])
            return
        salt = _unbase64(rest.pop("salt", ""))
        _require(len(salt) == self.salt_bytes and len(form) == 1, f"{where}: salt")
        if "payload_base64" in rest:
            payload = _unbase64(rest.pop("payload_base64"))
        else:
            payload = rest.pop("payload").encode()
        _require(not rest, f"{where}: fields")
        leaf = _sha(b"\0" + form.encode() + salt + payload)
        _require(leaf == self.due[len(self.leaves)], f"{where}: altered")
        self.leaves.append(leaf)
        if form == "R":
            self.payloads.append((self.identity, payload))

    def _close(self) -> None:
        _require(self.leaves == self.due, f"{self.origin}: entries are missing")
        self.leaves = []


class _Log:
    """A tree that grows: the roots of its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.nodes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        self.size += 1
        self.nodes.append(leaf)
        for _ in range((self.size & -self.size).bit_length() - 1):
            right = self.nodes.pop()
            self.nodes[-1] = _sha(b"\x01" + self.nodes[-1] + right)

    def root(self) -> bytes:
        if not self.nodes:
            return _EMPTY
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = _sha(b"\x01" + node + root)
        return root


def _records(
    catalogue: _Chain,
) -> tuple[dict[str, tuple[str, str]], dict[str, list[tuple[int, bytes]]]]:
    """Return identity and founding note, and the heads, of each chain."""
    notes: dict[str, tuple[str, str]] = {}
    heads: dict[str, list[tuple[int, bytes]]] = {}
    for identity, payload in catalogue.payloads:
        record = json.loads(payload, object_pairs_hook=_once)
        if record["kind"] == "found":
            _require(record["origin"] not in notes, "catalogue: founded twice")
            notes[record["origin"]] = (identity, record["note"])
        elif record["kind"] == "head":
            head = (record["size"], _unbase64(record["root"]))
            known = heads.setdefault(record["origin"], [(0, _EMPTY)])
            _require(known[-1][0] <= head[0], "catalogue: a chain shrinks")
            known.append(head)
        else:
            _require(record["kind"] in ("bare", "start", "stop"), "catalogue: record")
    return notes, heads


def _checkpoint(note: str, catalogue: _Chain) -> None:
    text, signatures = note.split("\n\n")
    origin, size, root = text.split("\n")
    _require(origin == catalogue.origin, "checkpoint: origin")
    _require(int(size) <= len(catalogue.hashes), "catalogue: shorter than checkpoint")
    _require(
        _unbase64(root) == _tree(catalogue.hashes[: int(size)]), "checkpoint: fork"
    )
    by = [key for since, key in catalogue.identities if since <= int(size)][-1]
    _verify(f"{text}\n", signatures, [_vkey(by)], "checkpoint")


def _verify(
    text: str, signatures: str, keys: list[tuple[str, bytes]], where: str
) -> None:
    lines = signatures.splitlines()
    _require(signatures.endswith("\n") and len(lines) == len(keys), f"{where}: lines")
    for line, (name, key) in zip(lines, keys, strict=True):
        dash, signer, encoded = line.split(" ")
        _require((dash, signer) == ("\u2014", name), f"{where}: signed by {signer}")
        raw = _unbase64(encoded)
        key_id = _sha(f"{name}\n".encode() + b"\x01" + key)[:4]
        _require(raw[:4] == key_id, f"{where}: key id")
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise UntrueError(f"{where}: signature") from error


def _tree(leaves: list[bytes]) -> bytes:
    """Return MTH of RFC 6962 section 2.1, given leaf hashes."""
    if not leaves:
        return _EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return _sha(b"\x01" + _tree(leaves[:split]) + _tree(leaves[split:]))


def _lines(path: Path) -> Iterator[Any]:
    data = path.read_bytes()
    for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
        yield json.loads(line, object_pairs_hook=_once)


def _origin(path: Path) -> str:
    return str(next(_lines(path))["seal"]["note"].split("\n")[1])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _require(len(dict(pairs)) == len(pairs), "a key twice")
    return dict(pairs)


def _vkey(text: str) -> tuple[str, bytes]:
    name, key_id, encoded = text.split("+", 2)
    key = _unbase64(encoded)
    _require(key[:1] == b"\x01" and len(key) == 33, "vkey")
    _require(_sha(f"{name}\n".encode() + key)[:4].hex() == key_id, "vkey id")
    return name, key[1:]


def _unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    _require(base64.b64encode(data).decode() == text, "base64 spelling")
    return data


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _require(truth: bool, otherwise: str) -> None:
    if not truth:
        raise UntrueError(otherwise)
