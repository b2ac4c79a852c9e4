"""The server's side of one HTTP connection, which can also be cut."""

import socket
import struct
from typing import Any, Final

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION: Final = "sandbox"
"""Where the scope carries what this protocol adds: `scope["extensions"]["sandbox"]["abort"]()`."""
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, and in each request's scope a way to end the connection without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {EXTENSION: {"abort": self._abort}}

    def _abort(self) -> None:
        """Reset the connection: what is not yet sent is lost, and the client sees a broken pipe."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


def abort(scope: Scope) -> bool:
    """Cut the connection of a request. False where the server cannot (another protocol carries it)."""
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        return False
    extension["abort"]()
    return True
