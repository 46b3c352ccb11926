"""Understand the names of cipher suites, which others spell in other ways.

Beats write ECDHE-RSA-AES-128-GCM-SHA256, Logstash and IANA
TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, OpenSSL ECDHE-RSA-AES128-GCM-SHA256.
"""

import re
import ssl
from collections.abc import Sequence

from beats_signer.errors import ConfigError

__all__ = ["set_ciphers", "spell_for_openssl"]

_OF_TLS_1_3 = re.compile(r"TLS[-_](AES|CHACHA20)[-_]", re.IGNORECASE)
_LEAST_BITS = 128
_SPELLINGS = (
    (r"_", "-"),
    (r"^TLS-", ""),
    (r"-WITH-", "-"),
    (r"^RSA-(?!PSK)", ""),
    (r"(AES|CAMELLIA)-(\d+)", r"\1\2"),
    (r"-CBC-", "-"),
    (r"POLY1305-SHA256$", "POLY1305"),
)


def spell_for_openssl(name: str) -> str:
    """Return a name of a suite of TLS 1.2 as OpenSSL spells it."""
    name = name.upper()
    for pattern, replacement in _SPELLINGS:
        name = re.sub(pattern, replacement, name)
    return name


def set_ciphers(context: ssl.SSLContext, names: Sequence[str]) -> None:
    """Let a context use these suites of TLS 1.2, the first that fits.

    The suites of TLS 1.3 stay as they are.

    Raises:
        ConfigError: OpenSSL does not know one, or does not allow it.
    """
    known = _listed(context)
    spelled = [spell_for_openssl(name) for name in names]
    for name, ours in zip(names, spelled, strict=True):
        if _OF_TLS_1_3.match(name) and "WITH" not in name.upper():
            raise ConfigError(
                f"the cipher suite {name} is one of TLS 1.3, which cannot be chosen",
                hint="Leave it out: all suites of TLS 1.3 are sound and always on.",
            )
        if not _is_usable(context, ours):
            raise ConfigError(
                f"the cipher suite {name} is not usable here",
                hint=f"OpenSSL offers {', '.join(known)}.",
            )
    context.set_ciphers(":".join(spelled))


def _is_usable(context: ssl.SSLContext, name: str) -> bool:
    """Tell whether this is one suite: words such as HIGH stand for many.

    Suites that do not encrypt, or whose peers prove nothing, are not usable.
    """
    try:
        context.set_ciphers(name)
    except ssl.SSLError:
        return False
    return _listed(context) == [name]


def _listed(context: ssl.SSLContext) -> list[str]:
    return [
        str(suite["name"])
        for suite in context.get_ciphers()
        if suite["protocol"] != "TLSv1.3"
        and suite["strength_bits"] >= _LEAST_BITS
        and suite["auth"] != "auth-null"
    ]
