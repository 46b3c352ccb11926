"""The command ``verify``, as an auditor meets it."""

import gzip
import json
import os
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from beats_signer.store.archive_source import ArchiveSource
from beats_signer.verify.source import ArchiveReading
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.verify.archives import store
from tests.verify.command import Shell
from tests.verify.signer import World, events
from tests.verify.verifying import VECTORS

TRUST = VECTORS / "trust"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell."""
    return Shell(capsys)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the vectors, to change."""
    return Path(shutil.copytree(VECTORS, tmp_path / "vectors"))


@pytest.mark.parametrize(
    "trust", [str(TRUST), TRUST.read_text(), TRUST.read_text().strip()]
)
def test_a_trust_line_is_given_as_itself_or_as_a_file(shell: Shell, trust: str) -> None:
    ended = shell.run("verify", VECTORS, "--trust", trust)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("verified: 24 events proven in 3 chains")


def test_without_a_trust_line_nothing_is_decided_and_it_says_what_to_do(
    shell: Shell,
) -> None:
    ended = shell.run("verify", VECTORS)

    assert ended.code == 2
    assert ended.out.startswith("undecided: nothing is proven of")
    assert "no trust line is given" in ended.out
    assert TRUST.read_text().strip() in ended.out
    assert "--first" in ended.out


def test_first_takes_the_signer_on_trust_and_says_so(shell: Shell) -> None:
    ended = shell.run("verify", VECTORS, "--first")

    assert ended.code == 0
    assert "a trust line taken from the source" in ended.out.splitlines()[0]
    assert f"  {TRUST.read_text().strip()}" in ended.out.splitlines()


def test_first_and_a_trust_line_exclude_each_other(shell: Shell) -> None:
    ended = shell.run("verify", VECTORS, "--first", "--trust", TRUST)

    assert ended.code == 64
    assert "exclude each other" in ended.err


@pytest.mark.parametrize("trust", ["nowhere", "a b", "x+y+z 00", ""])
def test_what_is_no_trust_line_is_a_wrong_command_line(
    shell: Shell, trust: str
) -> None:
    ended = shell.run("verify", VECTORS, "--trust", trust)

    assert (ended.code, ended.out) == (64, "")
    assert "trust line" in ended.err


def test_a_finding_ends_with_one(shell: Shell, copied: Path) -> None:
    (copied / "plain.ndjson").unlink()

    ended = shell.run("verify", copied, "--trust", TRUST)

    assert ended.code == 1
    assert ended.out.startswith("NOT VERIFIED: 1 finding;")
    assert "missing: signer-1.example.com/acme/audit/20261123T090000Z: " in ended.out


def test_the_json_is_all_that_is_written(shell: Shell, copied: Path) -> None:
    (copied / "plain.ndjson").unlink()

    ended = shell.run("verify", copied, "--trust", TRUST, "--json")

    assert ended.err == ""
    report = json.loads(ended.out)
    assert report["exit_code"] == ended.code == 1
    assert report["trust"] == TRUST.read_text().strip()
    assert [found["kind"] for found in report["findings"]] == ["missing"]


def test_acknowledged_findings_end_with_three_and_stay_in_the_report(
    shell: Shell, copied: Path, tmp_path: Path
) -> None:
    (copied / "plain.ndjson").unlink()
    report = json.loads(shell.run("verify", copied, "--trust", TRUST, "--json").out)
    known = tmp_path / "known"
    known.write_text(f"# ours\n\n{report['findings'][0]['id']}  lost in a fire\n")

    ended = shell.run("verify", copied, "--trust", TRUST, "--acknowledged", known)

    assert ended.code == 3
    assert "acknowledged missing: " in ended.out
    assert "lost in a fire" in ended.out


def test_an_acknowledged_finding_does_not_hide_another_one(
    shell: Shell, copied: Path, tmp_path: Path
) -> None:
    (copied / "plain.ndjson").unlink()
    report = json.loads(shell.run("verify", copied, "--trust", TRUST, "--json").out)
    known = tmp_path / "known"
    known.write_text(f"{report['findings'][0]['id']} lost in a fire\n")
    (copied / "erasable.ndjson").unlink()

    ended = shell.run("verify", copied, "--trust", TRUST, "--acknowledged", known)

    assert ended.code == 1


def test_an_acknowledgement_without_a_reason_is_refused(
    shell: Shell, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    known.write_text("missing-0123456789ab a reason\nmissing-0123456789ac\n")

    ended = shell.run("verify", VECTORS, "--trust", TRUST, "--acknowledged", known)

    assert ended.code == 64
    assert f"line 2 of {known} has no reason" in ended.err


def test_a_source_that_does_not_exist_decides_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    ended = shell.run("verify", tmp_path / "nothing", "--trust", TRUST)

    assert ended.code == 2
    assert "does not exist" in ended.out


def test_an_empty_folder_decides_nothing(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run("verify", tmp_path, "--trust", TRUST)

    assert ended.code == 2
    assert "holds no catalogue.ndjson" in ended.out


@pytest.mark.parametrize("content", [b"", b"nothing", b"SQLite format 3\0" + bytes(84)])
def test_a_file_of_something_else_decides_nothing(
    shell: Shell, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "archive.db"
    file.write_bytes(content)

    ended = shell.run("verify", file, "--trust", TRUST)

    assert ended.code == 2
    assert "is not an archive" in ended.out


@pytest.mark.parametrize("content", [b"", b"nothing\n", b"\xff\xfe\n", b"{}\n[]\n"])
def test_a_catalogue_of_something_else_decides_nothing(
    shell: Shell, copied: Path, content: bytes
) -> None:
    (copied / "catalogue.ndjson").write_bytes(content)

    ended = shell.run("verify", copied, "--trust", TRUST)

    assert ended.code == 2
    assert "holds no seal" in ended.out


def test_one_file_of_a_folder_is_answered_with_the_folder(shell: Shell) -> None:
    ended = shell.run("verify", VECTORS / "plain.ndjson", "--trust", TRUST)

    assert ended.code == 2
    assert f"Give the folder: {VECTORS}" in ended.out


def test_undecided_is_json_too(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run("verify", tmp_path, "--trust", TRUST, "--json")

    report = json.loads(ended.out)
    assert (ended.code, report["verdict"]) == (2, "undecided")
    assert "holds no catalogue.ndjson" in report["undecided"][0]


@pytest.mark.parametrize("part", [10, 100, -9, -1])
def test_a_cut_compressed_file_is_not_verified(
    shell: Shell, copied: Path, part: int
) -> None:
    file = copied / "plain.ndjson"
    (copied / "plain.ndjson.gz").write_bytes(gzip.compress(file.read_bytes())[:part])
    file.unlink()

    ended = shell.run("verify", copied, "--trust", TRUST)

    assert ended.code in (1, 2)


def test_a_compressed_file_is_read(shell: Shell, copied: Path) -> None:
    for file in copied.glob("*.ndjson"):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()

    assert shell.run("verify", copied, "--trust", TRUST).code == 0


def test_one_chain_can_be_verified_alone_and_the_others_are_named_as_left(
    shell: Shell, copied: Path
) -> None:
    (copied / "erasable.ndjson").unlink()
    origin = "signer-1.example.com/acme/audit/20261123T090000Z"

    ended = shell.run("verify", copied, "--trust", TRUST, "--chain", origin)

    assert ended.code == 0
    assert "11 events proven in 1 chain of" in ended.out
    assert "the other 2 chains" in ended.out.splitlines()[0]


def test_a_chain_that_is_not_listed_cannot_be_verified_alone(shell: Shell) -> None:
    ended = shell.run("verify", VECTORS, "--trust", TRUST, "--chain", "nothing")

    assert ended.code == 2
    assert "nothing" in ended.out


def test_an_unreadable_file_decides_nothing(
    shell: Shell, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Any = Path.open

    def refuse(self: Path, *arguments: str) -> Any:
        if self.name == "plain.ndjson":
            raise PermissionError(13, "Permission denied")
        return original(self, *arguments)

    monkeypatch.setattr(Path, "open", refuse)

    ended = shell.run("verify", copied, "--trust", TRUST)

    assert ended.code == 2
    assert "Permission denied" in ended.out


def test_an_archive_is_verified_by_its_trust_line(shell: Shell, tmp_path: Path) -> None:
    world = World()
    world.chain().events(events(0, 3))
    archive = store(world, tmp_path / "archive.db")

    ended = shell.run("verify", archive, "--trust", world.trust)

    assert ended.code == 0
    assert "3 events proven in 1 chain of" in ended.out


def test_a_checkpoint_kept_elsewhere_is_an_anchor(
    shell: Shell, copied: Path, tmp_path: Path
) -> None:
    kept = shutil.copy(copied / "catalogue.checkpoint", tmp_path / "kept")
    lines = (copied / "catalogue.ndjson").read_text().splitlines(keepends=True)
    (copied / "catalogue.ndjson").write_text("".join(lines[:9]))
    (copied / "catalogue.checkpoint").unlink()

    ended = shell.run("verify", copied, "--trust", TRUST, "--checkpoint", kept)

    assert ended.code == 1
    assert "truncated: " in ended.out


def test_progress_of_an_archive_reaches_its_end(tmp_path: Path) -> None:
    world = World()
    world.chain().events(events(0, 3))
    reading = ArchiveReading(ArchiveSource(store(world, tmp_path / "archive.db")))

    assert reading.done() == 0.0
    for origin in reading.origins():
        list(reading.read(origin))
    assert reading.done() == 1.0


def test_a_source_whose_founding_is_damaged_claims_no_trust_line(
    shell: Shell, copied: Path
) -> None:
    file = copied / "catalogue.ndjson"
    file.write_text(file.read_text().replace("seal/v1", "seal/v2", 1))

    ended = shell.run("verify", copied, "--first")

    assert ended.code == 2
    assert "the founding of the catalogue signer-1.example.com is damaged" in ended.out


def test_a_source_without_its_founding_claims_no_trust_line(
    shell: Shell, copied: Path
) -> None:
    file = copied / "catalogue.ndjson"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))

    ended = shell.run("verify", copied, "--first")

    assert ended.code == 2
    assert "does not start with its founding" in ended.out


@pytest.mark.parametrize("option", ["--checkpoint", "--acknowledged"])
def test_a_file_that_is_named_and_not_there_is_a_wrong_command_line(
    shell: Shell, tmp_path: Path, option: str
) -> None:
    ended = shell.run("verify", VECTORS, "--trust", TRUST, option, tmp_path / "nothing")

    assert ended.code == 64
    assert "cannot be read" in ended.err


def test_a_trust_line_of_another_signer_finds_a_forged_founding(shell: Shell) -> None:
    ended = shell.run("verify", VECTORS, "--trust", World().trust)

    assert ended.code == 1
    assert "the founding is not the one that is trusted" in ended.out


def test_progress_is_shown_on_a_terminal_only() -> None:
    controller, terminal = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "verify", VECTORS, "--trust", TRUST],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=ENVIRONMENT | {"TERM": "xterm"},
    )
    out, _ = process.communicate(timeout=30)
    os.close(terminal)
    shown = os.read(controller, 1 << 16)
    os.close(controller)

    assert out.startswith(b"verified: 24 events")
    assert b"verifying" in shown


class _NotFound(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_an_address_where_something_else_answers_is_undecided(shell: Shell) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _NotFound) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        ended = shell.run("verify", url, "--trust", TRUST)
        server.shutdown()
        thread.join()

    assert ended.code == 2
    assert "That is no answer of Elasticsearch: see what listens there" in ended.out


def test_an_address_that_nobody_listens_at_is_said_once(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"

    ended = shell.run("verify", url, "--trust", TRUST)

    assert ended.code == 2
    assert ended.out.splitlines()[1].startswith(f"undecided: {url}: nothing listens")
