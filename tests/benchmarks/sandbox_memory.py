"""Prints what a finished order costs the sandbox's engine: `python -m tests.benchmarks.sandbox_memory`.

Signed orders come in a mix: most rest and are met or canceled, some take. Every one is finished in the end,
and every trade confirmed. Nothing here passes or fails: machines are shared.
"""

import argparse
import gc
import resource
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox import addresses
from betteroms.sandbox.bank import UNLIMITED, Bank
from betteroms.sandbox.events import Event
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.model import MICROS, Market, Refused, SignedOrder
from betteroms.sandbox.schedule import Schedule

ORDERS: Final = 1_000_000
WALLETS: Final = 100
MARKETS: Final = 20
NO_BYTES: Final = "0x" + "0" * 64
CANCELED_OF_TEN: Final = 3
"""Orders of ten that are canceled some time after they were placed."""
STEP_MS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """`seconds` of processor time were spent in the engine; `resident` bytes were added meanwhile, and `peak`
    is the most the process ever had."""

    orders: int
    trades: int
    seconds: float
    resident: int
    peak: int


class Feed:
    """A venue with rich wallets, and the orders that come to it."""

    def __init__(self, seed: int) -> None:
        self.bank = Bank()
        self.schedule = Schedule()
        self.exchange = Exchange(self.bank, self.schedule, seed, _ignore, 2_000, 6_000)
        self.now_ms = 1_800_000_000_000
        self._random = Random(seed)
        self._count = 0
        self.markets = [_market(number) for number in range(MARKETS)]
        self.wallets = [f"0x{number:040x}" for number in range(1, WALLETS + 1)]
        self._owners = [f"00000000-0000-4000-8000-{number:012d}" for number in range(WALLETS)]
        for market in self.markets:
            self.exchange.add_market(market, self.now_ms)
        for wallet in self.wallets:
            self.bank.dollars[wallet] = 10**9 * MICROS
            self.bank.approve(wallet, addresses.EXCHANGE, UNLIMITED)
            self.bank.set_operator(wallet, addresses.CONDITIONAL_TOKENS, addresses.EXCHANGE, True)
            for market in self.markets:
                self.bank.split(wallet, market.condition_id, market.token_ids, 10**6 * MICROS)

    def signed(self) -> tuple[SignedOrder, str, str]:
        """An order near the middle of its market, its id and its API key."""
        random = self._random
        self._count += 1
        market = self.markets[random.randrange(MARKETS)]
        number = random.randrange(WALLETS)
        buys = random.random() < 0.5
        price = random.randrange(45, 56) * 10_000
        size = random.randrange(500, 5_000) * 10_000
        dollars = price * size // MICROS
        signed = SignedOrder(
            salt=self._count,
            maker=self.wallets[number],
            signer=self.wallets[number],
            token_id=market.token_ids[random.randrange(2)],
            maker_amount=dollars if buys else size,
            taker_amount=size if buys else dollars,
            side=Side.BUY if buys else Side.SELL,
            signature_type=0,
            timestamp=self.now_ms,
            metadata=NO_BYTES,
            builder=NO_BYTES,
            signature="0x",
        )
        return signed, "0x" + sha256(self._count.to_bytes(8)).hexdigest(), self._owners[number]

    def feed(self, orders: int) -> float:
        """Seconds in the engine for so many orders, all finished and all trades confirmed at the end."""
        seconds = 0.0
        exchange, random = self.exchange, self._random
        open_ids: list[str] = []
        for _ in range(orders):
            signed, order_id, owner = self.signed()
            kind = TimeInForce.FAK if signed.side is Side.SELL and random.random() < 0.2 else TimeInForce.GTC
            started = time.process_time()
            self.now_ms += STEP_MS
            self.schedule.run_until(self.now_ms, moment=_no_matter)
            try:
                exchange.place(
                    signed,
                    order_id=order_id,
                    owner=owner,
                    time_in_force=kind,
                    post_only=False,
                    now_ms=self.now_ms,
                )
                if random.random() * 10 < CANCELED_OF_TEN:
                    open_ids.append(order_id)
            except Refused:
                pass
            if len(open_ids) > 1_000:
                exchange.cancel(exchange.orders[open_ids.pop(random.randrange(1_000))], self.now_ms)
            seconds += time.process_time() - started
        started = time.process_time()
        for order in exchange.open_orders():
            exchange.cancel(order, self.now_ms)
        self.schedule.run_until(self.now_ms + 60_000, moment=_no_matter)
        return seconds + time.process_time() - started


def _ignore(_event: Event) -> None:
    """Nobody listens."""


def _no_matter(_moment_ms: int) -> None:
    """Nobody asks for the time."""


def _market(number: int) -> Market:
    return Market(
        condition_id=f"0x{number:064x}",
        question_id=f"0x{number:064x}",
        gamma_id=str(number),
        slug=f"market-{number}",
        question="?",
        token_ids=(f"{10**76 + 2 * number}", f"{10**76 + 2 * number + 1}"),
        outcomes=("Yes", "No"),
        tick=10_000,
        minimum_size=5 * MICROS,
        fee_rate=50_000,
    )


def resident() -> int:
    """Bytes of this process in memory now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def measured(orders: int) -> Cost:
    feed = Feed(1)
    gc.collect()
    before = resident()
    seconds = feed.feed(orders)
    gc.collect()
    return Cost(
        orders=len(feed.exchange.orders),
        trades=len(feed.exchange.trades),
        seconds=seconds,
        resident=resident() - before,
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    cost = measured(parser.parse_args(arguments).orders)
    lines = (
        f"orders finished      {cost.orders:>12,}",
        f"trades               {cost.trades:>12,}",
        f"orders a second      {cost.orders / cost.seconds:>12,.0f}",
        f"bytes an order       {cost.resident / cost.orders:>12,.0f}",
        f"the process at most  {cost.peak / 2**20:>12,.0f} MiB",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
