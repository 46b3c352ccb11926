"""Ask a server as an administrator, and raise what it refuses."""

from typing import Any, Final

import msgspec

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.client import Answer, Client

__all__ = ["ask", "check_answer"]

_RIGHTS: Final = (
    "Setup needs the cluster privileges monitor, manage_index_templates, manage_ilm "
    "and manage_security: name such a user with --user."
)


async def ask(
    client: Client, method: str, path: str, *, data: bytes | None = None
) -> Any:  # noqa: ANN401
    """Return what the server answers, parsed; ``None`` when it has no such thing.

    Raises:
        RefusedError: The server does not carry it out.
        StoreError: It does not answer, or has no time now.
    """
    answer = await client.request(method, path, data=data)
    if answer.status == 404:
        return None
    check_answer(answer, f"{method} {path}")
    return msgspec.json.decode(answer.data)


def check_answer(answer: Answer, asked: str) -> None:
    """Raise what an answer other than a success means; see ``ask``."""
    if answer.status in (200, 201):
        return
    said = f"{asked} was answered with {answer.status}: {_reason(answer.data)}"
    if answer.status == 429 or answer.status >= 500:
        raise StoreError(
            said, hint="The server is not ready, or too busy. Run setup again later."
        )
    if answer.status == 401:
        raise RefusedError(
            said,
            hint="The user, password or key is wrong: see --user and the settings.",
        )
    if answer.status == 403:
        raise RefusedError(said, hint=_RIGHTS)
    if b"same priority" in answer.data:
        raise RefusedError(
            said,
            hint="Two templates of one priority cannot share names: change "
            "elasticsearch.template_priority, or that of the other one.",
        )
    raise RefusedError(
        said, hint="With --print you get all requests, to send them by hand."
    )


def _reason(data: bytes) -> str:
    try:
        error = msgspec.json.decode(data)["error"]
        return str(error if isinstance(error, str) else error["reason"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return data[:200].decode(errors="replace") or "nothing more"
