"""How a test writes a configuration, and what a wrong one is answered with."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from beats_signer.config import load
from beats_signer.errors import ConfigError

__all__ = ["BASE", "drop_in", "refusal", "write"]

BASE = """\
signer: audit-1
listeners:
- address: 127.0.0.1:5044
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "signer.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def drop_in(folder: Path, name: str, text: str) -> None:
    """Write a file of the folder ``conf.d``."""
    path = folder / "conf.d" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def refusal(
    folder: Path,
    text: str | bytes,
    overrides: Sequence[str] = (),
    **environment: str,
) -> ConfigError:
    """Return the error for a file, with the folder cut out of its message."""
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), overrides, environment=environment)
    error = caught.value
    return ConfigError(str(error).replace(f"{folder}/", ""), hint=error.hint)
