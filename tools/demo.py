"""``make demo``: the whole main job, as a newcomer would do it by hand.

It founds a signer, starts it, sends it events over TLS from two senders, stops
it, verifies, then alters one stored event and verifies again. Every command is
printed before it runs; what they make stays in ``build/demo`` to play with.
"""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from beats_signer.cli.delivery import AckedWindow, Tally, deliver
from beats_signer.cli.sample import sample_windows
from beats_signer.cli.target import Target
from beats_signer.config import Address
from beats_signer.receive.tls import build_client_context
from beats_signer.sign.lock import StateLock
from beats_signer.store.block import build_blocks, open_block, split_blocks
from beats_signer.store.contract import Entries

FOLDER = Path("build/demo")
EVENTS_PER_SENDER = 6_000
WINDOW = 512
PROGRAM = [sys.executable, "-m", "beats_signer"]
START_SECONDS = 10

console = Console(highlight=False)


def main() -> int:
    """Run the demonstration; return 0 when every step did what it should."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(exist_ok=True)
    say("1. Found a signer, with throw-away certificates.")
    run("init", str(FOLDER), "--signer", "demo-1", "--tls")
    use_free_ports(FOLDER / "beats-signer.yml")
    say("2. Start it on the embedded archive.")
    server = start()
    try:
        say("3. Two senders, each with its own certificate, send over TLS.")
        send_all(Address(wait_until_ready(server)))
        run("status", "--config", str(FOLDER / "beats-signer.yml"))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    archive, trust = str(FOLDER / "archive.db"), str(FOLDER / "trust")
    say("4. Verify, with nothing but the trust line.")
    first = run("verify", archive, "--trust", trust)
    say("5. Somebody with access to the store alters one event.")
    alter_one_event(Path(archive))
    say("6. Verify again.")
    second = run("verify", archive, "--trust", trust)
    if (first, second) != (0, 1):
        console.print(f"[red]expected exit codes 0 and 1, got {first} and {second}[/]")
        return 1
    console.print(
        "\nThe first verification ended with exit code 0, the second with 1: "
        f"the altered event was found.\nLook around in {FOLDER}."
    )
    return 0


def say(text: str) -> None:
    """Print a heading."""
    console.print(f"\n[bold]{text}[/]")


def run(*arguments: str) -> int:
    """Print a command as a person would type it, run it, return its exit code."""
    show(*arguments)
    return subprocess.run([*PROGRAM, *arguments]).returncode


def show(*arguments: str) -> None:
    """Print a command."""
    console.print(f"[dim]$ beats-signer {' '.join(arguments)}[/]", soft_wrap=True)


def use_free_ports(path: Path) -> None:
    """Let a configuration keep out of the way of whatever runs on this machine."""
    text = path.read_text().replace("0.0.0.0:5044", "127.0.0.1:0")
    path.write_text(text + "\nhttp:\n  address: 127.0.0.1:0\n")


def start() -> subprocess.Popen[bytes]:
    """Start the signer; its log goes to a file."""
    arguments = ["serve", "--config", str(FOLDER / "beats-signer.yml")]
    show(*arguments)
    with (FOLDER / "signer.log").open("wb") as log:
        return subprocess.Popen([*PROGRAM, *arguments], stderr=log)


def wait_until_ready(server: subprocess.Popen[bytes]) -> str:
    """Return the address on which the signer listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if addresses := StateLock.read(FOLDER / "state").get("listeners"):
            return str(addresses[0])
        time.sleep(0.05)
    sys.exit(f"the signer did not start, see {FOLDER / 'signer.log'}")


def send_all(address: Address) -> None:
    """Send from both senders at once and show how acknowledgements come in."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    tallies = {name: Tally() for name in ("client-1", "client-2")}
    begun = time.monotonic()
    with (
        Progress(*columns, console=console) as progress,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_send_all(address, tallies, progress))
    seconds = time.monotonic() - begun
    events = sum(tally.acked_events for tally in tallies.values())
    waits = [
        window.wait_seconds for tally in tallies.values() for window in tally.acked
    ]
    console.print(
        f"{events:,} events acknowledged in {seconds:.2f} s; the longest wait for an "
        f"ack was {max(waits) * 1000:.0f} ms. Each was on disk before its ack."
    )


async def _send_all(
    address: Address, tallies: dict[str, Tally], progress: Progress
) -> None:
    tls = FOLDER / "tls"
    async with asyncio.TaskGroup() as tasks:
        for name, tally in tallies.items():
            context = build_client_context(
                tls / "ca.crt", tls / f"{name}.crt", tls / f"{name}.key"
            )
            bar = progress.add_task(f"acknowledged to {name}", total=EVENTS_PER_SENDER)
            windows = sample_windows(
                EVENTS_PER_SENDER,
                window=WINDOW,
                host=f"{name}.example.com",
                seed=1,
                start_ms=time.time_ns() // 10**6,
            )
            tasks.create_task(
                deliver(
                    Target(address, context),
                    windows,
                    tally,
                    on_ack=partial(_advance, progress, bar),
                )
            )


def _advance(progress: Progress, bar: TaskID, acked: AckedWindow) -> None:
    progress.advance(bar, acked.events)


def alter_one_event(archive: Path) -> None:
    """Change one word of one stored event, as a thief of logs would."""
    with sqlite3.connect(archive) as database:
        row, first, data = database.execute(
            "SELECT rowid, first, data FROM blocks ORDER BY first DESC LIMIT 1 OFFSET 5"
        ).fetchone()
        entries = open_block(data)
        position = next(
            at for at, payload in enumerate(entries.payloads) if b"GET" in payload
        )
        altered = list(entries.payloads)
        altered[position] = altered[position].replace(b"GET", b"PUT", 1)
        console.print(f"Event {first + position}: GET becomes PUT.")
        changed = Entries(entries.forms, altered, entries.salts)
        block = next(split_blocks(build_blocks(changed), first))
        database.execute(
            "UPDATE blocks SET data = ? WHERE rowid = ?", (bytes(block.data), row)
        )
    database.close()


if __name__ == "__main__":
    sys.exit(main())
