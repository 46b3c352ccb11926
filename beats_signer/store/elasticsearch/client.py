"""Send requests through the official client and hand out what came back.

The client is used for its connections, its TLS and its choice of a node; it
neither retries nor renders or parses a body here. An answer of any status is a
value; no answer is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import elastic_transport
from elasticsearch import ApiError, AsyncElasticsearch, UnsupportedProductError

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.node import Node
from beats_signer.store.elasticsearch.silence import explain_silence

__all__ = ["Answer", "Client", "UnansweredError"]

_JSON: Final = "application/json"
_NDJSON: Final = "application/x-ndjson"


class UnansweredError(StoreError):
    """No answer, or none that can be read: whether it was done is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    data: bytes


class _Untouched(elastic_transport.Serializer):
    """Hands bodies through: they are bytes on either side."""

    def dumps(self, data: object) -> bytes:
        assert type(data) is bytes, "a body is bytes: nothing here renders one"
        return data

    def loads(self, data: bytes) -> bytes:
        return data


_SERIALIZERS: Final[Mapping[str, elastic_transport.Serializer]] = {
    mimetype: _Untouched() for mimetype in (_JSON, _NDJSON, "application/*", "text/*")
}


class Client:
    """Some hosts of one cluster."""

    def __init__(
        self,
        *hosts: str,
        timeout_seconds: float = 90.0,
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Take URLs, and what else ``AsyncElasticsearch`` takes for a connection.

        ``timeout_seconds`` has to be longer than the 60 that the server waits.
        """
        self._hosts = hosts
        self._client = AsyncElasticsearch(
            list(hosts),
            request_timeout=timeout_seconds,
            max_retries=0,
            retry_on_timeout=False,
            node_class=Node,
            serializers=_SERIALIZERS,
            **options,
        )

    async def close(self) -> None:
        """Close all connections. Idempotent."""
        await self._client.close()

    async def bulk(self, data: bytes, *, filter_path: str) -> Answer:
        """Send bulk lines, already as gzip; see ``request``.

        It is a POST and no PUT: the HTTP library repeats those by itself.
        """
        headers = {"content-type": _NDJSON, "content-encoding": "gzip"}
        parameters = {"filter_path": filter_path}
        return await self._send("POST", "/_bulk", headers, parameters, data)

    async def request(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> Answer:
        """Send a JSON body, or none, to a path that is quoted already.

        Raises:
            UnansweredError: The request may have been carried out, or not.
            RefusedError: The server is not Elasticsearch.
        """
        headers = {} if data is None else {"content-type": _JSON}
        return await self._send(method, path, headers, parameters, data)

    async def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        parameters: Mapping[str, str] | None,
        data: bytes | None,
    ) -> Answer:
        try:
            response = await self._client.perform_request(
                method,
                path,
                params=parameters,
                headers={"accept": _JSON, **headers},
                body=data,
            )
        except UnsupportedProductError as error:
            raise RefusedError(
                "the server does not say that it is Elasticsearch",
                hint="Name the address of an Elasticsearch 8 or 9, and see that "
                "no proxy removes its header X-Elastic-Product.",
            ) from error
        except ApiError as error:
            return Answer(error.meta.status, _bytes(error.body))
        except elastic_transport.TransportError as error:
            said, hint = explain_silence(error, self._hosts)
            raise UnansweredError(f"{said} ({method} {path})", hint=hint) from error
        return Answer(response.meta.status, _bytes(response.body))


def _bytes(body: object) -> bytes:
    """Return an empty body as empty bytes, for which the library has ``None``."""
    return body if isinstance(body, bytes) else b""
