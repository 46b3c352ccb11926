"""Run the command line, as ``beats-signer`` or ``python -m beats_signer``."""

import signal
import sys
import warnings
from importlib import import_module

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process.

    Half a second goes by until the commands are there; a Ctrl-C in that time ends
    the process by the signal, without a traceback. One that ignores it, as a shell
    has its background jobs do, goes on ignoring it.

    Warnings of libraries are for who develops this; Python's own -W shows them.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli = import_module("beats_signer.cli")
    signal.signal(signal.SIGINT, interrupted)
    cli.main()


if __name__ == "__main__":
    main()
