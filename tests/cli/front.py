"""A server in front of the venue that hears every request, and can kill whoever asks."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx

from tests.sandbox.running import Venue

BEFORE: Final = "before"
AFTER: Final = "after"
NEVER: Final = 0
DROPPED: Final = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


@dataclass(slots=True)
class Killing:
    """Kill at the `nth` request that holds `word` in its path or body, `when` seen from the venue."""

    word: bytes
    nth: int
    when: str
    seen: int = 0
    victim: "subprocess.Popen[str] | None" = None
    done: threading.Event = field(default_factory=threading.Event)
    heard: list[str] = field(default_factory=list)

    def strike(self) -> None:
        assert self.victim is not None
        self.victim.send_signal(signal.SIGKILL)
        self.victim.wait(timeout=20)
        self.done.set()


@contextmanager
def in_front(venue: Venue, killing: Killing) -> Iterator[int]:
    """A server that passes on everything, until it strikes; its port."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                found = killing.word in self.path.encode() + b" " + body
                killing.seen += found
                killing.heard.append(f"{self.path}\n{self.headers}\n{body.decode()}")
                meant = found and killing.seen == killing.nth
            if meant and killing.when == BEFORE:
                killing.strike()
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
            answer = httpx.request(
                self.command,
                f"{venue.url}{self.path}",
                content=body,
                headers=headers,
                timeout=20,
                verify=False,
            )
            if meant:
                killing.strike()
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = _pass

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, BrokenPipeError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
