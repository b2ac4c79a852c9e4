"""The venue's WebSocket channels: what happens, told to those who asked to hear it. Source: VENUE 6."""

from betteroms.sandbox.streams.faults import Choose, Fate, Message
from betteroms.sandbox.streams.hub import Streams
from betteroms.sandbox.streams.outbox import OUTBOX_MAX, Outbox
from betteroms.sandbox.streams.sockets import routes, streams_of

__all__ = ["OUTBOX_MAX", "Choose", "Fate", "Message", "Outbox", "Streams", "routes", "streams_of"]
