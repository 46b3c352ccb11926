"""Send test events over the way that real ones take, and report the answers."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import uvloop
from rich.console import Console
from rich.progress import Progress

from beats_signer.cli.delivery import Tally, deliver
from beats_signer.cli.options import CONFIG
from beats_signer.cli.sample import line_windows, sample_windows
from beats_signer.cli.target import (
    Credentials,
    Target,
    choose_listener,
    choose_remote,
)
from beats_signer.config import load
from beats_signer.errors import SourceError, UsageError

__all__ = ["send"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_INPUT = click.Path(exists=True, dir_okay=False, allow_dash=True)
_COUNT = 1000
"""Events that are made up unless told otherwise."""

_MOST_EVENTS = 65_536
"""Events that a window may have."""


@click.command(
    epilog="Example: beats-signer send --to signer.example.com:5044 --ca ca.crt "
    "--certificate web-1.crt --key web-1.key --count 10000"
)
@click.option(
    "--config", type=_FILE, show_default=str(CONFIG), help="Send to its listener."
)
@click.option("--to", metavar="HOST:PORT", help="Send to this receiver instead.")
@click.option("--ca", type=_FILE, help="Authority of the receiver's certificate.")
@click.option("--certificate", type=_FILE, help="Our client certificate.")
@click.option("--key", type=_FILE, help="The key of our certificate.")
@click.option("--plain", is_flag=True, help="With --to: without TLS.")
@click.option(
    "--count",
    type=click.IntRange(1),
    show_default=str(_COUNT),
    help="Events to make up.",
)
@click.option("--file", type=_INPUT, help="Send its lines; - is the input.")
@click.option(
    "--window",
    type=click.IntRange(1, _MOST_EVENTS),
    default=2048,
    show_default=True,
    help="Events that are acknowledged together.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Connections at the same time.",
)
@click.option(
    "--version",
    type=click.Choice(["1", "2"]),
    default="2",
    show_default=True,
    help="Version of the protocol.",
)
@click.option(
    "--silence-seconds",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Silence after which the receiver has failed.",
)
def send(
    config: Path | None,
    to: str | None,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    plain: bool,
    count: int | None,
    file: str | None,
    window: int,
    connections: int,
    version: str,
    silence_seconds: float,
) -> None:
    """Send test events like a Beat and wait until all are acknowledged.

    Without --to they go to the first listener of the configuration, with the
    certificate client-1 that `init --tls` made. Exit code 1: not everything is
    acknowledged.
    """
    if file is not None and count is not None:
        raise UsageError(
            "--file and --count exclude each other",
            hint="The lines of a file are sent, all of them, or events are made up.",
        )
    target = _choose(config, to, Credentials(ca, certificate, key), plain=plain)
    total = None if file else count or _COUNT
    windows = _lines(file, window) if file else _made_up(total or 0, window)
    tally = Tally()
    begun = time.monotonic()
    console = Console(stderr=True)
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("acknowledged", total=total)
            delivery = deliver(
                target,
                windows,
                tally,
                connections=connections,
                version=int(version),
                silence_seconds=silence_seconds,
                on_ack=lambda acked: progress.advance(bar, acked.events),
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(delivery)
    finally:
        if tally.sent_windows:
            click.echo("\n".join(_report(tally, time.monotonic() - begun)))


def _choose(
    config: Path | None, to: str | None, credentials: Credentials, *, plain: bool
) -> Target:
    if to is not None and config is None:
        return choose_remote(to, credentials, plain=plain)
    if to is not None or plain:
        raise UsageError(
            "the receiver is named twice" if to else "--plain belongs to --to",
            hint="Give --to for any receiver, or --config for the one configured.",
        )
    return choose_listener(load(config or CONFIG).listeners[0], credentials)


def _describe(events: int, windows: int) -> str:
    what = "event" if events == 1 else "events"
    return f"{events} {what} in {windows} {'window' if windows == 1 else 'windows'}"


def _made_up(count: int, window: int) -> Iterator[list[bytes]]:
    now_ms = time.time_ns() // 10**6
    host = socket.gethostname()
    return sample_windows(count, window=window, host=host, seed=now_ms, start_ms=now_ms)


def _lines(file: str, window: int) -> Iterator[list[bytes]]:
    try:
        with _open(file) as lines:
            yield from line_windows(
                lines,
                window=window,
                host=socket.gethostname(),
                path=file if file == "-" else str(Path(file).absolute()),
                moment_ms=time.time_ns() // 10**6,
            )
    except OSError as error:
        raise SourceError(
            f"cannot read {file}: {error.strerror}",
            hint="What was acknowledged before is stored.",
        ) from error


def _open(file: str) -> BinaryIO:
    """Open the file, or the standard input without the locks of ``sys.stdin``.

    An interrupted program that still waits for its input could not end with
    them: the interpreter aborts when it cannot have them at its end.
    """
    return open(0 if file == "-" else file, "rb", closefd=file != "-")


def _report(tally: Tally, seconds: float) -> Iterator[str]:
    """Yield what was sent, what is acknowledged, and how long that took."""
    acked, sent = tally.acked, tally.sent_windows
    yield f"sent           {_describe(tally.sent_events, sent)}"
    yield f"acknowledged   {_describe(tally.acked_events, len(acked))}"
    if acked:
        middle, late, last = (tally.wait_seconds(share) for share in (0.5, 0.99, 1))
        yield (
            f"time to ack    p50 {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms, "
            f"longest {last * 1000:.1f} ms"
        )
    yield f"keep-alives    {tally.keepalives}"
    yield f"rate           {tally.acked_events / seconds:.0f} events/s"
