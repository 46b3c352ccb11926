"""Replace the identity key of a signer."""

from pathlib import Path

import click

from beats_signer.chain.note import VerifierKey
from beats_signer.cli.options import config_option, overrides_option
from beats_signer.config import load
from beats_signer.errand import run_errand
from beats_signer.preflight import refuse_open_secrets
from beats_signer.sign.signer import Signer

__all__ = ["rotate_identity"]


@click.command(
    "rotate-identity",
    epilog="Example: beats-signer rotate-identity --config beats-signer.yml",
)
@config_option
@overrides_option
def rotate_identity(config: Path, overrides: tuple[str, ...]) -> None:
    """Replace the identity key by a new one.

    A seal of the catalogue names the new key; from then on it alone founds chains
    and signs checkpoints, and the old key is erased. The trust line stays as it
    is: verify follows the catalogue to the new key. The signer must be stopped
    meanwhile; whatever interrupts the command, the next start finishes it or goes
    on with the old key.
    """
    settings = load(config, overrides)
    refuse_open_secrets(settings)

    async def rotate(signer: Signer) -> VerifierKey:
        return await signer.rotate_identity()

    identity = run_errand(settings, lambda signer: False, rotate)
    click.echo(f"The identity of {settings.signer} is now {identity}")
    click.echo("The old key is erased; destroy its copies, and make a new one offline.")
    click.echo(
        "The trust line stays as it is. Keep a checkpoint from today on with it."
    )
