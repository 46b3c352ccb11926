"""Read the file in which an auditor keeps the findings that are explained.

One finding a line: its id, a space, and the reason. Empty lines and lines that
start with ``#`` are passed over. The file is the auditor's own: a signer's word
would not count.
"""

from pathlib import Path

from beats_signer.errors import UsageError

__all__ = ["read_acknowledged"]

_FILE_BYTES = 16 << 20


def read_acknowledged(path: Path) -> dict[str, str]:
    """Return the reason of each acknowledged finding, by its id.

    Raises:
        UsageError: The file cannot be read, or a line lacks its reason.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            hint="It is the file in which you keep the findings that are explained.",
        ) from error
    acknowledged = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, reason = line.strip().partition(" ")
        if not reason.strip():
            raise UsageError(
                f"line {number} of {path} has no reason",
                hint="Each line is the id of a finding, a space, and the reason.",
            )
        acknowledged[name] = reason.strip()
    return acknowledged
