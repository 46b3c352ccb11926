"""Every way in which a command ends has one text and one exit code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from beats_signer import errors
from beats_signer.cli import program
from beats_signer.cli.program import DEBUG_VARIABLE, Program
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.cli.receiver import Receiver

INTERRUPTED_WHILE_LOADING = """
import os, signal, sys
from beats_signer.__main__ import main

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "beats_signer.cli.serve":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
main()
"""


WARNING_WHILE_LOADING = """
import sys, warnings
from beats_signer.__main__ import main

class Warning:
    def find_spec(self, name, path=None, target=None):
        if name == "beats_signer.cli.serve":
            warnings.warn("of no use")

sys.meta_path.insert(0, Warning())
main()
"""


def ending(outcome: BaseException | int | None, **environment: str) -> Result:
    """Run a command that ends in this way."""

    @click.group("beats-signer", cls=Program)
    def group() -> None:
        """Hold the command."""

    @group.command()
    def end() -> int | None:
        """Raise or return."""
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return CliRunner().invoke(group, ["end"], env=environment)


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_command_ends_with_the_code_that_it_returns(code: int) -> None:
    assert ending(code).exit_code == code


def test_a_command_that_returns_nothing_ends_with_0() -> None:
    assert ending(None).exit_code == 0


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.SourceError, 2),
        (errors.UsageError, 64),
        (errors.StoreError, 69),
        (errors.DurabilityError, 74),
        (errors.ConfigError, 78),
        (errors.StateError, 78),
        (errors.ForkError, 78),
    ],
)
def test_an_error_says_what_happened_and_what_to_do(
    kind: type[errors.SignerError], code: int
) -> None:
    result = ending(kind("the state s is in use", hint="Stop the other one."))

    assert result.exit_code == code
    expected = "beats-signer: the state s is in use\n  Stop the other one.\n"
    assert result.stderr == expected
    assert result.stdout == ""


def test_an_error_in_a_group_of_tasks_is_that_error() -> None:
    inner = errors.StoreError("the store is full", hint="Make room.")
    group = ExceptionGroup("tasks", [ExceptionGroup("more", [ValueError(), inner])])

    result = ending(group)

    assert result.exit_code == 69
    assert result.stderr == "beats-signer: the store is full\n  Make room.\n"


def test_an_internal_error_is_one_line_and_a_way_to_more() -> None:
    result = ending(KeyError("seal"))

    assert result.exit_code == 70
    assert result.stderr == (
        "beats-signer: internal error: KeyError: 'seal'\n"
        f"  Run it again with {DEBUG_VARIABLE}=1 for details, and report them.\n"
    )


def test_an_internal_error_of_many_lines_stays_one_line() -> None:
    result = ending(RuntimeError("one\ntwo"))

    assert result.stderr.startswith(
        "beats-signer: internal error: RuntimeError: one tw"
    )


@pytest.mark.parametrize(
    "error", [KeyError("seal"), errors.ConfigError("wrong", hint="Right it.")]
)
def test_the_debug_variable_shows_the_traceback(error: Exception) -> None:
    result = ending(error, **{DEBUG_VARIABLE: "1"})

    assert "Traceback (most recent call last)" in result.stderr
    assert "raise outcome" in result.stderr


def test_an_interrupt_is_130_without_a_word() -> None:
    result = ending(KeyboardInterrupt())

    assert result.exit_code == 130
    assert result.stderr.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ([], "no command is given", "beats-signer --help"),
        (["nonsense"], "no such command 'nonsense'", "beats-signer --help"),
        (["--nonsense"], "no such option '--nonsense'", "beats-signer --help"),
        (["init"], "missing option '--signer'", "beats-signer init --help"),
        (["status", "a"], "got unexpected extra argument (a)", "beats-signer status"),
    ],
)
def test_a_wrong_command_line_is_64_and_names_the_help(
    arguments: list[str], message: str, hint: str
) -> None:
    result = CliRunner().invoke(program, arguments)

    assert result.exit_code == 64
    assert result.stderr.startswith(f"beats-signer: {message}")
    assert hint in result.stderr


@pytest.mark.parametrize("name", [None, *program.commands])
def test_every_help_text_is_there_and_ends_with_an_example(name: str | None) -> None:
    result = CliRunner().invoke(program, [*([name] if name else []), "--help"])

    assert result.exit_code == 0
    last = result.stdout.rstrip().split("\n\n")[-1].strip()
    assert last.startswith("Example: beats-signer" if name else "Shell completion")


def test_the_version_is_shown() -> None:
    result = CliRunner().invoke(program, ["--version"])

    assert result.exit_code == 0
    assert result.stdout == "beats-signer, version 0.1.0\n"


@pytest.mark.parametrize("name", ["beats-signer", "CPython", "OpenSSL", "isal"])
def test_the_versions_that_matter_are_shown(name: str) -> None:
    result = CliRunner().invoke(program, ["version"])

    assert result.exit_code == 0
    assert any(line.startswith(f"{name} ") for line in result.stdout.splitlines())


def test_shell_completion_knows_the_commands() -> None:
    result = CliRunner().invoke(
        program,
        env={
            "_BEATS_SIGNER_COMPLETE": "bash_complete",
            "COMP_WORDS": "beats-signer st",
            "COMP_CWORD": "1",
        },
    )

    assert "status" in result.stdout


class TestProcess:
    """What only a process of its own shows."""

    def test_an_error_has_no_traceback(self, tmp_path: Path) -> None:
        result = subprocess.run(
            [*COMMAND, "serve", "--config", str(tmp_path / "none.yml")],
            capture_output=True,
            env=ENVIRONMENT,
            text=True,
            timeout=30,
        )

        assert result.returncode == 78
        assert "there is no configuration file" in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_reader_that_goes_away_is_not_an_error(self) -> None:
        read_end, write_end = os.pipe()
        os.close(read_end)

        result = subprocess.run(
            [*COMMAND, "version"],
            stdout=write_end,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
            timeout=30,
        )
        os.close(write_end)

        assert result.returncode == 141
        assert result.stderr == ""

    def test_an_interrupt_while_the_commands_are_loaded_has_no_traceback(self) -> None:
        result = subprocess.run(
            [sys.executable, "-c", INTERRUPTED_WHILE_LOADING],
            capture_output=True,
            env=ENVIRONMENT,
            text=True,
            timeout=30,
        )

        assert result.returncode == -signal.SIGINT
        assert result.stderr == ""

    @pytest.mark.parametrize(("options", "lines"), [([], 0), (["-Wdefault"], 1)])
    def test_warnings_of_libraries_are_shown_only_on_demand(
        self, options: list[str], lines: int
    ) -> None:
        result = subprocess.run(
            [sys.executable, *options, "-c", WARNING_WHILE_LOADING, "version"],
            capture_output=True,
            env=ENVIRONMENT,
            text=True,
            timeout=30,
        )

        assert result.returncode == 0
        assert result.stderr.count("UserWarning: of no use") == lines

    def test_an_interrupt_ends_a_command_that_waits_for_its_input(self) -> None:
        with (
            Receiver() as receiver,
            subprocess.Popen(
                [*COMMAND, "send", "--to", receiver.address, "--plain", "--file", "-"],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                text=True,
            ) as process,
        ):
            assert receiver.connected.wait(20)
            process.send_signal(signal.SIGINT)
            code = process.wait(10)
            assert process.stderr is not None
            text = process.stderr.read()

        assert code == 130
        assert text.strip() == ""
