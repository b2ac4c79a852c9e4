"""A month of an invented venue: markets that move, end, pay and are corrected, as wire-shaped JSON.

Everything follows from a seed and the number of the step: nothing depends on who asked before, so that a
process that starts in the middle of the month sees what any other would.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any, Final

from tests.simulation.worlds import Levels, Market

BEGIN: Final = datetime(2026, 9, 1, tzinfo=UTC)
MICROS: Final = 10**6
STILL: Final = 0.4
"""How often a book does not change from one step to the next."""
Book = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What becomes of one market. Days count from the month's begin, as fractions of its length.

    `starts` is the mid of its first book, `drift` where it tends to, in ticks. `paid` are payouts told from
    some day on, the latest counts; `told_late` says that at first the final prices are missing.
    """

    market: Market
    starts: int
    drift: int = 0
    group: str | None = None
    event: str | None = None
    game_at: float | None = None
    closed_at: float | None = None
    resolved_at: float | None = None
    told_late: bool = False
    paid: tuple[tuple[float, tuple[str, str]], ...] = ()
    one_sided: bool = False


def _story(slug: str, starts: int, *, tick: str = "0.01", rate: float | None = 0.05, **more: Any) -> Story:
    return Story(market=Market(slug=slug, tick=tick, rate=rate), starts=starts, **more)


_RACE: Final[dict[str, Any]] = {
    "group": "0x" + "ab" * 32,
    "event": "who-wins",
    "closed_at": 0.72,
    "resolved_at": 0.73,
}
STORIES: Final = (
    _story("will-it-rain", 45),
    _story("will-it-snow", 300, tick="0.001", rate=0.07),
    _story("will-it-hail", 60, rate=None, one_sided=True),
    _story("does-it-fall", 80, drift=-1),
    _story("does-it-rise", 30, drift=1),
    _story("anna-wins", 40, paid=((0.73, ("1", "0")),), **_RACE),
    _story("bert-wins", 30, paid=((0.73, ("0", "1")),), **_RACE),
    _story("carl-wins", 20, paid=((0.73, ("0", "1")),), **_RACE),
    _story(
        "team-one-wins",
        55,
        game_at=0.33,
        closed_at=0.36,
        resolved_at=0.38,
        paid=((0.38, ("0", "1")),),
    ),
    _story("fog-by-friday", 65, closed_at=0.22, resolved_at=0.24, paid=((0.24, ("1", "0")),)),
    _story("a-draw", 50, tick="0.001", closed_at=0.5, resolved_at=0.5, paid=((0.5, ("0.5", "0.5")),)),
    _story("told-late", 35, closed_at=0.4, resolved_at=0.43, told_late=True, paid=((0.55, ("0", "1")),)),
    _story(
        "an-appeal",
        70,
        closed_at=0.6,
        resolved_at=0.62,
        paid=((0.62, ("1", "0")), (0.68, ("0", "1"))),
    ),
    _story("only-closed", 25, closed_at=0.8),
)


@dataclass(frozen=True, kw_only=True)
class Month:
    """The world at each of its steps, whose times are handed in; they may go back, as clocks do."""

    seed: int
    length: timedelta
    times: Sequence[datetime]
    _books: dict[tuple[str, int], list[Book]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def mids(self) -> dict[str, list[tuple[int, int]]]:
        """For each market its mid in ticks at each step, and the step at which its book last changed."""
        return {story.market.slug: self._walk(story) for story in STORIES}

    def _walk(self, story: Story) -> list[tuple[int, int]]:
        chance = Random(f"{self.seed} {story.market.slug}")
        ticks, mid, changed = ticks_of(story), story.starts, 0
        scale, drift = max(1, ticks // 200), story.drift
        path: list[tuple[int, int]] = []
        for step in range(len(self.times)):
            if step == 0 or chance.random() > STILL:
                mid += scale * chance.choice((-2, -1, -1, 0, 1, 1, 2))
                mid += scale * drift * (chance.random() < 0.3)
                if not 8 * scale < mid < ticks - 8 * scale:
                    drift = -drift
                    mid = min(max(mid, 8 * scale), ticks - 8 * scale)
                changed = step
            path.append((mid, changed))
        return path

    def day(self, share: float) -> datetime:
        """The moment so far into the month."""
        return BEGIN + self.length * share

    def mid(self, story: Story, step: int) -> int:
        return self.mids[story.market.slug][step][0]

    def row(self, story: Story, step: int) -> dict[str, Any]:
        """The market's row, as Gamma sends it at this step."""
        now, market = self.times[step], story.market
        closed = story.closed_at is not None and now >= self.day(story.closed_at)
        resolved = story.resolved_at is not None and now >= self.day(story.resolved_at)
        row = market.row() | {
            "closed": closed,
            "acceptingOrders": not closed,
            "endDate": f"{self.day(story.closed_at or 1.5):%Y-%m-%dT%H:%M:%SZ}",
        }
        if story.group:
            row |= {"negRisk": True, "negRiskMarketID": story.group, "events": [{"slug": story.event}]}
        if story.game_at:
            row["gameStartTime"] = f"{self.day(story.game_at):%Y-%m-%d %H:%M:%S}+00"
        if resolved:
            row["umaResolutionStatus"] = "resolved"
            told = [prices for share, prices in story.paid if now >= self.day(share)]
            row["outcomePrices"] = json.dumps(told[-1] if told else ["0.85", "0.15"])
            if story.told_late and not told:
                row["winners"] = None
            elif told and told[-1] == ("0.5", "0.5"):
                row["winners"] = [{"token_id": market.token_id(n), "winner": False} for n in (0, 1)]
        return row

    def books(self, story: Story, step: int) -> list[Book]:
        """The market's books as the CLOB sends them at this step: of both outcomes, of one, or of none."""
        mid, changed = self.mids[story.market.slug][step]
        key = (story.market.slug, changed)
        if key not in self._books:
            self._books[key] = self._made(story, mid, changed)
        return self._books[key]

    def _made(self, story: Story, mid: int, changed: int) -> list[Book]:
        chance = Random(f"{self.seed} {story.market.slug} {changed}")
        how = chance.random()
        if how < 0.03:
            return []
        bids, asks = _sides(chance, mid, how, scale=max(1, ticks_of(story) // 200))
        stamp = int(self.times[changed].timestamp() * 1000) - chance.randrange(1_000, 40_000)
        trade = mid + chance.choice((-2, -1, 0, 1, 2))
        ticks = ticks_of(story)
        flipped = [{ticks - price: size for price, size in side.items()} for side in (asks, bids)]
        seen = ((bids, asks, trade), (flipped[0], flipped[1], ticks - trade))
        return [
            story.market.book(
                outcome,
                bids=_levels(own_bids, ticks),
                asks=_levels(own_asks, ticks),
                stamp=stamp,
                last_trade=price_text(last * MICROS // ticks),
            )
            for outcome, (own_bids, own_asks, last) in enumerate(seen)
            if outcome == 0 or not story.one_sided
        ]


def ticks_of(story: Story) -> int:
    """How many price steps there are to a dollar."""
    return 1_000 if story.market.tick == "0.001" else 100


def _sides(chance: Random, mid: int, how: float, *, scale: int) -> tuple[dict[int, int], dict[int, int]]:
    """Bids and asks, price in ticks to hundredths of a share."""
    near = chance.randint(1, 2) if how > 0.2 else chance.randint(4, 9)
    sides: list[dict[int, int]] = []
    for sign in (-1, 1):
        price, side = mid + sign * near * scale, {}
        for _ in range(chance.randint(2, 6)):
            side[price] = (
                chance.randint(100, 3_000) if chance.random() < 0.3 else chance.randint(2_000, 40_000)
            )
            price += sign * chance.randint(1, 3) * scale
        sides.append({at: size for at, size in side.items() if at > 0})
    bids, asks = sides
    if how < 0.06:
        bids, asks = {}, {}
    elif how < 0.09:
        asks = {}
    elif how < 0.12:
        bids = {}
    elif how < 0.14:
        bids, asks = {max(asks) + 1: 5_000, **bids}, asks  # crossed
    return bids, asks


def _levels(side: dict[int, int], ticks: int) -> Levels:
    return [
        (price_text(price * MICROS // ticks), f"{size // 100}.{size % 100:02d}")
        for price, size in side.items()
        if 0 < price < ticks
    ]


def price_text(price: int) -> str:
    """Millionths as the venue writes a price."""
    return f"0.{price:06d}".rstrip("0") if 0 < price < MICROS else ""
