"""A signer's folder with sealed events, and what commands say about it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from beats_signer.chain.seal import Kind, SealRecord, parse_seal_note
from beats_signer.cli import program
from beats_signer.sign.lock import StateLock
from beats_signer.verify.source import open_source
from tests.cli.process import COMMAND, ENVIRONMENT

__all__ = ["kinds", "new_signer", "origins", "run", "send", "serving", "verify"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)])


def new_signer(folder: Path) -> Path:
    """Make a signer that takes free ports; return its configuration."""
    assert run("init", folder, "--signer", "audit-1").exit_code == 0
    path = folder / "beats-signer.yml"
    text = path.read_text().replace("127.0.0.1:5044", "127.0.0.1:0")
    path.write_text(text + "http: {address: 127.0.0.1:0}\n")
    return path


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the signer of a folder, yield where it listens, and stop it."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", folder / "beats-signer.yml"],
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        messages = (json.loads(line)["message"] for line in process.stderr)
        assert "ready" in messages
        try:
            (address,) = StateLock.read(folder / "state")["listeners"]
            yield str(address)
            process.terminate()
            process.stderr.read()
            assert process.wait(20) == 0
        finally:
            process.kill()


def send(folder: Path) -> None:
    """Let a signer seal ten events."""
    with serving(folder) as address:
        sent = run("send", "--to", address, "--plain", "--count", 10)
    assert sent.exit_code == 0, sent.stderr


def verify(folder: Path, *options: object) -> Result:
    """Verify with the trust line that was made with the signer."""
    return run("verify", folder / "archive.db", "--trust", folder / "trust", *options)


def origins(folder: Path) -> list[str]:
    """Return the origins of all chains but the catalogue."""
    with closing(open_source(folder / "archive.db", "audit-1")) as source:
        return [one for one in source.origins() if one != "audit-1"]


def kinds(folder: Path, origin: str) -> list[Kind]:
    """Return the kinds of a chain's seals."""
    with closing(open_source(folder / "archive.db", "audit-1")) as source:
        return [
            parse_seal_note(item.note)[0].kind
            for item in source.read(origin)
            if isinstance(item, SealRecord)
        ]
