"""End one chain of a signer for good."""

from pathlib import Path

import click

from beats_signer.chain.head import Head
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.cli.origin import check_origin
from beats_signer.config import load
from beats_signer.errand import run_errand
from beats_signer.preflight import refuse_open_secrets
from beats_signer.sign.signer import Signer

__all__ = ["close"]


@click.command(
    epilog="Example: beats-signer close audit-1/acme/web/20261123T090000Z "
    "--config beats-signer.yml"
)
@click.argument("origin")
@config_option
@overrides_option
def close(origin: str, config: Path, overrides: tuple[str, ...]) -> None:
    """End the chain ORIGIN for good.

    Its last seal is a close: nothing can follow, and its keys are erased. The
    events stay, and verify as before. The next event that belongs there founds a
    new chain. The signer must be stopped meanwhile; whatever interrupts the
    command, the next start finishes it. The catalogue cannot be closed.
    """
    settings = load(config, overrides)
    if origin != settings.signer:  # of which the signer has more to say
        check_origin("close", origin, settings.signer)
    refuse_open_secrets(settings)

    async def end(signer: Signer) -> Head:
        return await signer.close_chain(origin)

    head = run_errand(settings, lambda signer: signer.has_closed(origin), end)
    if head is None:
        click.echo(f"{origin} is closed already.")
        return
    click.echo(f"{origin} is closed with {head.seals} seals and {head.entries} events.")
    click.echo("Its keys are erased, and the catalogue has its last head.")
