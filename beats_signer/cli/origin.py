"""Take the origin of one of the signer's own chains from the command line."""

from beats_signer.chain.errors import FormatError
from beats_signer.chain.origin import Origin
from beats_signer.errors import UsageError

__all__ = ["check_origin"]


def check_origin(where: str, text: str, signer: str) -> None:
    """Refuse what is no origin of a chain of *signer*.

    Raises:
        UsageError: It is not; the message begins with *where* it stands.
    """
    try:
        origin = Origin.parse(text)
    except FormatError as error:
        raise UsageError(
            f"{where}: {error}",
            hint="Give the origin as `beats-signer status` or `verify` shows it.",
        ) from error
    if origin.signer != signer:
        raise UsageError(
            f"{where}: {text} is a chain of {origin.signer}, not of {signer}",
            hint="A signer can only continue or close a chain of its own.",
        )
