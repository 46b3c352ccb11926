"""Certificates of a listener, of its sender, and of somebody else."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from beats_signer.config import TlsConfig
from beats_signer.receive.authority import Authority, Issued
from beats_signer.receive.tls import build_client_context

__all__ = ["Authentication", "Certificates", "Version"]

Authentication = Literal["none", "optional", "required"]
Version = Literal["TLSv1.2", "TLSv1.3"]


class Certificates:
    """The files of one authority, of a server and of a client."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        authority = Authority.throwaway(now=datetime.now(UTC))
        self.authority = folder / "ca.crt"
        self.authority.write_bytes(authority.certificate)
        self._server = self._write("server", authority.issue_server(["localhost"]))
        self._client = self._write("client", authority.issue_client("web-1"))

    def _write(self, name: str, issued: Issued) -> tuple[Path, Path]:
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(issued.certificate)
        key.write_bytes(issued.key)
        return certificate, key

    def listener(
        self,
        authentication: Authentication = "required",
        version: Version | None = None,
    ) -> TlsConfig:
        """Return the TLS settings of a listener, with both versions or one."""
        return TlsConfig(
            *self._server,
            certificate_authorities=(
                () if authentication == "none" else (self.authority,)
            ),
            client_authentication=authentication,
            supported_protocols=(version,) if version else ("TLSv1.2", "TLSv1.3"),
        )

    def sender(
        self, trusting: "Certificates | None" = None, *, certificate: bool = True
    ) -> ssl.SSLContext:
        """Return the TLS side of a sender with our certificate, or without."""
        pair = self._client if certificate else (None, None)
        return build_client_context((trusting or self).authority, *pair)
