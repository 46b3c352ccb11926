"""The package stands on construct and isal alone, and does no I/O."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lumberjack

_PACKAGE = Path(lumberjack.__file__).parent
_MODULES = sorted(_PACKAGE.glob("*.py"))
_PURE = {
    "collections",
    "dataclasses",
    "enum",
    "struct",
    "types",
    "typing",
    "zlib",
}

_FOREIGN_IMPORTS = """
import sys
import lumberjack
roots = {name.partition(".")[0] for name in sys.modules}
print(*sorted(roots - sys.stdlib_module_names - {"__main__"}))
"""


def _imports(module: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


def test_importing_the_package_loads_construct_and_isal_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", _FOREIGN_IMPORTS],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert done.stdout.split() == ["construct", "isal", "lumberjack"]


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.stem)
def test_a_module_imports_nothing_that_does_io(module: Path) -> None:
    allowed = _PURE | {"frames": {"construct"}, "inflate": {"isal"}}.get(
        module.stem, set()
    )

    assert _imports(module) <= allowed


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.stem)
def test_a_module_stays_below_250_lines(module: Path) -> None:
    assert len(module.read_text().splitlines()) < 250


def test_every_public_name_exists_once() -> None:
    assert all(hasattr(lumberjack, name) for name in lumberjack.__all__)
    assert len(set(lumberjack.__all__)) == len(lumberjack.__all__)
