"""Run the command line as ``python -m beats_signer``."""

from beats_signer.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
