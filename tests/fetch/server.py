"""A web server on this machine that misbehaves on request."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves whatever ``answer(handler, start)`` does; counts requests and keeps the ranges asked for."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, int], None]) -> None:
        self.ranges: list[str | None] = []
        self.stop = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                outer.ranges.append(wanted)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    answer(self, int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/weights.bin"

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *arguments: object) -> None:
        self.stop.set()
        self.server.shutdown()
        self.server.server_close()


def send(handler: BaseHTTPRequestHandler, body: bytes, start: int = 0, stop: int | None = None, tag: str = "") -> None:
    """Answers with ``body[start:]``, promised whole but broken off at ``stop``."""
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(body) - start))
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
    if tag:
        handler.send_header("ETag", tag)
    handler.end_headers()
    handler.wfile.write(body[start:stop])
    handler.wfile.flush()
    handler.close_connection = True


def send_status(handler: BaseHTTPRequestHandler, code: int, **headers: str) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
