"""The command line: one file per command, and one place where they end."""

import click

from beats_signer import __version__
from beats_signer.cli.certs import certs
from beats_signer.cli.close import close
from beats_signer.cli.config import config
from beats_signer.cli.export import export
from beats_signer.cli.init import init
from beats_signer.cli.inspect import inspect
from beats_signer.cli.program import Program
from beats_signer.cli.recover import recover
from beats_signer.cli.reload import reload
from beats_signer.cli.rotate_identity import rotate_identity
from beats_signer.cli.send import send
from beats_signer.cli.serve import serve
from beats_signer.cli.setup import setup
from beats_signer.cli.status import status
from beats_signer.cli.test import test
from beats_signer.cli.verify import verify
from beats_signer.cli.version import version
from beats_signer.operate.memory import protect_memory

__all__ = ["main", "program"]

_COMPLETION = (
    "Shell completion, for bash: eval "
    '"$(_BEATS_SIGNER_COMPLETE=bash_source beats-signer)"; for zsh and fish with '
    "zsh_source and fish_source."
)


@click.group("beats-signer", cls=Program, epilog=_COMPLETION)
@click.version_option(__version__, prog_name="beats-signer")
def program() -> None:
    """Receive Beats events, seal them in a signed chain, store, acknowledge.

    Begin with `beats-signer init --signer NAME --tls`.
    """


_COMMANDS = (
    init,
    certs,
    setup,
    config,
    test,
    serve,
    reload,
    close,
    rotate_identity,
    send,
    status,
    verify,
    recover,
    export,
    inspect,
    version,
)

for _command in _COMMANDS:
    program.add_command(_command)


def main() -> None:
    """Run the command line of this process, which nobody can look into."""
    protect_memory()
    program.main()
