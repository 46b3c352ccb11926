"""The rooms of the house: who may import whom, and what stays pure."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

ARROWS = {
    "protocol/lumberjack": set(),
    "beats_signer/chain": set(),
    "beats_signer/store": {"chain", "errors"},
    "beats_signer/sign": {"chain", "store", "errors"},
    "beats_signer/receive": {"sign", "config", "errors", "lumberjack"},
    "beats_signer/verify": {"chain", "store", "errors"},
    "beats_signer/operate": {"config", "errors", "beats_signer"},
}
"""Below each room: what it may import of this project, besides itself."""

CHAMBERS = {
    "": set(),
    "write": {""},
    "read": {"", "write"},
    "prepare": {""},
    "check": {"", "prepare"},
    "recover": {"", "write", "read", "prepare"},
}
"""The same within store/elasticsearch; the empty name is what all of it shares."""

IMPURE = {
    "asyncio",
    "datetime.now",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "ssl",
    "structlog",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}

PURE = ("protocol/lumberjack", "beats_signer/chain")


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def rooms_of(names: set[str]) -> set[str]:
    """Return the rooms that modules of this project belong to."""
    found = set()
    for name in names:
        top, _, rest = name.partition(".")
        if top == "beats_signer":
            found.add(rest.partition(".")[0] or top)
        elif top == "lumberjack":
            found.add(top)
    return found


@pytest.mark.parametrize(
    ("room", "path"),
    [(room, path) for room in ARROWS for path in modules(room)],
    ids=lambda value: value.name if isinstance(value, Path) else None,
)
def test_arrows_between_rooms_point_down_only(room: str, path: Path) -> None:
    own = room.rpartition("/")[2]
    assert rooms_of(imports(path)) - {own} <= ARROWS[room]


@pytest.mark.parametrize("chamber", CHAMBERS)
def test_within_the_store_in_elasticsearch_arrows_point_down_too(chamber: str) -> None:
    folder = ROOT / "beats_signer/store/elasticsearch" / chamber
    imported = {name for path in folder.glob("*.py") for name in imports(path)}
    inside = [
        name.removeprefix("beats_signer.store.elasticsearch.").split(".")
        for name in imported
        if name.startswith("beats_signer.store.elasticsearch.")
    ]
    found = {parts[0] if len(parts) > 1 else "" for parts in inside}
    assert found - {chamber} <= CHAMBERS[chamber]


@pytest.mark.parametrize(
    "path", [path for room in PURE for path in modules(room)], ids=lambda p: p.name
)
def test_pure_rooms_import_no_clock_socket_file_or_logger(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & IMPURE


@pytest.mark.parametrize("room", ARROWS)
def test_every_room_has_modules(room: str) -> None:
    assert modules(room)


def test_only_the_frames_know_construct() -> None:
    users = {
        path.name
        for room in ARROWS
        for path in modules(room)
        if "construct" in imports(path)
    }
    assert users == {"frames.py"}
