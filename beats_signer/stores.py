"""Choose the store that the configuration names, and look at it before it is used."""

import asyncio

from structlog.typing import FilteringBoundLogger

from beats_signer.config import Config
from beats_signer.errors import ConfigError, RefusedError, StoreError
from beats_signer.store.archive import Archive
from beats_signer.store.contract import Store
from beats_signer.store.elasticsearch.check.checks import Checks, refuse_if_broken
from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.prepare.templates import TargetPattern
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from beats_signer.store.tally import StoreTally

__all__ = [
    "build_store",
    "check_store",
    "elasticsearch_of",
    "largest_event_bytes",
    "list_targets",
]

_RETRY_SECONDS = 1.0
_MOST_RETRY_SECONDS = 30.0


def build_store(config: Config, log: FilteringBoundLogger, tally: StoreTally) -> Store:
    """Return the store; nothing is opened or sent yet.

    Raises:
        ConfigError: A file that the settings name cannot be used.
    """
    settings = config.elasticsearch
    if settings is None:
        return Archive(config.archive, tally=tally)
    return ElasticsearchStore(
        connect(settings),
        log,
        in_flight=settings.in_flight,
        part_bytes=settings.max_body_bytes,
        target=config.routing.target,
        grace_seconds=settings.grace_seconds,
        has_sender_fields=settings.sender_fields,
        bare_share=settings.bare_share,
        tally=tally,
    )


async def check_store(config: Config, log: FilteringBoundLogger) -> None:
    """Return once the store was looked at; log each verdict that is not ok.

    A server that does not answer is asked again for as long as it takes: nothing
    is received meanwhile.

    Raises:
        ConfigError: A promise would be broken, and the settings do not accept it.
    """
    if config.elasticsearch is None:
        return
    client = connect(config.elasticsearch)
    try:
        verdicts = await _answered(client, config, log)
    finally:
        await client.close()
    remarkable = [one for one in verdicts if one.mark is not Mark.OK]
    for verdict in remarkable:
        log.warning(
            "a check of the store is not ok",
            verdict=verdict.mark.value,
            check=verdict.check,
            subject=verdict.subject,
            reason=verdict.message,
        )
    log.info(
        "the store was checked",
        ok=len(verdicts) - len(remarkable),
        remarks=len(remarkable),
    )
    refuse_if_broken(verdicts)


async def _answered(
    client: Client, config: Config, log: FilteringBoundLogger
) -> list[Verdict]:
    settings = elasticsearch_of(config)
    patterns = [target.pattern for target in list_targets(config)]
    largest = largest_event_bytes(config)
    checks = Checks(client, settings, patterns, event_bytes=largest)
    pause = _RETRY_SECONDS
    while True:
        try:
            return [one async for one in checks.run()]
        except RefusedError:
            raise
        except StoreError as error:
            log.warning("the store does not answer", error=str(error), hint=error.hint)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _MOST_RETRY_SECONDS)


def elasticsearch_of(config: Config) -> ElasticsearchConfig:
    """Return the section ``elasticsearch``.

    Raises:
        ConfigError: There is none.
    """
    if config.elasticsearch is None:
        raise ConfigError(
            "the configuration has no section elasticsearch",
            hint="Add it with at least hosts: [https://…:9200]; without it the store "
            "is the embedded archive, which needs no setup.",
        )
    return config.elasticsearch


def largest_event_bytes(config: Config) -> int:
    """Return the payload of the largest event that a sender may send."""
    limits = config.limits
    return min(max(limits.json_bytes, limits.pairs_bytes), limits.window_bytes)


def list_targets(config: Config) -> list[TargetPattern]:
    """Return the patterns of all names that events may go to, by the rules."""
    return [TargetPattern(*target) for target in config.applied_routing.targets()]
