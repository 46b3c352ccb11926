"""Folders with any byte changed: never a traceback, never believed."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beats_signer.errors import SourceError
from beats_signer.verify.report import Verdict
from tests.verify.verifying import VECTORS, vectors_trust, verify_folder

NAMES = ("catalogue", "plain", "erasable", "founding_only")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder, to change and to restore."""
    folder = tmp_path_factory.mktemp("flipped") / "vectors"
    return Path(shutil.copytree(VECTORS, folder))


def meaning(data: bytes) -> list[object] | None:
    """Return the JSON values of all lines, if they are that."""
    try:
        return [json.loads(line) for line in data.splitlines() if line.strip()]
    except ValueError:
        return None


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(NAMES),
    at=st.floats(0, 1, exclude_max=True),
    changed=st.one_of(
        st.integers(1, 255).map(lambda mask: ("flip", mask)),
        st.binary(max_size=20).map(lambda junk: ("insert", junk)),
        st.integers(1, 2000).map(lambda count: ("cut", count)),
    ),
)
def test_a_change_of_bytes_is_found_unless_it_means_the_same(
    copied: Path, name: str, at: float, changed: tuple[str, int | bytes]
) -> None:
    original = (VECTORS / f"{name}.ndjson").read_bytes()
    place = int(at * len(original))
    match changed:
        case ("flip", int(mask)):
            middle = bytes([original[place] ^ mask]) + original[place + 1 :]
        case ("cut", int(count)):
            middle = original[place + count :]
        case (_, junk):
            middle = bytes(junk) + original[place:]
    data = original[:place] + middle
    (copied / f"{name}.ndjson").write_bytes(data)
    try:
        verdict = verify_folder(copied, vectors_trust()).verdict
    except SourceError:
        verdict = Verdict.UNDECIDED
    finally:
        (copied / f"{name}.ndjson").write_bytes(original)

    assert verdict is not Verdict.VERIFIED or meaning(data) == meaning(original)
