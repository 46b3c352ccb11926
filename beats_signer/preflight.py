"""Look at everything that a configuration names, without starting.

Each file is loaded by the code that a start loads it with, so that both agree.
"""

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from beats_signer.config import Config, ListenerConfig, read_allowed
from beats_signer.errors import ConfigError, Problem, SignerError, StateError
from beats_signer.permissions import describe_secret_fault, describe_writers
from beats_signer.receive.tls_files import TlsFiles
from beats_signer.sign.state import Identity, StateFolder
from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.connection import connect

__all__ = ["check", "check_secrets", "find_open_secrets", "refuse_open_secrets"]

_SOON = timedelta(days=14)
"""A certificate that ends within this time is worth a notice."""

_OWNER_ONLY = (
    "chown it to the user that runs the signer and chmod 600; or to root and the "
    "group of the service, and chmod 640."
)
_MISSING = (
    "Correct the path, or make the file: an API key with "
    "`beats-signer setup --user NAME --create-key`."
)


async def check(
    config: Config, files: tuple[Path, ...], now: datetime
) -> list[Verdict]:
    """Return one verdict for each thing that the configuration names.

    It is a coroutine because the client of Elasticsearch needs a running loop;
    no server is asked.

    Args:
        config: What was read.
        files: Where it was read from.
        now: The time, with its zone; certificates are judged by it.
    """
    verdicts = [_check_settings(file) for file in files]
    verdicts += _check_folders(files)
    for listener in config.listeners:
        verdicts += _check_listener(listener, now)
    verdicts += check_secrets(config)
    verdicts += _check_senders(config)
    verdicts.append(_check_state(config))
    if config.elasticsearch is None:
        verdicts.append(_check_archive(config.archive))
        return verdicts
    try:
        client = connect(config.elasticsearch)
    except ConfigError as error:
        verdicts.append(_broken("elasticsearch", config.elasticsearch.hosts[0], error))
    else:
        await client.close()
        hosts = ", ".join(config.elasticsearch.hosts)
        message = "its files are in order; `beats-signer test output` asks the server"
        verdicts.append(Verdict(Mark.OK, "elasticsearch", hosts, message))
    return verdicts


def check_secrets(config: Config) -> Iterator[Verdict]:
    """Yield a verdict for each file that only the signer may read."""
    for path in dict.fromkeys(_list_secrets(config)):
        try:
            fault = describe_secret_fault(path.stat(), os.geteuid())
        except OSError as error:
            fault, hint = f"cannot be used: {error.strerror}", _MISSING
        else:
            hint = _OWNER_ONLY
        if fault:
            yield Verdict(Mark.BROKEN, "secret", str(path), fault, hint)
        else:
            yield Verdict(Mark.OK, "secret", str(path), "nobody else can read it")


def refuse_open_secrets(config: Config) -> None:
    """Refuse secrets that others may have read.

    Raises:
        ConfigError: One of them is such; a start needs another one.
    """
    for verdict in check_secrets(config):
        if verdict.mark is Mark.BROKEN:
            is_open = verdict.hint == _OWNER_ONLY
            raise ConfigError(
                f"{verdict.subject} {verdict.message}",
                hint=f"If nobody has used that: {verdict.hint}"
                if is_open
                else verdict.hint,
            )


def find_open_secrets(config: Config) -> list[Problem]:
    """Return the secrets that others may have read since the start."""
    return [
        Problem(
            f"{verdict.subject} {verdict.message}",
            "Whoever has read it can use it; the next start refuses it.",
            f"Replace it, if anybody could have read it: {verdict.hint}",
        )
        for verdict in check_secrets(config)
        if verdict.mark is Mark.BROKEN
    ]


def _list_secrets(config: Config) -> Iterator[Path]:
    for listener in config.listeners:
        if listener.ssl is not None:
            yield listener.ssl.key
            if listener.ssl.key_passphrase_file is not None:
                yield listener.ssl.key_passphrase_file
    if (store := config.elasticsearch) is not None:
        named = (store.api_key_file, store.password_file, store.ssl.key)
        yield from (path for path in named if path is not None)


def _check_settings(file: Path) -> Verdict:
    writers = describe_writers(file.stat(), os.geteuid())
    if not writers:
        return Verdict(Mark.OK, "settings", str(file), "valid")
    hint = "chmod go-w: who can change it can turn every promise off."
    return Verdict(Mark.NOTICE, "settings", str(file), writers, hint)


def _check_folders(files: tuple[Path, ...]) -> Iterator[Verdict]:
    for folder in dict.fromkeys(file.absolute().parent for file in files):
        if writers := describe_writers(folder.stat(), os.geteuid()):
            hint = "chmod go-w: who can add files there can turn every promise off."
            yield Verdict(Mark.NOTICE, "settings", str(folder), writers, hint)


def _check_listener(listener: ListenerConfig, now: datetime) -> Iterator[Verdict]:
    where, tls = str(listener.address), listener.ssl
    if tls is None:
        what = "plain text: who reaches it can send, and senders have no names"
        yield Verdict(Mark.OK, "listener", where, what)
        return
    try:
        files = TlsFiles(tls)
        ends = _end_of(tls.certificate)
    except ConfigError as error:
        yield _broken("listener", where, error)
        return
    what = f"TLS; client certificates: {tls.client_authentication}"
    yield Verdict(Mark.OK, "listener", where, what)
    yield _judge_end(
        "certificate",
        tls.certificate,
        ends - now,
        ends,
        "Get a new one from its authority: senders refuse one that has ended.",
    )
    for one in files.revocations.lists:
        if one.ends is not None:
            is_still_used = files.revocations.accepts_expired
            yield _judge_end(
                "revocations",
                one.path,
                one.ends - now,
                one.ends,
                "Fetch the next list: after its end, "
                + ("nothing newer is known." if is_still_used else "nobody gets in."),
                is_fatal=not is_still_used,
            )


def _judge_end(
    check: str,
    path: Path,
    left: timedelta,
    ends: datetime,
    hint: str,
    *,
    is_fatal: bool = True,
) -> Verdict:
    """Return the verdict on something that is valid until a time."""
    has_ended = left < timedelta(0)
    mark = Mark.NOTICE if left < _SOON else Mark.OK
    if has_ended and is_fatal:
        mark = Mark.BROKEN
    what = f"{'ended' if has_ended else 'ends'} on {ends:%Y-%m-%d}"
    return Verdict(mark, check, str(path), what, hint)


def _end_of(certificate: Path) -> datetime:
    # The TLS library has just read the same file.
    first = x509.load_pem_x509_certificate(certificate.read_bytes())
    return first.not_valid_after_utc


def _check_senders(config: Config) -> Iterator[Verdict]:
    path = config.senders.allow_file
    if path is None:
        return
    try:
        allowed = read_allowed(path)
    except ConfigError as error:
        yield _broken("senders", str(path), error)
        return
    yield Verdict(Mark.OK, "senders", str(path), f"{len(allowed)} entries")


def _check_state(config: Config) -> Verdict:
    state = StateFolder(config.state)
    try:
        state.check_private()
        if not state.next_identity.exists():  # else the next start sorts them out
            Identity.read(state, config.signer)
    except StateError as error:
        return _broken("state", str(state.path), error)
    for path in sorted(state.keys.glob("*.key")):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            what = f"has mode {mode:04o}, so that others may have read its keys"
            hint = "If that cannot be: chmod 600. A copy of it must never be used."
            return Verdict(Mark.BROKEN, "state", str(path), what, hint)
    what = "it is private and has an identity key"
    return Verdict(Mark.OK, "state", str(state.path), what)


def _check_archive(path: Path) -> Verdict:
    if os.access(path if path.exists() else path.parent, os.W_OK):
        return Verdict(Mark.OK, "archive", str(path), "it can be written")
    what = "it cannot be written" if path.exists() else "its folder cannot be written"
    return Verdict(Mark.BROKEN, "archive", str(path), what, "Correct path or owner.")


def _broken(check: str, subject: str, error: SignerError) -> Verdict:
    return Verdict(Mark.BROKEN, check, subject, str(error), error.hint)
