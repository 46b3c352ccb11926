"""Ask the running signer of this host."""

import http.client
from contextlib import closing
from pathlib import Path

from beats_signer.config import Config
from beats_signer.errors import SourceError
from beats_signer.sign.lock import StateLock

__all__ = ["ask"]

_WAIT_SECONDS = 10.0


def ask(
    settings: Config,
    config: Path,
    path: str = "/status",
    *,
    method: str = "GET",
    wait_seconds: float = _WAIT_SECONDS,
    accepted: tuple[int, ...] = (http.client.OK,),
) -> bytes:
    """Return the body of the answer.

    Args:
        settings: Where its state is, and so who holds the lock.
        config: The file of these settings, for hints.
        path: What to ask.
        method: How to ask.
        wait_seconds: How long an answer may take.
        accepted: The statuses that are an answer.

    Raises:
        SourceError: No signer runs, or it does not answer.
    """
    holder = StateLock.read(settings.state)
    where, process = holder.get("http"), holder.get("pid")
    if not isinstance(where, str):
        raise SourceError(
            f"the signer {settings.signer} is not running",
            hint=f"Start it with `beats-signer serve --config {config}`.",
        )
    try:
        host, _, port = where.rpartition(":")
        connection = http.client.HTTPConnection(
            host.strip("[]"), int(port), timeout=wait_seconds
        )
        with closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
    except ConnectionRefusedError as error:
        raise SourceError(
            f"the signer is not running: process {process} has ended without a word",
            hint="Start it with `beats-signer serve`; its log says why it ended.",
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SourceError(
            f"process {process} does not answer on {where}: {error}",
            hint="Wait a moment and ask again; if it lasts, see its log.",
        ) from error
    if answer.status not in accepted:
        raise SourceError(
            f"{where} answers with {answer.status} {answer.reason}",
            hint="Is it this signer that listens there? See its log.",
        )
    return body
