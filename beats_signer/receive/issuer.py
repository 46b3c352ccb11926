"""The name of an authority, in a form that can be compared.

Two spellings of one name are the same authority, as RFC 5280, section 7.1, says:
capital letters, runs of spaces and the kind of string make no difference. A list
that is written otherwise than the certificates has to hold for them all the same.
"""

from cryptography import x509

__all__ = ["UNREADABLE", "Issuer", "issuer_of"]

Issuer = tuple[frozenset[tuple[str, str]], ...]

UNREADABLE = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the parser raises, at once or on the first look at a part, for what is no
certificate and no revocation list."""


def issuer_of(name: x509.Name) -> Issuer:
    """Return a name so that equal ones are equal.

    Raises:
        Exception: One of ``UNREADABLE``.
    """
    return tuple(
        frozenset((part.oid.dotted_string, _simplify(part.value)) for part in parts)
        for parts in name.rdns
    )


def _simplify(value: str | bytes) -> str:
    return (
        value.hex() if isinstance(value, bytes) else " ".join(value.split()).casefold()
    )
