"""Run a command of the program in this process, as a shell would."""

from dataclasses import dataclass

import pytest

from beats_signer.cli.export import export
from beats_signer.cli.inspect import inspect
from beats_signer.cli.program import Program
from beats_signer.cli.verify import verify


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command has ended."""

    code: object
    out: str
    err: str


class Shell:
    """Runs one command line after the other."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._program = Program("beats-signer", commands=[verify, export, inspect])

    def run(self, *arguments: object) -> Ended:
        """Return what a command line has written, and its exit code."""
        with pytest.raises(SystemExit) as ended:
            self._program.main([str(argument) for argument in arguments])
        written = self._capsys.readouterr()
        return Ended(ended.value.code, written.out, written.err)
