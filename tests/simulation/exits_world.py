"""Positions that a rule wants to leave, bids too thin to leave at once, and no cap that is not reached.

Two positions have the same rule, one of each outcome, and beside each rest a SELL of a part of it and a BUY.
All rules are triggered by the same pass. It, and those after it, see: bids for a part, the same book again,
nobody, bids for another part, more than is left, and nobody again.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from betteroms import wiring
from betteroms.adapters.exact_json import decode, encode
from betteroms.adapters.polymarket.parse import parse_book, parse_market
from betteroms.domain.book import Book, mirror
from betteroms.domain.ids import BookId, TokenId
from betteroms.domain.market import Market as ParsedMarket
from betteroms.domain.money import MICROS, Price, Usdc
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.jobs.desk import Desk
from betteroms.jobs.maintain import maintain
from betteroms.jobs.trade import PlanFile, trade
from betteroms.ports import Payload, PayloadKind
from betteroms.settings import Settings
from betteroms.sources.plan import read_plan
from tests.simulation.audit_tables import Tables, load
from tests.simulation.month import Act
from tests.simulation.stage import StoppedClock
from tests.simulation.worlds import Market, levels, wish

BEGIN: Final = datetime(2026, 9, 1, 8, tzinfo=UTC)
ENDS: Final = BEGIN + timedelta(hours=4)
SHARES: Final = 100
ASKED: Final = "0.50x300"
NOBODY: Final = ""
CALM: Final = "0.60x500"
LOWER: Final = "0.55x500"
CENT: Final = Usdc(MICROS // 100)
CAPS: Final[Mapping[str, Any]] = {
    "order_notional_max": CENT,
    "run_notional_max": CENT,
    "run_orders_max": 1,
    "day_notional_max": CENT,
    "market_notional_max": CENT,
    "event_loss_max": CENT,
    "open_positions_max": 1,
    "daily_loss_max": CENT,
    "drawdown_max": CENT,
    "spread_max": Price(MICROS // 10),
    "depth_min": Usdc(10**6 * MICROS),
}
"""Every cap there is, each of them reached once the day went badly."""
HELD: Final = ((Market(slug="will-it-rain"), 0), (Market(slug="will-it-snow"), 1))
"""The markets, and which outcome of each is held."""
Change = Callable[[Desk], Desk]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A cause to leave: the rule, and what is bid when it is triggered, later, and at last.

    What is bid at last is far on the other side of the trigger: the exit goes on all the same. `caps` are in
    force from the second pass on.
    """

    cause: str
    rules: Mapping[str, Any]
    first: str
    later: str
    last: str
    caps: Mapping[str, Any] = field(default_factory=lambda: CAPS)


SCENES: Final = (
    Scene(
        cause="STOP_LOSS",
        rules={"stopLossPct": 15, "coolDownMinutes": 60},
        first="0.40x30",
        later="0.39x40",
        last="0.60x500",
    ),
    Scene(
        cause="TAKE_PROFIT",
        rules={"takeProfitPct": 40},
        first="0.80x30 0.74x70",
        later="0.75x40",
        last="0.30x500",
    ),
    Scene(
        cause="TRAILING_STOP",
        rules={"trailingStopPct": 10},
        first="0.50x30",
        later="0.52x40",
        last="0.62x500",
    ),
    Scene(cause="HOLD_MAX", rules={"maxHoldHours": 2}, first="0.55x30", later="0.54x40", last="0.56x500"),
    Scene(
        cause="BEFORE_CLOSE",
        rules={"exitBeforeCloseSec": 7_200},
        first="0.55x30",
        later="0.54x40",
        last="0.56x500",
    ),
)
LEAVING: Final = range(2, 8)
"""The steps at which the position is being left, and one more, at which there is nothing left to do."""
SOLD: Final = {2: 30, 3: 0, 5: 40, 6: 30}
"""How many shares the attempt of each of these steps sells; the others make none."""


def act(step: int) -> Act:
    """Maintenance number so many: twice while all is well, then, hours later, every five minutes."""
    minutes = 5 * (step + 1) if step < LEAVING.start else 120 + 5 * (step - LEAVING.start)
    return Act(step=step, at=BEGIN + timedelta(minutes=minutes), kind="maintain")


def bids(scene: Scene, step: int) -> tuple[str, int]:
    """What is bid at a step for either token, and at which step the book came to be so."""
    told = (CALM, LOWER, scene.first, scene.first, NOBODY, scene.later, scene.last, NOBODY)
    return told[step], 2 if step == 3 else step


class Venue:
    """The two markets at one moment; keeps the promises of `Catalog`, `MarketData` and `Archive`."""

    def __init__(self, told: str, *, asks: str, since: datetime, now: datetime) -> None:
        self._bids, self._asks, self._since, self._now = levels(told), levels(asks), since, now
        self._read: dict[BookId, Payload] = {}

    def markets(self, names: Collection[str]) -> Mapping[str, ParsedMarket]:
        """See `ports.Catalog`."""
        found: dict[str, ParsedMarket] = {}
        for market, _ in HELD:
            for name in {market.slug, market.condition_id} & set(names):
                body = encode({**market.row(), "endDate": f"{ENDS:%Y-%m-%dT%H:%M:%SZ}"})
                found[name] = parse_market(decode(body.decode()), recorded=False, payload=body)
                self._keep(PayloadKind.MARKET, found[name].row_id, found[name].market_id, body)
        return found

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """See `ports.MarketData`; the outcome that is held has the book, the other one its mirror."""
        found: dict[TokenId, Book] = {}
        stamp = int(self._since.timestamp() * 1000)
        for market, outcome in HELD:
            for token in {market.token_id(0), market.token_id(1)} & set(token_ids):
                raw = market.book(outcome, bids=self._bids, asks=self._asks, stamp=stamp)
                body = encode(raw)
                book = parse_book(decode(body.decode()), received_at=self._now, recorded=False, payload=body)
                self._keep(PayloadKind.BOOK, book.book_id, book.token_id, body)
                name = TokenId(token)
                found[name] = book if book.token_id == name else mirror(book, name)
        return found

    def payloads(self) -> Iterable[Payload]:
        """See `ports.Archive`."""
        read, self._read = self._read, {}
        return read.values()

    def _keep(self, kind: PayloadKind, payload_id: BookId | None, subject: str, body: bytes) -> None:
        assert payload_id is not None
        self._read[payload_id] = Payload(payload_id=payload_id, kind=kind, subject=subject, body=body)


@contextmanager
def desk_at(
    url: str,
    nothing: Path,
    *,
    now: datetime,
    told: str,
    asks: str,
    since: datetime | None = None,
    caps: Mapping[str, Any] | None = None,
    wait_seconds: float = 10,
) -> Iterator[Desk]:
    """The command's own desk, but for the clock and the venue. `nothing` is an empty directory."""
    settings = Settings(home=Path("/nonexistent"), database_url=Secret(url), **(caps or {}))
    with wiring.desk(
        settings, Mode.PAPER, name="exits", books=nothing, lock_wait_seconds=wait_seconds
    ) as desk:
        venue = Venue(told, asks=asks, since=since or now, now=now)
        yield replace(desk, clock=StoppedClock(now), catalog=venue, market_data=venue, archive=venue)


@contextmanager
def desk_of(
    scene: Scene,
    step: int,
    url: str,
    nothing: Path,
    *,
    wait_seconds: float = 10,
    later: timedelta = timedelta(),
) -> Iterator[Desk]:
    """The desk of one pass, at its time or somewhat later."""
    told, since = bids(scene, step)
    with desk_at(
        url,
        nothing,
        now=act(step).at + later,
        told=told,
        asks="0.62x500" if step < LEAVING.start else "0.96x500",
        since=act(since).at,
        caps=scene.caps if step else None,
        wait_seconds=wait_seconds,
    ) as desk:
        yield desk


def maintained(
    scene: Scene,
    step: int,
    url: str,
    nothing: Path,
    *,
    change: Change = lambda desk: desk,
    later: timedelta = timedelta(),
) -> dict[str, Any]:
    """Do as `betteroms maintain` does; its result."""
    with desk_of(scene, step, url, nothing, later=later) as given:
        desk = change(given)
        desk.ledger.end_interrupted(act(step).at + later)
        told: dict[str, Any] = maintain(desk)["result"]
    return told


def plan_of(plan_id: str, wishes: Iterable[Mapping[str, Any]]) -> PlanFile:
    """A plan on paper."""
    body = json.dumps({"planId": plan_id, "mode": "paper", "tradeInstructions": list(wishes)}).encode()
    return PlanFile(plan=read_plan(body, f"{plan_id}.json"), name=f"{plan_id}.json", body=body)


def wish_for(market: Market, outcome: int, side: str, price: str, size: int, **more: Any) -> dict[str, Any]:
    """A wish for shares of one of the two outcomes."""
    unit = {"sizeUnit": "SHARES"} if side == "BUY" else {}
    return wish(market, ("YES", "NO")[outcome], side, price, f"{size}", **unit, **more)


def opened(scene: Scene, url: str, nothing: Path) -> None:
    """Buy both positions with the rule, put orders beside them, and let the day go badly for the caps."""
    buys = [wish_for(*held, "BUY", "0.50", SHARES, **scene.rules) for held in HELD]
    beside = [
        wish_for(*held, side, price, size)
        for held in HELD
        for side, price, size in (("SELL", "0.97", 40), ("BUY", "0.05", 50))
    ]
    for minute, (plan_id, wishes) in enumerate((("opens", buys), ("beside", beside))):
        now = BEGIN + timedelta(minutes=minute)
        with desk_at(url, nothing, now=now, told="0.48x500", asks=ASKED) as desk:
            done = trade(desk, plan_of(plan_id, wishes))["result"]
        assert done["totals"]["denied"] == 0, done
    for step in range(LEAVING.start):
        assert maintained(scene, step, url, nothing)["instructions"] == []


def at_step(scene: Scene, step: int, url: str, nothing: Path) -> None:
    """Live without troubles until this pass is due."""
    opened(scene, url, nothing)
    for earlier in range(LEAVING.start, step):
        maintained(scene, earlier, url, nothing)


def tables_of(url: str) -> Tables:
    """Everything in the database now."""
    with psycopg.connect(url, autocommit=True) as connection:
        return load(connection)
