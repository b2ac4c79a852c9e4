"""A proxy in front of an HTTP server that sees every request and can end a conversation at any of them.

Of a message `kind` is the method and `text` the path, without its query. Requests are handed on whole, and so
are answers: whoever asks hears nothing, or all of it.
"""

import socket
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.simulation.proxy import CHUNK, Fault, Message
from tests.simulation.proxy import Proxy as AnyProxy

HEAD_END: Final = b"\r\n\r\n"
LAST_CHUNK: Final = b"\r\n0\r\n\r\n"


def _before(fault: Fault, message: Message) -> bytes | None:
    return fault.before(message)


def _answered(fault: Fault, message: Message, answer: bytes) -> bytes | None:
    return fault.answered(message, answer)


class Proxy(AnyProxy):
    """Stands before a server on this machine."""

    def __init__(self, port: int, fault: Fault | None = None) -> None:
        super().__init__(fault)
        self._upstream = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._upstream))

    def _converse(self, client: socket.socket, server: socket.socket) -> None:
        asks, tells = _Stream(client), _Stream(server)
        try:
            while (request := asks.whole()) is not None:
                line = request.split(b"\r\n", 1)[0].decode("ascii").split()
                message = self.noted(line[0], line[1].partition("?")[0], request)
                raw = self.strike(partial(_before, message=message))
                if raw is None:
                    return
                server.sendall(raw)
                answer = tells.whole()
                if answer is None:
                    return  # the server cut it itself
                self.answers.add(message.number)
                told = self.strike(partial(_answered, message=message, answer=answer))
                if told is None:
                    return
                client.sendall(told)
        except OSError:
            return


@dataclass
class _Stream:
    """What one side says, cut into messages."""

    source: socket.socket
    _said: bytearray = field(default_factory=bytearray)

    def whole(self) -> bytes | None:
        """The next message, all of it; None once the other side has left."""
        while (length := self._length()) is None:
            chunk = self.source.recv(CHUNK)
            if not chunk:
                return None
            self._said += chunk
        message = bytes(self._said[:length])
        del self._said[:length]
        return message

    def _length(self) -> int | None:
        """How long the message is that begins here; None while that, or the rest of it, is not there."""
        end = self._said.find(HEAD_END)
        if end < 0:
            return None
        body = end + len(HEAD_END)
        lines = [line.partition(b":") for line in bytes(self._said[:end]).split(b"\r\n")[1:]]
        fields = {name.strip().lower(): value.strip() for name, _, value in lines}
        if fields.get(b"transfer-encoding") == b"chunked":
            last = self._said.find(LAST_CHUNK, end)
            return None if last < 0 else last + len(LAST_CHUNK)
        length = body + int(fields.get(b"content-length", b"0"))
        return length if len(self._said) >= length else None
