"""A proxy in front of PostgreSQL that sees every message and can end a conversation at any of them.

It speaks just enough of the protocol to cut the stream into messages. Its clients reach it over loopback
TCP; the server may be behind a unix socket. What happens at a message is decided by a `Fault`.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

CANCEL: Final = 80877102
SSL: Final = 80877103
GSS: Final = 80877104
QUEUE: Final = 16
CHUNK: Final = 1 << 16
AUTHENTICATION_OK: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a client. `number` counts from 1 over the whole life of the proxy.

    `kind` is the protocol's letter, or "startup"; `text` the SQL it carries, or for COPY data the SQL of
    its COPY; `backend` the server process it goes to.
    """

    number: int
    kind: str
    text: str
    raw: bytes
    backend: int | None


class Fault:
    """What happens at each message; by itself, nothing."""

    def before(self, message: Message) -> bytes | None:
        """What to send to the server in place of the message; None cuts the conversation."""
        return message.raw

    def answered(self, message: Message, answer: bytes) -> bytes | None:
        """What to tell the client once the server has done what `message` asked; None cuts."""
        return answer


@dataclass(frozen=True, slots=True)
class At(Fault):
    """At one message, before it is sent or once it is answered: do something, then cut or go on."""

    number: int
    after: bool
    do: Callable[[], object] = lambda: None
    cut: bool = True

    def before(self, message: Message) -> bytes | None:
        if message.number != self.number or self.after:
            return message.raw
        self.do()
        return None if self.cut else message.raw

    def answered(self, message: Message, answer: bytes) -> bytes | None:
        if message.number != self.number or not self.after:
            return answer
        self.do()
        return None if self.cut else answer


def split(buffer: bytearray) -> Iterator[bytes]:
    """Take whole messages off the front of the buffer."""
    while len(buffer) >= 5:
        length = struct.unpack_from("!I", buffer, 1)[0] + 1
        if len(buffer) < length:
            return
        yield bytes(buffer[:length])
        del buffer[:length]


def error_response(sqlstate: str, message: str) -> bytes:
    """The server's own way of refusing."""
    fields = b"".join(
        letter + text.encode() + b"\0"
        for letter, text in ((b"S", "ERROR"), (b"V", "ERROR"), (b"C", sqlstate), (b"M", message))
    )
    return packed(b"E", fields + b"\0")


def packed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


class Proxy:
    """Listens on a port of its own; `log` holds what clients said, `answers` which of it was answered."""

    def __init__(self, upstream: str, fault: Fault | None = None) -> None:
        self._upstream = conninfo_to_dict(upstream)
        self.fault = fault or Fault()
        self.log: list[Message] = []
        self.answers: set[int] = set()
        self.gone = threading.Event()
        self.failure: Exception | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=QUEUE)
        self._numbering = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """DATABASE_URL for the client; encryption is the server's affair and would blind us."""
        port = self._listener.getsockname()[1]
        user, database = (quote(str(self._upstream[part])) for part in ("user", "dbname"))
        return f"postgresql://{user}@127.0.0.1:{port}/{database}?sslmode=disable&gssencmode=disable"

    def __enter__(self) -> "Proxy":
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        # A blocked accept is not woken by closing its socket everywhere; a caller wakes it.
        with socket.create_connection(self._listener.getsockname()):
            self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()
        if self.failure is not None and kind is None:
            raise self.failure

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closing:
                client.close()
                return
            if self.gone.is_set():
                client.close()
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                server = self._connect()
            except OSError:
                return
            with server:
                _Conversation(self, client, server).run()

    def _connect(self) -> socket.socket:
        host, port = str(self._upstream.get("host", "127.0.0.1")), int(self._upstream.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def noted(self, kind: str, text: str, raw: bytes, backend: int | None) -> Message:
        """Number a message and keep it."""
        with self._numbering:
            message = Message(number=len(self.log) + 1, kind=kind, text=text, raw=raw, backend=backend)
            self.log.append(message)
        return message


class _Conversation:
    """One client with one server; answers are handed on only once they are whole."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._said, self._told, self._answer = bytearray(), bytearray(), bytearray()
        self._started = False
        self._copying = ""
        self._backend: int | None = None
        self._last: Message | None = None

    def run(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._client, selectors.EVENT_READ, self._from_client)
            ready.register(self._server, selectors.EVENT_READ, self._from_server)
            try:
                while all(key.data() for key, _ in ready.select()):
                    pass
            except OSError:
                return

    def _from_client(self) -> bool:
        chunk = self._client.recv(CHUNK)
        self._said += chunk
        if not self._started and not self._opening():
            return False
        return all(self._say(raw) for raw in split(self._said)) and bool(chunk)

    def _opening(self) -> bool:
        """The first message has no letter: start, cancel, or a wish for encryption, which is refused."""
        while len(self._said) >= 8 and not self._started:
            length, code = struct.unpack_from("!II", self._said)
            raw = bytes(self._said[:length])
            del self._said[:length]
            if code in (SSL, GSS):
                self._client.sendall(b"N")
            elif code == CANCEL:
                self._server.sendall(raw)
                return False
            else:
                self._started = True
                return self._forward(self._proxy.noted("startup", "", raw, None))
        return True

    def _say(self, raw: bytes) -> bool:
        kind = chr(raw[0])
        if kind == "Q":
            text = raw[5:-1].decode()
            self._copying = text if text.startswith("COPY") else ""
        elif kind == "P":
            text = raw[5:].split(b"\0")[1].decode()
        else:
            text = self._copying if kind in "dcf" else ""
        return self._forward(self._proxy.noted(kind, text, raw, self._backend))

    def _forward(self, message: Message) -> bool:
        raw = self._strike(lambda fault: fault.before(message))
        if raw is None:
            return False
        self._last = message
        self._server.sendall(raw)
        return True

    def _from_server(self) -> bool:
        chunk = self._server.recv(CHUNK)
        self._told += chunk
        for raw in split(self._told):
            self._answer += raw
            kind, number = chr(raw[0]), struct.unpack_from("!I", raw, 5)[0] if len(raw) >= 9 else 0
            if kind == "K":
                self._backend = number
            # Whole answers end with ReadyForQuery; CopyInResponse and a demand for a password wait for us.
            if (kind in "ZG" or (kind == "R" and number != AUTHENTICATION_OK)) and not self._hand_on():
                return False
        if not chunk:
            self._client.sendall(self._answer)
        return bool(chunk)

    def _hand_on(self) -> bool:
        last, answer = self._last, bytes(self._answer)
        assert last is not None
        self._proxy.answers.add(last.number)
        self._answer.clear()
        told = self._strike(lambda fault: fault.answered(last, answer))
        if told is None:
            return False
        self._client.sendall(told)
        return True

    def _strike(self, deed: Callable[[Fault], bytes | None]) -> bytes | None:
        """Let the fault have its way; where it fails itself, that is for the test to know."""
        try:
            data = deed(self._proxy.fault)
        except Exception as failure:
            self._proxy.failure = failure
            data = None
        if data is None:
            self._proxy.gone.set()
        return data
