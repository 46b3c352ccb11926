"""Give a server of the tests its certificates, and the settings that go with them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from beats_signer.receive.authority import Authority

__all__ = ["AUTHORITY", "secure"]

AUTHORITY = "ca.crt"
"""The file, in the folder of the configuration, that its clients trust."""


def secure(folder: Path, keystore: Path) -> dict[str, str | int]:
    """Put all files into a configuration; return the lines that name them.

    ``keystore`` is the server's file of secrets, with the password of ``elastic``.
    """
    authority = Authority.throwaway(now=datetime.now(UTC))
    issued = authority.issue_server(["localhost", "127.0.0.1"])
    (folder / AUTHORITY).write_bytes(authority.certificate)
    (folder / "node.crt").write_bytes(issued.certificate)
    (folder / "node.key").write_bytes(issued.key)
    shutil.copy(keystore, folder / "elasticsearch.keystore")
    settings: dict[str, str | int] = {
        "xpack.security.transport.ssl.certificate_authorities": AUTHORITY,
        "xpack.security.enrollment.enabled": "false",
        "xpack.security.authc.api_key.enabled": "true",
    }
    for part in ("http", "transport"):
        prefix = f"xpack.security.{part}.ssl"
        settings |= {
            f"{prefix}.enabled": "true",
            f"{prefix}.key": "node.key",
            f"{prefix}.certificate": "node.crt",
        }
    return settings
