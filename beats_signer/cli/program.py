"""Turn every way in which a command ends into one text and one exit code.

This is the only place that does. A command returns its exit code, or raises:

| raised                        | written to standard error      | exit code     |
|-------------------------------|--------------------------------|---------------|
| ``SignerError``               | message and hint               | of its class  |
| ``click.ClickException``      | message, and where help stands | 64            |
| Ctrl-C                        | nothing                        | 130           |
| reader of our output went away| nothing                        | 141           |
| anything else                 | one line, and how to get more  | 70            |
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from beats_signer.errors import SignerError, UsageError

__all__ = ["DEBUG_VARIABLE", "Program"]

DEBUG_VARIABLE = "BEATS_SIGNER_DEBUG"
"""Environment variable; set to 1 it makes every error show its traceback."""

_INTERNAL, _INTERRUPTED, _BROKEN_PIPE = 70, 128 + 2, 128 + 13


class Program(click.Group):
    """The command line as a whole."""

    def main(  # type: ignore[override]  # click's own is overloaded on its last use
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> NoReturn:
        """Run one command line and end the process with its exit code."""
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name or "beats-signer", **extra)
            sys.stdout.flush()
        except Exception as error:
            code = _report(error)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; click itself would answer a broken pipe with 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGoneError from error


class _ReaderGoneError(Exception):
    """Whoever read our output has closed it."""


def _report(error: Exception) -> int:
    """Explain an error on standard error and return the exit code it means."""
    if isinstance(error, _ReaderGoneError | BrokenPipeError):
        # Nothing more can be written; without this the interpreter tries to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    if isinstance(error, click.Abort):
        return _INTERRUPTED
    if os.environ.get(DEBUG_VARIABLE) == "1":
        traceback.print_exception(error)
    known = _first_known(error)
    if known is not None:
        _write(str(known), known.hint)
        return known.exit_code
    if isinstance(error, click.ClickException):
        _write(_usage_message(error), _usage_hint(error))
        return UsageError.exit_code
    _write(
        f"internal error: {type(error).__name__}: {error}",
        f"Run it again with {DEBUG_VARIABLE}=1 for details, and report them.",
    )
    return _INTERNAL


def _first_known(error: BaseException) -> SignerError | None:
    """Return the error, or the first one of a task group, that has a class here."""
    if isinstance(error, BaseExceptionGroup):
        known = (_first_known(inner) for inner in error.exceptions)
        return next((inner for inner in known if inner is not None), None)
    return error if isinstance(error, SignerError) else None


def _usage_message(error: click.ClickException) -> str:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return "no command is given"
    text = error.format_message().rstrip(".")
    return text[:1].lower() + text[1:]


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See {context.command_path if context else 'beats-signer'} --help"


def _write(message: str, hint: str) -> None:
    lines = [f"beats-signer: {' '.join(message.split())}", *hint.splitlines()]
    click.echo("\n  ".join(lines), err=True)
