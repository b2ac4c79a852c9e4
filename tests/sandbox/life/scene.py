"""A small venue whose time stands still until it is moved, and somebody who listens to its streams."""

import json
from typing import Any, Final

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.exchange import Placement
from betteroms.sandbox.model import Market, SignedOrder
from betteroms.sandbox.seeding.resting import approve_trading
from betteroms.sandbox.streams import Outbox, Streams
from betteroms.sandbox.streams.faults import Choose, unharmed
from betteroms.sandbox.world import Options, World

START_MS: Final = 1_795_177_659_000
ADA: Final = "0x00000000000000000000000000000000000000ad"
BOB: Final = "0x00000000000000000000000000000000000000b0"
SOMEBODY: Final = "0x0000000000000000000000000000000000000c0f"
RICH: Final = to_micros("1000000")


def market(slug: str = "will-it-rain", *, tick: str = "0.01", **more: Any) -> Market:
    number = sum(slug.encode())
    return Market(
        condition_id=f"0x{number:064x}",
        question_id=f"0x{number + 1:064x}",
        gamma_id=str(number),
        slug=slug,
        question=f"{slug}?",
        token_ids=(f"7{number}1", f"7{number}2"),
        outcomes=("Yes", "No"),
        tick=to_micros(tick),
        minimum_size=to_micros("5"),
        **more,
    )


class Scene:
    """`rain` and `snow` are its markets; ADA, BOB and SOMEBODY are rich in both."""

    def __init__(self, *, seed: int = 0, choose: Choose = unharmed) -> None:
        self.clock = HandClock(START_MS)
        self.world = World(Options(seed=seed), self.clock)
        self.exchange = self.world.exchange
        self.rain, self.snow = market("will-it-rain"), market("will-it-snow")
        for each in (self.rain, self.snow):
            self.exchange.add_market(each, self.world.now())
        for owner in (ADA, BOB, SOMEBODY):
            self.world.bank.move({(owner, None): 3 * RICH})
            for each in (self.rain, self.snow):
                self.world.bank.split(owner, each.condition_id, each.token_ids, RICH)
            approve_trading(self.world.bank, owner)
        self.streams = Streams(self.world, choose)
        self._salt = 0

    def after(self, milliseconds: int) -> None:
        """Let time go on, and everything happen that is due."""
        self.clock.move_to(self.clock.now_ms() + milliseconds)
        self.world.now()

    def rest(
        self,
        side: Side,
        price: str,
        size: str,
        *,
        outcome: int = 0,
        maker: str = SOMEBODY,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> Placement:
        """A counterparty's order in `rain`."""
        return self.exchange.rest(
            self.rain,
            outcome=outcome,
            side=side,
            price=to_micros(price),
            size=to_micros(size),
            maker=maker,
            now_ms=self.world.now(),
            time_in_force=time_in_force,
        )

    def place(
        self,
        key: ApiKey,
        side: Side,
        price: str,
        size: str,
        *,
        outcome: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> Placement:
        """A member's order in `rain`, as if its signature had been checked."""
        self._salt += 1
        shares = to_micros(size)
        dollars = to_micros(price) * shares // 1_000_000
        buys = side is Side.BUY
        signed = SignedOrder(
            salt=self._salt,
            maker=key.address,
            signer=key.address,
            token_id=self.rain.token_ids[outcome],
            maker_amount=dollars if buys else shares,
            taker_amount=shares if buys else dollars,
            side=side,
            signature_type=0,
            timestamp=self.world.now(),
            metadata="0x" + "00" * 32,
            builder="0x" + "00" * 32,
            signature="0x",
        )
        return self.exchange.place(
            signed,
            order_id="0x" + self.world.name("test-order", self._salt).hex(),
            owner=key.key,
            time_in_force=time_in_force,
            post_only=False,
            now_ms=self.world.now(),
        )

    def member(self, address: str) -> ApiKey:
        return self.world.members.create_key(address, 0)


class Ear:
    """A connection without a socket."""

    def __init__(self, scene: Scene, channel: str) -> None:
        self._scene = scene
        self._wakes = 0
        self.outbox = Outbox(channel, lambda *seen: scene.streams.choose(*seen), self._wake)

    def _wake(self) -> None:
        self._wakes += 1

    def frames(self) -> list[Any]:
        """What has come since the last time, as it was sent."""
        found = []
        while (frame := self.outbox.take()) is not None:
            found.append(frame if frame.isalpha() else json.loads(frame))
        return found


class MarketEar(Ear):
    def __init__(self, scene: Scene, *tokens: str, custom: bool = False, **more: Any) -> None:
        super().__init__(scene, "/ws/market")
        self.subscriber = scene.streams.market.join(self.outbox)
        self.ask(type="market", assets_ids=list(tokens), custom_feature_enabled=custom, **more)

    def ask(self, **frame: Any) -> None:
        self._scene.streams.market.receive(self.subscriber, frame)


class UserEar(Ear):
    def __init__(self, scene: Scene, key: ApiKey, **more: Any) -> None:
        super().__init__(scene, "/ws/user")
        self.subscriber = scene.streams.user.join(self.outbox)
        auth = {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
        self.ask(type="user", auth=auth, **more)

    def ask(self, **frame: Any) -> None:
        self._scene.streams.user.receive(self.subscriber, frame)
