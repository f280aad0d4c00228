"""A reverse proxy on 127.0.0.1 that serves an app under /lab/, as nginx does by what docs/app.md shows."""

from __future__ import annotations

import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

PREFIX = "/lab/"
OURS = ("connection", "transfer-encoding", "server", "date")


class ReverseProxy(ThreadingHTTPServer):
    """A running proxy; ``url`` is where the app is for its visitors."""

    def __init__(self, app: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app = app
        self.url = f"http://127.0.0.1:{self.server_port}{PREFIX}"

    def __enter__(self) -> ReverseProxy:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ReverseProxy

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.startswith(PREFIX):
            self.send_response(HTTPStatus.NO_CONTENT)  # what the other server has there
            return self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {**self.headers, "X-Forwarded-Host": self.headers["Host"], "Connection": "close"}
        address = f"{self.server.app}/{self.path.removeprefix(PREFIX)}"
        with (
            httpx.Client(trust_env=False, timeout=None) as client,
            client.stream(self.command, address, content=body, headers=headers) as answer,
            suppress(OSError),  # a visitor who has left
        ):
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name not in OURS:
                    self.send_header(name, value)
            self.send_header("Referrer-Policy", "no-referrer")  # as many a server adds to all that it sends
            self.end_headers()
            for part in answer.iter_raw():
                self.wfile.write(part)
        return None

    do_HEAD = do_POST = do_GET
