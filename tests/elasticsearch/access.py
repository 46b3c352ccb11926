"""How tests reach a server, whoever runs it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from elasticsearch import Elasticsearch

__all__ = ["Access", "given"]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a server, with all rights on it."""

    url: str
    """Without user and password."""
    user: str | None = None
    password: str | None = None
    authority: Path | None = None
    """Certificates to trust, PEM; ``None``: those of the system."""

    def options(self) -> dict[str, Any]:
        """Return what ``Elasticsearch`` and ``AsyncElasticsearch`` take."""
        options: dict[str, Any] = {"hosts": [self.url]}
        if self.user is not None:
            options["basic_auth"] = (self.user, self.password)
        if self.authority is not None:
            options["ca_certs"] = str(self.authority)
        return options

    def connect(self, **options: Any) -> Elasticsearch:
        """Return a client for tests that look at the server directly."""
        return Elasticsearch(**self.options(), **options)


def given() -> Access | None:
    """Return the server that ELASTICSEARCH_URL names, or ``None``.

    The URL may hold user and password; ELASTICSEARCH_CA names a PEM file.
    """
    url = os.environ.get("ELASTICSEARCH_URL")
    if not url:
        return None
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    authority = os.environ.get("ELASTICSEARCH_CA")
    return Access(
        plain, parts.username, parts.password, Path(authority) if authority else None
    )
