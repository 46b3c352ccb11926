"""Make the signer's API key, and put it where the settings look for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from beats_signer.errors import ConfigError, RefusedError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.prepare.administering import ask
from beats_signer.store.elasticsearch.prepare.offer import ask_offer
from beats_signer.store.elasticsearch.prepare.plan import Change, Step
from beats_signer.store.elasticsearch.prepare.roles import SIGNER_ROLE

__all__ = ["create_key"]

_KIND = "API key"
_ROLE_PATH = f"/_security/role/{SIGNER_ROLE}"


async def create_key(client: Client, name: str, path: Path, *, dry_run: bool) -> Step:
    """Make a key with the rights of the signer's role; a file that is there stays.

    Args:
        client: Of a user that may make keys. The key is never more than its user.
        name: By which people find the key again.
        path: Where it goes, for its owner alone to read.
        dry_run: Only say what would be done.

    Raises:
        ConfigError: The file cannot be written.
        RefusedError: The server makes no key.
        StoreError: It does not answer.
    """
    if _is_there(path):
        return Step(Change.UNCHANGED, _KIND, name, f"{path} is there")
    if dry_run:
        return Step(Change.CREATED, _KIND, name, f"in {path}")
    if not (await ask_offer(client)).has_roles:
        raise RefusedError(
            "no API key can be made: security is off",
            hint="Take api_key_file out of the configuration, and --create-key away.",
        )
    told = await ask(client, "GET", _ROLE_PATH)
    rights = {part: told[SIGNER_ROLE][part] for part in ("cluster", "indices")}
    body = {"name": name, "role_descriptors": {SIGNER_ROLE: rights}}
    with _reserved(path) as file:
        made = await ask(
            client, "POST", "/_security/api_key", data=msgspec.json.encode(body)
        )
        os.write(file, f"{made['id']}:{made['api_key']}\n".encode())
    return Step(Change.CREATED, _KIND, name, f"in {path}")


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


@contextmanager
def _reserved(path: Path) -> Iterator[int]:
    """Open a new file before there is a key, which nobody would have otherwise."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(
            f"cannot write the key to {path}: {error.strerror}",
            hint="Let api_key_file name a file in a folder that you may write to.",
        ) from error
    try:
        yield file
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(file)
