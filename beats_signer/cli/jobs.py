"""Say how many processes verify, and let them."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import click

from beats_signer.verify.division import Division
from beats_signer.verify.readable import Readable
from beats_signer.verify.workers import Opener, Workers

__all__ = ["count_jobs", "dividing"]

_AHEAD: Final = 2
"""Ranges for each process: one that it looks at, and the next."""
_MOST: Final = 256
"""Processes; each takes about as much memory as this one."""


def count_jobs(ctx: click.Context, param: click.Parameter, text: str) -> int:
    """Return a number of processes: 0 or ``auto`` is as many as there are CPUs."""
    number = "0" if text == "auto" else text
    if not (number.isascii() and number.isdecimal()) or int(number) > _MOST:
        raise click.BadParameter(f"{text!r} is neither auto nor a number up to {_MOST}")
    return int(number) or len(os.sched_getaffinity(0))


@contextmanager
def dividing(source: Readable, opener: Opener, jobs: int) -> Iterator[Division | None]:
    """Let several processes look at a source; ``None``: only this one can."""
    if jobs == 1 or not source.is_divisible:
        yield None
        return
    workers = Workers(opener, jobs, _tell_death)
    with closing(Division(source, workers, _AHEAD * jobs)) as division:
        yield division


def _tell_death() -> None:
    click.echo(
        "beats-signer: a process that verified has died; this one goes on alone\n"
        "  It may have been killed for want of memory: give a smaller --jobs.",
        err=True,
    )
