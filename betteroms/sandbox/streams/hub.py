"""The two channels of one venue, listening to its events; free of sockets."""

from betteroms.sandbox.events import Event
from betteroms.sandbox.streams.faults import Choose, unharmed
from betteroms.sandbox.streams.market import MarketChannel
from betteroms.sandbox.streams.outbox import OUTBOX_MAX
from betteroms.sandbox.streams.user import UserChannel
from betteroms.sandbox.world import World


class Streams:
    """`choose` says what befalls each message; it may be replaced at any time. `frames_max`: see `Outbox`."""

    def __init__(self, world: World, choose: Choose = unharmed, *, frames_max: int = OUTBOX_MAX) -> None:
        self.choose = choose
        self.frames_max = frames_max
        self.market = MarketChannel(world.exchange)
        self.user = UserChannel(world)
        world.listen(self._hear)

    def _hear(self, event: Event) -> None:
        self.market.hear(event)
        self.user.hear(event)

    def cut_all(self) -> None:
        """End every connection, as a restart of the venue does."""
        self.market.cut_all()
        self.user.cut_all()
