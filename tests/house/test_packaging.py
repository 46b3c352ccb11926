"""What a wheel holds, and that the lock file fits the declaration."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_a_wheel_adds_exactly_two_import_names(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {
        "beats_signer",
        "lumberjack",
    }


def test_the_fuzzer_is_pinned_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = (ROOT / "requirements-fuzz.lock").read_text()
    wanted = project["dependency-groups"]["fuzz"]
    assert len(re.findall(r"^atheris==\S+ ; .* \\\n +--hash=", lock, re.M)) == len(
        wanted
    )


def test_every_dependency_is_pinned_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements-dev.lock").read_text().lower()
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[\[><=]", one)[0].lower() for one in wanted}
    assert not {
        name
        for name in names
        if not re.search(rf"^{re.escape(name)}==\S+( ; .*)? \\\n +--hash=", lock, re.M)
    }
