"""``close``: the end of a chain, as an operator and an auditor see it."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from beats_signer.chain.seal import Kind
from tests.cli.sealed import kinds, new_signer, origins, run, send, serving, verify
from tests.verify.independent import check_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a stopped signer that has sealed ten events."""
    new_signer(tmp_path)
    send(tmp_path)
    return tmp_path


def close(folder: Path, origin: str) -> Result:
    return run("close", origin, "--config", folder / "beats-signer.yml")


def test_a_closed_chain_verifies_and_the_next_event_founds_another(
    folder: Path,
) -> None:
    (old,) = origins(folder)

    closed = close(folder, old)

    assert closed.exit_code == 0, closed.stderr
    assert closed.stdout.splitlines() == [
        f"{old} is closed with 3 seals and 10 events.",
        "Its keys are erased, and the catalogue has its last head.",
    ]
    assert kinds(folder, old)[-1] is Kind.CLOSE
    assert verify(folder).exit_code == 0

    send(folder)
    verified = verify(folder, "--json")
    assert verified.exit_code == 0, verified.stdout
    chains = json.loads(verified.stdout)["chains"]
    assert sorted(chain["entries"] for chain in chains) == [10, 10]
    assert all(chain["anchored_seals"] == chain["seals"] for chain in chains)


def test_an_independent_reading_accepts_a_closed_chain(folder: Path) -> None:
    (origin,) = origins(folder)
    close(folder, origin)
    send(folder)
    target = folder / "export"

    exported = run("export", folder / "archive.db", target)

    assert exported.exit_code == 0, exported.stderr
    checked = check_folder(target, (folder / "trust").read_text().strip())
    assert sorted(one.entries for name, one in checked.items() if "/" in name) == [
        10,
        10,
    ]


def test_a_chain_is_closed_once(folder: Path) -> None:
    (origin,) = origins(folder)
    close(folder, origin)
    seals = kinds(folder, "audit-1")

    again = close(folder, origin)

    assert (again.exit_code, again.stdout) == (0, f"{origin} is closed already.\n")
    assert kinds(folder, "audit-1") == seals


def test_the_signer_has_to_be_stopped(folder: Path) -> None:
    (origin,) = origins(folder)
    with serving(folder):
        result = close(folder, origin)

    assert result.exit_code == 78
    assert "another signer uses this state directory" in result.stderr
    assert "Stop that process first" in result.stderr
    assert kinds(folder, origin)[-1] is Kind.EVENTS


@pytest.mark.parametrize(
    ("origin", "code", "message"),
    [
        ("audit-1", 78, "audit-1 is the catalogue, which cannot be closed"),
        ("nonsense", 64, "close: origin 'nonsense' is not <signer>/<tenant>/<stream>"),
        (
            "other/default/generic/20261123T090000Z",
            64,
            "is a chain of other, not of audit-1",
        ),
        (
            "audit-1/default/generic/20200101T000000Z",
            78,
            "there is no chain audit-1/default/generic/20200101T000000Z",
        ),
    ],
)
def test_what_cannot_be_closed_is_refused_and_nothing_is_sealed(
    folder: Path, origin: str, code: int, message: str
) -> None:
    seals = kinds(folder, "audit-1")

    result = close(folder, origin)

    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
    assert kinds(folder, "audit-1") == seals
