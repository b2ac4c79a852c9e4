"""Small worlds on disk: plans, and the books they meet, as the venue would send them.

A world has a morning, which leaves positions and resting orders behind, and an evening with newer books,
which is what the tests kill. Everything that happens to an order happens in the evening of `usual`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from random import Random
from typing import Any

MORNING_MS = 1_795_176_000_000
"""The venue's stamp of the morning's books, in milliseconds since 1970."""
EVENING_MS = MORNING_MS + 8 * 3_600_000
Levels = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Act:
    """A plan and the directory of the books it is carried out on."""

    plan: Path
    books: Path


@dataclass(frozen=True, kw_only=True)
class Market:
    """An invented market; what is not said here is as usual at the venue."""

    slug: str
    tick: str = "0.01"
    rate: float | None = 0.05
    closed: bool = False

    @property
    def condition_id(self) -> str:
        return "0x" + sha256(self.slug.encode()).hexdigest()

    def token_id(self, outcome: int) -> str:
        return str(int.from_bytes(sha256(f"{self.slug} {outcome}".encode()).digest()) | 1 << 255)

    def row(self) -> dict[str, Any]:
        """As Gamma sends it."""
        row: dict[str, Any] = {
            "id": str(int(self.condition_id[2:8], 16)),
            "question": f"{self.slug.replace('-', ' ').capitalize()}?",
            "conditionId": self.condition_id,
            "slug": self.slug,
            "endDate": "2036-01-01T00:00:00Z",
            "outcomes": json.dumps(["Yes", "No"]),
            "clobTokenIds": json.dumps([self.token_id(0), self.token_id(1)]),
            "active": True,
            "closed": self.closed,
            "acceptingOrders": not self.closed,
            "enableOrderBook": True,
            "orderPriceMinTickSize": float(self.tick),
            "orderMinSize": 5,
            "negRisk": False,
            "feesEnabled": self.rate is not None,
        }
        if self.rate is not None:
            row["feeSchedule"] = {"exponent": 1, "rate": self.rate, "takerOnly": True, "rebateRate": 0.25}
        return row

    def book(
        self, outcome: int, *, bids: Levels, asks: Levels, stamp: int, last_trade: str = "0.500"
    ) -> dict[str, Any]:
        """As the CLOB sends it: best level last on both sides, and a hash over the whole."""
        book: dict[str, Any] = {
            "market": self.condition_id,
            "asset_id": self.token_id(outcome),
            "timestamp": str(stamp),
            "hash": "",
            "bids": [{"price": price, "size": size} for price, size in sorted(bids)],
            "asks": [{"price": price, "size": size} for price, size in sorted(asks, reverse=True)],
            "min_order_size": "5",
            "tick_size": self.tick,
            "neg_risk": False,
            "last_trade_price": last_trade,
        }
        return {**book, "hash": sha1(json.dumps(book, separators=(",", ":")).encode()).hexdigest()}


RAIN = Market(slug="will-it-rain")
SNOW = Market(slug="will-it-snow", tick="0.001", rate=0.07)
HAIL = Market(slug="will-it-hail", rate=None)
THAW = Market(slug="will-it-thaw", tick="0.001", rate=0.07)
OVER = Market(slug="was-it-foggy", closed=True)


def levels(text: str) -> Levels:
    """`"0.50x100 0.52x80"` as levels."""
    return [(price, size) for price, _, size in (level.partition("x") for level in text.split())]


def mirrored(quotes: Levels) -> Levels:
    """The same levels as the complement's traders see them."""
    return [(f"{(1_000 - round(1_000 * float(price))) / 1_000:g}", size) for price, size in quotes]


def write_books(directory: Path, markets: Iterable[Market], books: Iterable[dict[str, Any]]) -> Path:
    """A directory for --books: each market's row and, where it has any, its books."""
    directory.mkdir(parents=True)
    told = list(books)
    for market in markets:
        (directory / f"{market.slug}.market.json").write_text(json.dumps(market.row()))
        own = [book for book in told if book["market"] == market.condition_id]
        if own:
            (directory / f"{market.slug}.books.json").write_text(json.dumps(own))
    return directory


def write_plan(path: Path, plan_id: str, instructions: Sequence[dict[str, Any]], **more: Any) -> Path:
    document = {"planId": plan_id, "mode": "paper", **more, "tradeInstructions": list(instructions)}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def wish(
    market: Market, outcome: str, side: str, price: str | None, size: str, **more: Any
) -> dict[str, Any]:
    """One instruction; numbers are text, so that they are written exactly."""
    priced = {} if price is None else {"price": price}
    return {"marketId": market.slug, "outcome": outcome, "side": side, **priced, "size": size, **more}


def morning(directory: Path) -> Act:
    """Buys that fill, and four orders that stay: one to be filled, two to run out, one to go on resting."""
    stamp = MORNING_MS
    rain = levels("0.44x300 0.45x200 0.46x100"), levels("0.50x100 0.52x80 0.55x500")
    snow = levels("0.201x150 0.210x90.5"), levels("0.214x40 0.220x300 0.221x1000")
    hail = levels("0.30x1000"), levels("0.33x75.25 0.35x1000")
    thaw = levels("0.30x100"), levels("0.40x100 0.41x30")
    books = [
        RAIN.book(0, bids=rain[0], asks=rain[1], stamp=stamp),
        RAIN.book(1, bids=mirrored(rain[1]), asks=mirrored(rain[0]), stamp=stamp + 1),
        SNOW.book(1, bids=snow[0], asks=snow[1], stamp=stamp + 2),
        HAIL.book(0, bids=hail[0], asks=hail[1], stamp=stamp + 3),
        THAW.book(0, bids=thaw[0], asks=thaw[1], stamp=stamp + 4),
    ]
    instructions = [
        wish(RAIN, "YES", "BUY", "0.52", "120", sizeUnit="SHARES"),
        wish(SNOW, "NO", "BUY", "0.22", "60", timeInForce="FAK"),
        wish(HAIL, "Yes", "BUY", "0.34", "75.25", sizeUnit="SHARES", timeInForce="IOC"),
        wish(RAIN, "YES", "BUY", "0.47", "200", sizeUnit="SHARES", ref="is-met"),
        wish(HAIL, "YES", "BUY", "0.20", "30", cancelAfterSec=3600),
        wish(SNOW, "NO", "BUY", "0.15", "40", timeInForce="GTD", goodForSeconds=7200),
        wish(SNOW, "YES", "BUY", "0.70", "10", ref="rests-on"),
        wish(THAW, "YES", "BUY", "0.41", "120", sizeUnit="SHARES"),
    ]
    plan = write_plan(directory / "morning.json", "morning", instructions)
    return Act(plan=plan, books=write_books(directory / "morning", (RAIN, SNOW, HAIL, THAW), books))


def evening(directory: Path, *, plan_id: str = "evening") -> Act:
    """Every kind of order over newer books, which also meet or outlive what the morning left."""
    stamp = EVENING_MS
    rain = levels("0.43x120 0.44x60"), levels("0.47x150 0.48x90 0.50x40 0.52x10")
    snow = levels("0.230x400 0.241x30"), levels("0.245x55.5 0.247x20 0.250x900")
    books = [
        RAIN.book(0, bids=rain[0], asks=rain[1], stamp=stamp),
        RAIN.book(1, bids=mirrored(rain[1]), asks=mirrored(rain[0]), stamp=stamp),
        SNOW.book(1, bids=snow[0], asks=snow[1], stamp=stamp + 5),
        HAIL.book(0, bids=levels(""), asks=levels("0.33x60 0.36x12.5"), stamp=stamp + 9),
        THAW.book(0, bids=levels("0.431x40 0.430x60"), asks=levels("0.47x150"), stamp=stamp + 11),
    ]
    instructions = [
        wish(RAIN, "YES", "BUY", "0.50", "30", ref="first", notes="Tab\there, \\ and\na line; größer ≥ 1 €"),
        wish(THAW, "YES", "SELL", "0.43", "50"),
        wish(RAIN, "YES", "SELL", "0.60", "40", timeInForce="GTC"),
        wish(THAW, "NO", "BUY", "0.60", "25", sizeUnit="SHARES"),
        wish(SNOW, "NO", "BUY", None, "20", type="MARKET", priceCeil="0.3"),
        wish(SNOW, "YES", "BUY", "0.765", "60", timeInForce="FAK"),
        wish(HAIL, "YES", "BUY", "0.33", "100", timeInForce="FOK"),
        wish(HAIL, "YES", "BUY", "0.36", "10", postOnly=True),
        wish(HAIL, "YES", "BUY", "0.21", "10", postOnly=True, stopLossPct=20),
        wish(RAIN, "YES", "BUY", "0.40", "900000"),
        wish(HAIL, "NO", "SELL", "0.10", "50"),
        wish(OVER, "YES", "BUY", "0.50", "10"),
        wish(RAIN, "YES", "BUY", "0.41", "0.5"),
        wish(SNOW, "NO", "BUY", "0.2345", "15", timeInForce="GTD", cancelAfterSec=7200),
        wish(SNOW, "NO", "SELL", "0.24", "100.5", timeInForce="FAK"),
    ]
    plan = write_plan(directory / f"{plan_id}.json", plan_id, instructions)
    return Act(plan=plan, books=write_books(directory / plan_id, (RAIN, SNOW, HAIL, THAW, OVER), books))


def many(directory: Path, count: int, *, plan_id: str) -> Act:
    """So many small buys that each fill, several at each level of a deep book, and a few that are refused."""
    deep = [(f"{price / 1_000:.3f}", "47.5") for price in range(200, 600)]
    book = THAW.book(0, bids=levels("0.100x50"), asks=deep, stamp=EVENING_MS)
    wishes = [
        wish(THAW, "YES", "BUY", "0.6", f"{500 + line % 40}e-2", sizeUnit="SHARES", ref=f"line-{line}")
        if line % 50
        else wish(OVER, "NO", "BUY", "0.5", "10", notes="refused")
        for line in range(count)
    ]
    plan = write_plan(directory / f"{plan_id}.json", plan_id, wishes)
    return Act(plan=plan, books=write_books(directory / plan_id, (THAW, OVER), [book]))


def by_chance(directory: Path, chance: Random, *, plan_id: str, stamp: int, size: int = 40) -> Act:
    """A plan over random books of three markets; the same chance gives the same bytes."""
    books = []
    for market in (RAIN, SNOW, HAIL):
        mid = chance.randrange(200, 800, 10)
        sides = [_side(chance, mid, sign) for sign in (-1, 1)]
        outcome = chance.randrange(2)
        books.append(
            market.book(outcome, bids=sides[0], asks=sides[1], stamp=stamp + chance.randrange(9_000))
        )
    path = write_plan(directory / f"{plan_id}.json", plan_id, wishes_by_chance(chance, size))
    return Act(plan=path, books=write_books(directory / plan_id, (RAIN, SNOW, HAIL, OVER), books))


def wishes_by_chance(chance: Random, size: int) -> list[dict[str, Any]]:
    return [_wish_by_chance(chance) for _ in range(size)]


def _side(chance: Random, mid: int, sign: int) -> Levels:
    prices = {mid + sign * 10 * chance.randint(1, 12) for _ in range(chance.randrange(8))}
    return [
        (f"{price / 1_000:g}", f"{chance.randint(100, 40_000) / 100:g}")
        for price in sorted(prices)
        if 0 < price < 1_000
    ]


def _wish_by_chance(chance: Random) -> dict[str, Any]:
    market = chance.choice((RAIN, RAIN, SNOW, SNOW, HAIL, HAIL, OVER))
    side = chance.choice(("BUY", "BUY", "SELL"))
    time = chance.choice(("GTC", "GTC", "FAK", "FOK", "GTD"))
    more: dict[str, Any] = {"timeInForce": time}
    if time == "GTD":
        more["cancelAfterSec"] = chance.choice((7_200, 20_000, 200_000))
    elif time == "GTC" and chance.random() < 0.2:
        more["postOnly"] = True
    if side == "BUY" and chance.random() < 0.5:
        more["sizeUnit"] = "SHARES"
    price = f"{chance.randrange(50, 950, 10) / 1_000:g}"
    size = f"{chance.randint(1, 15_000) / 100:g}"
    return wish(market, chance.choice(("YES", "NO")), side, price, size, **more)
