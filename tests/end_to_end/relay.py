"""A relay between a signer and Elasticsearch that cuts connections by a script."""

import socket
import threading
from collections import deque
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Cut", "Relay"]

_HOST = "127.0.0.1"
_WAIT_SECONDS = 60.0
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
"""Heads of one connection: they are not handed on."""


class Cut(Enum):
    """Where the connection of one bulk request ends."""

    BEFORE = "nothing of the request was passed on"
    WITHIN_REQUEST = "half of the request was passed on"
    AFTER = "the server has answered, nothing of it was handed back"
    WITHIN_ANSWER = "half of the answer was handed back"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    reason: str
    heads: list[tuple[str, str]]
    body: bytes


class Relay:
    """Passes requests on, one thread per connection. Use it in ``closing``."""

    def __init__(self, url: str) -> None:
        """Take the URL of the server; ``open`` begins to listen."""
        parts = urlsplit(url)
        assert parts.hostname is not None and parts.port is not None
        self._upstream = parts.hostname, parts.port
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._script: deque[Cut | None] = deque()
        self._holding = False
        self._held = 0
        self.bulks = 0
        """Bulk requests that came."""

    @property
    def url(self) -> str:
        """Return where it listens, also while it refuses."""
        return f"http://{_HOST}:{self._port}"

    def open(self) -> None:
        """Listen, on the same port as before."""
        relay = self

        class Handler(_Handler):
            pass

        Handler.relay = relay
        self._server = _Server((_HOST, self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Refuse connections and end those that are there. Idempotent."""
        if self._server is None:
            return
        self.let_go()
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def cut(self, *script: Cut | None) -> None:
        """Say what becomes of the next bulk requests; ``None``: passed on."""
        with self._changed:
            self._script.extend(script)

    def wait_for_cuts(self) -> None:
        """Return when the script has been played to its end."""
        with self._changed:
            is_over = self._changed.wait_for(lambda: not self._script, _WAIT_SECONDS)
        assert is_over, f"{len(self._script)} cuts are left: too few bulk requests"

    def hold(self) -> None:
        """Keep bulk requests from here on, each with its connection."""
        with self._changed:
            self._holding = True

    def wait_for_held(self, count: int = 1) -> None:
        """Return when so many requests are kept."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._held >= count, _WAIT_SECONDS)

    def let_go(self) -> None:
        """Pass on what was kept, whether anybody still waits for an answer or not."""
        with self._changed:
            self._holding = False
            self._changed.notify_all()

    def next_cut(self) -> Cut | None:
        """Return what becomes of the bulk request that has come."""
        with self._changed:
            self.bulks += 1
            cut = self._script.popleft() if self._script else None
            self._held += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._holding)
            self._held -= 1
        return cut

    def joined(self, connection: socket.socket) -> None:
        """Note a connection of the signer."""
        with self._changed:
            self._connections.add(connection)

    def left(self, connection: socket.socket) -> None:
        """Note that it has ended."""
        with self._changed:
            self._connections.discard(connection)

    def ask(self, request: BaseHTTPRequestHandler, body: bytes, cut: bool) -> _Answer:
        """Hand a request to the server; with *cut* only half of its body."""
        heads = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _HOP
        }
        with closing(HTTPConnection(*self._upstream, timeout=600)) as upstream:
            if cut:
                upstream.putrequest(request.command, request.path, skip_host=True)
                for name, value in heads.items():
                    upstream.putheader(name, value)
                upstream.putheader("Content-Length", str(len(body)))
                upstream.endheaders(body[: len(body) // 2])
                raise ConnectionAbortedError("cut within the request")
            upstream.request(request.command, request.path, body or None, heads)
            answer = upstream.getresponse()
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP]
            return _Answer(answer.status, answer.reason, kept, answer.read())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    """One connection of the signer."""

    protocol_version = "HTTP/1.1"
    relay: Relay

    def handle(self) -> None:
        """Answer until either side ends it."""
        self.relay.joined(self.connection)
        with suppress(OSError, HTTPException):
            super().handle()
        self.relay.left(self.connection)

    def do_POST(self) -> None:
        """Pass a request on, or cut its connection."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_bulk = urlsplit(self.path).path.endswith("/_bulk")
        cut = self.relay.next_cut() if is_bulk else None
        if cut is Cut.BEFORE:
            raise ConnectionAbortedError("cut before the request")
        answer = self.relay.ask(self, body, cut is Cut.WITHIN_REQUEST)
        if cut is Cut.AFTER:
            raise ConnectionAbortedError("cut before the answer")
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.heads:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if cut is Cut.WITHIN_ANSWER:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            raise ConnectionAbortedError("cut within the answer")
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the signer says enough."""
