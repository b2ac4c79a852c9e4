"""A proxy in front of PostgreSQL that sees every message and can end a conversation at any of them.

It speaks just enough of the protocol to cut the stream into messages. The server may be behind a unix socket.
Of a message `kind` is the protocol's letter, or "startup"; `text` the SQL it carries, or for COPY data that
of its statement.
"""

import selectors
import socket
import struct
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tests.simulation.proxy import CHUNK, At, Fault, Message
from tests.simulation.proxy import Proxy as AnyProxy

__all__ = ["At", "Fault", "Message", "Proxy", "Writes", "error_response", "is_commit"]

CANCEL: Final = 80877102
SSL: Final = 80877103
GSS: Final = 80877104
AUTHENTICATION_OK: Final = 0
COMMIT: Final = "COMMIT"
LOOK: Final = "LOOK"
"""What ends a transaction that wrote something, and one that only read."""


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


def is_commit(message: Message) -> bool:
    """Whether the client ends a transaction with it, successfully."""
    return message.kind == "Q" and message.text == "COMMIT"


class Writes:
    """Tells which commits change anything, from what one client says."""

    def __init__(self) -> None:
        self._inside = self._wrote = False

    def commit(self, message: Message) -> str | None:
        """COMMIT, or LOOK where nothing was written; None for anything but the end of a transaction."""
        if is_commit(message):
            self._inside = False
            return COMMIT if self._wrote else LOOK
        if message.kind in "QP":
            text = message.text.lstrip()
            if text.startswith("BEGIN"):
                self._inside, self._wrote = True, False
            elif text.startswith(("COPY", "INSERT", "UPDATE", "DELETE")):
                assert self._inside, f"it commits by itself: {text}"
                self._wrote = True
        return None


class Proxy(AnyProxy):
    """Stands before the server that a conninfo names."""

    def __init__(self, upstream: str, fault: Fault | None = None) -> None:
        super().__init__(fault)
        self._upstream = conninfo_to_dict(upstream)

    @property
    def url(self) -> str:
        """DATABASE_URL for the client; encryption is the server's affair and would blind us."""
        user, database = (quote(str(self._upstream[part])) for part in ("user", "dbname"))
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def _connect(self) -> socket.socket:
        host, port = str(self._upstream.get("host", "127.0.0.1")), int(self._upstream.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _converse(self, client: socket.socket, server: socket.socket) -> None:
        _Conversation(self, client, server).run()


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
        raw = self._proxy.strike(lambda fault: fault.before(message))
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
        told = self._proxy.strike(lambda fault: fault.answered(last, answer))
        if told is None:
            return False
        self._client.sendall(told)
        return True
