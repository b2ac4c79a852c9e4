"""A connection pooler as small as one can be, in front of a real server, to see what it does to sessions.

It speaks just enough of PostgreSQL's protocol: it answers a session's start itself, as poolers do, and hands
each message on to a connection of its own, which the session keeps for a transaction or for good.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

CODE_SSL = 80_877_103
CODE_GSS = 80_877_104
PROTOCOL = 196_608


class _Line:
    """Messages over a socket."""

    def __init__(self, line: socket.socket) -> None:
        self.socket = line
        self._file = line.makefile("rb")

    def take(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) < count:
            raise EOFError
        return found

    def message(self) -> tuple[bytes, bytes]:
        kind = self.take(1)
        length = self.take(4)
        return kind, kind + length + self.take(struct.unpack("!I", length)[0] - 4)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self._file.close()
        self.socket.close()


class Pooler:
    """A context manager; `url` is where sessions are taken."""

    def __init__(self, database_url: str, *, keeps_sessions: bool) -> None:
        parts = urlsplit(database_url)
        directory, port = parse_qs(parts.query)["host"][0], parse_qs(parts.query).get("port", ["5432"])[0]
        self._address = f"{directory}/.s.PGSQL.{port}"
        self._user, self._database = parts.username or "", parts.path.lstrip("/")
        self._keeps = keeps_sessions
        self._idle: list[_Line] = []
        self._lines: list[_Line] = []
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{self._user}@127.0.0.1:{port}/{self._database}"

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone would not wake who waits for a caller.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()
        for line in self._lines:
            line.close()

    def _spawn(self, work: object, *arguments: object) -> None:
        thread = Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._serve, _Line(caller))

    def _serve(self, client: _Line) -> None:
        kept: list[_Line] = []
        try:
            self._greet(client)
            while True:
                self._transaction(client, kept)
        except (EOFError, OSError):
            client.close()
        finally:
            self._idle.extend(kept)

    def _greet(self, client: _Line) -> None:
        while True:
            length, code = struct.unpack("!II", client.take(8))
            client.take(length - 8)
            if code == PROTOCOL:
                break
            assert code in (CODE_SSL, CODE_GSS)
            client.socket.sendall(b"N")
        fine = b"R" + struct.pack("!II", 8, 0)
        told = b"".join(
            b"S" + struct.pack("!I", 4 + len(text)) + text
            for text in (b"server_version\x0018.4\x00", b"client_encoding\x00UTF8\x00")
        )
        # A process number of the pooler's own making.
        key = b"K" + struct.pack("!III", 12, 77, 0)
        client.socket.sendall(fine + told + key + b"Z" + struct.pack("!I", 5) + b"I")

    def _transaction(self, client: _Line, kept: list[_Line]) -> None:
        """Hand one transaction on: until the server says that it is idle."""
        kind, message = client.message()
        if kind == b"X":
            raise EOFError
        with self._server(kept) as server:
            while True:
                server.socket.sendall(message)
                if kind in (b"Q", b"S") and self._answered(client, server):
                    return
                kind, message = client.message()

    def _answered(self, client: _Line, server: _Line) -> bool:
        while True:
            kind, message = server.message()
            client.socket.sendall(message)
            if kind == b"Z":
                return message.endswith(b"I")

    @contextmanager
    def _server(self, kept: list[_Line]) -> Iterator[_Line]:
        server = kept.pop() if kept else self._idle.pop() if self._idle else self._connected()
        yield server
        (kept if self._keeps else self._idle).append(server)

    def _connected(self) -> _Line:
        line = _Line(socket.socket(socket.AF_UNIX))
        line.socket.connect(self._address)
        wish = f"user\0{self._user}\0database\0{self._database}\0\0".encode()
        line.socket.sendall(struct.pack("!II", 8 + len(wish), PROTOCOL) + wish)
        while line.message()[0] != b"Z":
            continue
        self._lines.append(line)
        return line
