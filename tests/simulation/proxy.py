"""What stands between a client and a server, sees every message and can end a conversation at any of them.

What happens at a message is decided by a `Fault`. How the stream is cut into messages is for each protocol to
say; its clients reach a proxy over loopback TCP.
"""

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

QUEUE: Final = 16
CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a client. `number` counts from 1 over the whole life of the proxy.

    `kind` and `text` are the protocol's: see there. `backend` is the server process it goes to, if told; `at`
    is when it came, by the clock that messages to other servers are stamped by, too.
    """

    number: int
    kind: str
    text: str
    raw: bytes
    backend: int | None = None
    at: float = 0.0


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


class Proxy(ABC):
    """Listens on a port of its own; `log` holds what clients said, `answers` which of it was answered."""

    def __init__(self, fault: Fault | None = None) -> None:
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
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
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
                self._converse(client, server)

    @abstractmethod
    def _connect(self) -> socket.socket:
        """A connection to the server."""

    @abstractmethod
    def _converse(self, client: socket.socket, server: socket.socket) -> None:
        """Hand on what the two say, message by message, until one of them leaves or a fault strikes."""

    def noted(self, kind: str, text: str, raw: bytes, backend: int | None = None) -> Message:
        """Number a message and keep it."""
        with self._numbering:
            message = Message(
                number=len(self.log) + 1,
                kind=kind,
                text=text,
                raw=raw,
                backend=backend,
                at=time.monotonic(),
            )
            self.log.append(message)
        return message

    def strike(self, deed: Callable[[Fault], bytes | None]) -> bytes | None:
        """Let the fault have its way; where it fails itself, that is for the test to know."""
        try:
            data = deed(self.fault)
        except Exception as failure:
            self.failure = failure
            data = None
        if data is None:
            self.gone.set()
        return data
