"""The command ``inspect``: what people see of an archive or an export."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, ENVIRONMENT
from tests.verify.archives import store
from tests.verify.command import Shell
from tests.verify.signer import World, event, events
from tests.verify.test_archive import change
from tests.verify.verifying import VECTORS


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell."""
    return Shell(capsys)


@pytest.fixture
def world() -> World:
    """One chain with two seals."""
    world = World()
    world.chain("audit").events(events(0, 3)).events(events(3, 2))
    return world


@pytest.fixture
def archive(world: World, tmp_path: Path) -> Path:
    """An archive of that world."""
    return store(world, tmp_path / "archive.db")


def test_the_chains_are_listed_with_how_far_they_go(
    shell: Shell, archive: Path
) -> None:
    ended = shell.run("inspect", archive)

    row = next(line for line in ended.out.splitlines() if "/acme/audit/" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "signer-1.example.com/acme/audit/20261123T090000Z",
        "3",
        "5",
        "2026-11-23T09:00:02Z",
    ]
    assert ended.code == 0


def test_an_event_is_a_line_of_time_index_sender_and_message(
    shell: Shell, archive: Path
) -> None:
    ended = shell.run("inspect", archive, "--chain", "audit")

    assert ended.out.splitlines()[3] == (
        "2026-11-23T09:00:02.000Z 3 web-1.example.com line 3"
    )


def test_a_chain_is_named_by_a_part_that_no_other_has(shell: Shell) -> None:
    ended = shell.run("inspect", VECTORS, "--chain", "audit")

    assert ended.code == 64
    assert "2 chains have audit in their origin" in ended.err


def test_a_seal_is_shown_with_its_lines_and_events(shell: Shell, archive: Path) -> None:
    ended = shell.run("inspect", archive, "--chain", "audit", "--seal", "2")

    assert "│ kind     │ events" in ended.out
    assert "│ count    │ 2" in ended.out
    assert ended.out.splitlines()[-1].endswith("4 web-1.example.com line 4")


def test_a_seal_that_is_not_there_is_named(shell: Shell, archive: Path) -> None:
    ended = shell.run("inspect", archive, "--chain", "audit", "--seal", "9")

    assert ended.code == 64
    assert "has no seal 9" in ended.err


def test_grep_looks_into_the_payloads_of_all_chains(shell: Shell) -> None:
    ended = shell.run("inspect", VECTORS, "--grep", "line 3")

    assert [line.split()[0] for line in ended.out.splitlines()] == [
        "signer-1.example.com/acme/audit/20261123T090000Z",
        "signer-1.example.com/acme/personal/20261123T090000Z",
    ]


def test_limit_ends_after_so_many_events(shell: Shell, archive: Path) -> None:
    ended = shell.run("inspect", archive, "--chain", "audit", "--limit", "2")

    assert len(ended.out.splitlines()) == 2


def test_a_limit_alone_asks_for_events_and_not_for_the_list(
    shell: Shell, archive: Path
) -> None:
    ended = shell.run("inspect", archive, "--limit", "1")

    assert len(ended.out.splitlines()) == 1
    assert "audit" in ended.out


def test_a_payload_cannot_drive_the_terminal(shell: Shell, tmp_path: Path) -> None:
    world = World()
    world.chain("audit").events([b'{"message":"\\u001b[2Jgone\\n\\u202e"}', b"\x1b]0;"])

    ended = shell.run(
        "inspect", store(world, tmp_path / "archive.db"), "--chain", "audit"
    )

    assert "\\x1b[2Jgone\\n\\u202e" in ended.out
    assert all(char.isprintable() or char == "\n" for char in ended.out)


def test_every_form_has_something_to_show(shell: Shell) -> None:
    ended = shell.run("inspect", VECTORS, "--chain", "personal")

    shown = [line.split(" ", 3)[3] for line in ended.out.splitlines()[5:]]
    assert shown == [
        "\\xff\\xfe not utf-8",
        "",
        "null",
        "[1,2]",
        '{"a":1,"a":2}',
        "a plain line",
        "a=z",
        "beats-signer/seal/v1\\nsigner-1.example.com\\nseal 7\\n",
    ]


def test_a_broken_pipe_is_silent(tmp_path: Path) -> None:
    world = World()
    world.chain("audit").events(events(0, 20_000))
    archive = store(world, tmp_path / "archive.db")

    process = subprocess.Popen(
        [*COMMAND, "inspect", archive, "--chain", "audit"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert (process.wait(30), errors) == (141, b"")


def test_follow_shows_what_comes_and_ends_quietly_with_ctrl_c(
    world: World, archive: Path
) -> None:
    process = subprocess.Popen(
        [*COMMAND, "inspect", archive, "--chain", "audit", "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = [process.stdout.readline() for _ in range(2)]
    world.chains[0].events([event(77)])
    store(world, archive)
    later = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    errors = process.stderr.read()
    process.stdout.close()
    process.stderr.close()

    assert [line.rsplit(b" ", 1)[1] for line in first] == [b"3\n", b"4\n"]
    assert later.endswith(b" 5 web-1.example.com line 77\n")
    assert (process.wait(30), errors.strip()) == (130, b"")


def test_what_is_damaged_or_gone_is_shown_as_that(shell: Shell, archive: Path) -> None:
    change(archive, "UPDATE blocks SET data = x'00' WHERE first = 0 AND count = 3")

    ended = shell.run("inspect", archive, "--chain", "audit")

    assert "0 web-1.example.com [damaged: " in ended.out
    assert ", and 2 more]" in ended.out


def test_entries_that_are_gone_by_right_say_why(shell: Shell, tmp_path: Path) -> None:
    world = World()
    world.chain("audit").events(events(0, 2), absent={0: "expired"})

    ended = shell.run("inspect", world.write(tmp_path), "--chain", "audit")

    assert "0 web-1.example.com [expired]" in ended.out


def test_a_chain_that_cannot_be_read_is_listed_as_that(
    shell: Shell, archive: Path
) -> None:
    change(archive, "UPDATE seals SET note = 'x', body = 'x'")

    assert "cannot be read" in shell.run("inspect", archive).out


def test_events_without_a_readable_seal_have_no_time_and_no_sender(
    shell: Shell, archive: Path
) -> None:
    change(archive, "UPDATE seals SET note = 'x'")

    ended = shell.run("inspect", archive, "--chain", "audit", "--limit", "1")

    assert ended.out == "- 0 - line 0\n"


def test_events_of_a_seal_with_another_body_have_no_sender(
    shell: Shell, archive: Path
) -> None:
    change(archive, "UPDATE seals SET body = '{}'")

    ended = shell.run("inspect", archive, "--chain", "audit", "--limit", "1")

    assert ended.out == "2026-11-23T09:00:01.000Z 0 - line 0\n"


def test_grep_and_limit_hold_within_a_seal(shell: Shell) -> None:
    arguments = ["--chain", "acme/audit", "--seal", "4", "--grep", "line", "--limit", 2]

    ended = shell.run("inspect", VECTORS, *arguments)

    assert ended.out.splitlines()[-2:] == [
        '2026-11-23T09:03:10.500Z 4 web-1.example.com line 4 é "quoted" \\ tab\\t end',
        '2026-11-23T09:03:10.500Z 5 web-1.example.com line 5 é "quoted" \\ tab\\t end',
    ]


@pytest.mark.parametrize("more", [[], ["--chain", "audit", "--follow"]])
def test_a_seal_is_shown_of_one_chain_and_once(
    shell: Shell, archive: Path, more: list[str]
) -> None:
    assert shell.run("inspect", archive, "--seal", "1", *more).code == 64


def test_pairs_that_are_cut_are_shown_as_they_are(shell: Shell, tmp_path: Path) -> None:
    world = World()
    world.chain("audit").events([b"\0\0\0\2\0\0\0\1a\0\0\0\1z", b"\0\0"], form="D")

    ended = shell.run("inspect", world.write(tmp_path), "--chain", "audit")

    assert [line.split(" ", 3)[3] for line in ended.out.splitlines()] == [
        "\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x01a\\x00\\x00\\x00\\x01z",
        "\\x00\\x00",
    ]
