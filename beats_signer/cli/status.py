"""Ask the running signer how it is, and show the answer as tables."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.console import Console, RenderableType

from beats_signer.cli.asking import ask
from beats_signer.cli.layout import lay_out, open_console
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.config import load
from beats_signer.errors import SourceError

__all__ = ["status"]


_CHAIN = (
    *("chain", "state", "entries", "seals", "stored", "in journal", "waiting"),
    "last seal",
)
_SENDER = ("sender", "peer", "events", "windows", "acked", "open")


class ChainStatus(Struct, frozen=True):
    """How far one chain has come."""

    origin: str
    state: str = ""
    seals: int = 0
    entries: int = 0
    stored_seals: int = 0
    last_seal_time: str | None = None
    waiting_windows: int = 0
    journal_rows: int = 0


class SenderStatus(Struct, frozen=True):
    """What one connected sender has sent."""

    sender: str | None
    """Its name; null without a certificate."""

    peer: str | None = None
    """Its address; null until TLS is set up."""

    events: int = 0
    windows: int = 0
    acked: int = 0
    open_windows: int = 0


class ListenerStatus(Struct, frozen=True):
    """An address that senders connect to."""

    address: str
    tls: bool = False


class Problem(Struct, frozen=True):
    """Something that a person should know or do."""

    symptom: str
    impact: str = ""
    action: str = ""


class Status(Struct, frozen=True):
    """The answer of ``/status``; what is not known here is passed over."""

    signer: str
    version: str = ""
    started: str = ""
    draining: bool = False
    connections: int = 0
    listeners: tuple[ListenerStatus, ...] = ()
    chains: tuple[ChainStatus, ...] = ()
    catalogue: ChainStatus | None = None
    senders: tuple[SenderStatus, ...] = ()
    refused_senders: dict[str, int] = {}
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    journal_bytes: int = 0
    problems: tuple[Problem, ...] = ()


@click.command(epilog="Example: beats-signer status --config beats-signer.yml")
@config_option
@overrides_option
@click.option("--json", "as_json", is_flag=True, help="Show the answer as it came.")
def status(config: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show how the signer of this host is doing. Exit code 2: it does not run."""
    settings = load(config, overrides)
    body = ask(settings, config)
    if as_json:
        click.echo(body)
        return
    console = open_console()
    for part in _show(_decode(body), console):
        console.print(part)


def _decode(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError as error:
        raise SourceError(
            f"the answer is not a status: {error}",
            hint="See it with --json; is the running signer of another version?",
        ) from error


def _show(status: Status, console: Console) -> Iterator[RenderableType]:
    """Yield what a person wants to see, the most urgent first."""
    state = "stopping" if status.draining else "running"
    yield f"{status.signer} is {state} since {status.started}, {status.version}"
    for problem in status.problems:
        yield f"problem: {problem.symptom}\n  {problem.impact}\n  {problem.action}"
    where = ", ".join(
        f"{one.address} ({'TLS' if one.tls else 'plain text'})"
        for one in status.listeners
    )
    yield (
        f"{status.connections} connections on {where}; "
        f"memory {_mebibytes(status.memory_bytes)} of "
        f"{_mebibytes(status.memory_limit_bytes)} MiB; "
        f"journal {_mebibytes(status.journal_bytes)} MiB"
    )
    refused = [f"{n} {reason}" for reason, n in status.refused_senders.items() if n]
    if refused:
        yield f"senders turned away: {', '.join(refused)}; the log names them"
    catalogue = (status.catalogue,) if status.catalogue else ()
    yield lay_out(
        console, _CHAIN, [_chain_row(one) for one in (*catalogue, *status.chains)]
    )
    known = [_sender_row(one) for one in status.senders if one.peer is not None]
    if known:
        yield lay_out(console, _SENDER, known)


def _chain_row(chain: ChainStatus) -> tuple[str, ...]:
    return (
        chain.origin,
        chain.state,
        str(chain.entries),
        str(chain.seals),
        str(chain.stored_seals),
        str(chain.journal_rows),
        str(chain.waiting_windows),
        f"{chain.last_seal_time[:19]}Z" if chain.last_seal_time else "",
    )


def _sender_row(sender: SenderStatus) -> tuple[str, ...]:
    return (
        sender.sender or "",
        sender.peer or "",
        str(sender.events),
        str(sender.windows),
        str(sender.acked),
        str(sender.open_windows),
    )


def _mebibytes(count: int) -> str:
    return f"{count / (1 << 20):.1f}"
