"""``rotate-identity``: before and after it, for operators and auditors."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.sealed import kinds, new_signer, origins, run, send, serving, verify
from tests.verify.independent import check_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a stopped signer that has sealed ten events."""
    new_signer(tmp_path)
    send(tmp_path)
    return tmp_path


def rotate(folder: Path) -> Result:
    return run("rotate-identity", "--config", folder / "beats-signer.yml")


def checkpoint(folder: Path, name: str) -> Path:
    """Keep the newest checkpoint, as an auditor does."""
    target = folder / name
    assert run("export", folder / "archive.db", target).exit_code == 0
    return target / "catalogue.checkpoint"


def identity(verified: Result) -> str:
    return str(json.loads(verified.stdout)["identity"])


def test_the_trust_line_verifies_before_and_after(folder: Path) -> None:
    trusted, _ = (folder / "trust").read_text().split()
    before = verify(folder, "--json")

    rotated = rotate(folder)

    assert rotated.exit_code == 0, rotated.stderr
    first, *rest = rotated.stdout.splitlines()
    new = first.removeprefix("The identity of audit-1 is now ")
    assert "destroy its copies" in rest[0]
    after = verify(folder, "--json")
    assert (before.exit_code, after.exit_code) == (0, 0), after.stdout
    assert (identity(before), identity(after)) == (trusted, new)
    assert new != trusted
    assert f"  {new}" in verify(folder).stdout.splitlines()


def test_chains_of_before_and_after_and_old_checkpoints_hold(folder: Path) -> None:
    (old,) = origins(folder)
    kept = checkpoint(folder, "before")
    rotate(folder)
    run("close", old, "--config", folder / "beats-signer.yml")
    send(folder)

    verified = verify(folder, "--checkpoint", kept)

    assert verified.exit_code == 0, verified.stdout
    assert len(origins(folder)) == 2
    checkpoint(folder, "after")
    check_folder(folder / "after", (folder / "trust").read_text().strip())


def test_the_signer_has_to_be_stopped(folder: Path) -> None:
    key = (folder / "state" / "identity.pem").read_bytes()
    with serving(folder):
        result = rotate(folder)

    assert result.exit_code == 78
    assert "another signer uses this state directory" in result.stderr
    assert (folder / "state" / "identity.pem").read_bytes() == key


def test_an_old_copy_of_the_key_is_refused(folder: Path) -> None:
    path = folder / "state" / "identity.pem"
    key = path.read_bytes()
    rotate(folder)
    seals = kinds(folder, "audit-1")
    path.write_bytes(key)

    result = rotate(folder)

    assert result.exit_code == 78
    assert "it is not the identity key that the catalogue names" in result.stderr
    assert "Traceback" not in result.stderr
    assert kinds(folder, "audit-1") == seals


def test_a_rotation_that_a_crash_has_ended_is_nothing_to_mend(folder: Path) -> None:
    rotate(folder)
    state = folder / "state"
    (state / "identity.pem").rename(state / "identity-next.pem")
    configuration = folder / "beats-signer.yml"

    tested = run("test", "config", "--config", configuration)
    send(folder)

    assert tested.exit_code == 0, tested.stdout
    assert [path.name for path in state.glob("identity*")] == ["identity.pem"]
