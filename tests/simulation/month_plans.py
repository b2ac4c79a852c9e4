"""The plans of the month: files of an operator who writes today's prices into them.

A file's planId has the braces of its period, and its content follows from the step at which the period began,
so that it is the same whenever it is read within the period.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from betteroms.ports import FoundPlan
from tests.simulation.month_world import MICROS, STORIES, Month, Story, price_text, ticks_of

BY_SLUG: Final = {story.market.slug: story for story in STORIES}
LIVELY: Final = ("will-it-rain", "will-it-snow", "will-it-hail", "does-it-fall", "does-it-rise")
ENDING: Final = ("team-one-wins", "fog-by-friday", "a-draw", "told-late", "an-appeal", "only-closed")
RACE: Final = ("anna-wins", "bert-wins", "carl-wins")
EXITS: Final[dict[str, dict[str, Any]]] = {
    "does-it-fall": {"stopLossPct": 9, "coolDownMinutes": 600},
    "does-it-rise": {"takeProfitPct": 8, "stopLossPct": 35},
    "will-it-rain": {"trailingStopPct": 7, "maxDailyTrades": 9},
    "will-it-snow": {"maxHoldHours": "30.017"},
    "will-it-hail": {"takeProfitPrice": "0.82", "stopPrice": "0.31"},
    "only-closed": {"exitBeforeCloseSec": 54_321},
}
"""Which rules guard what the plan of the day buys; the lifetimes never end at a step of the month."""
Wish = dict[str, Any]


def plans_of(month: Month, step: int) -> list[FoundPlan]:
    """The files that lie there at this step of the month."""
    day = month.times[step].replace(hour=0, minute=0)
    morning = next(n for n, at in enumerate(month.times) if at >= day)
    files: dict[str, tuple[list[Wish], dict[str, Any]]] = {
        "once.json": (_once(month), {"planId": "once", "priority": 5}),
        "exits.json": (_guarded(month, morning), {"planId": "exits-{date}", "priority": 20}),
        "race.json": (
            _race(month, morning),
            {"planId": "race-{date}", "priority": 30, "limits": {"maxEventLossUSD": 150}},
        ),
        "rest.json": (_resting(month, morning), {"planId": "rest-{date}", "priority": 40}),
        "hour.json": (_hourly(month, step), {"planId": "hour-{date}-{hour}", "priority": 50}),
        "capped.json": (
            _hourly(month, step, salt="capped"),
            {
                "planId": "capped-{date}-{hour}",
                "limits": {"maxOrderNotionalUSD": 12, "maxMarketNotionalUSD": 300, "maxDayNotionalUSD": 400},
                "defaults": {"maxOrders": 4, "maxNotionalUSD": 30},
            },
        ),
        "off.json": (_once(month), {"planId": "off-{date}", "active": False}),
    }
    return [_file(name, wishes, head) for name, (wishes, head) in sorted(files.items())]


def _file(name: str, wishes: list[Wish], head: dict[str, Any]) -> FoundPlan:
    document = {"mode": "paper", **head, "tradeInstructions": wishes}
    return FoundPlan(name=f"plans/{name}", file=name, body=json.dumps(document, indent=1).encode())


def _wish(month: Month, story: Story, step: int, side: str, offset: int, size: str, **more: Any) -> Wish:
    """At a price so many steps (of a hundredth of the way) from the mid, seen from the first outcome."""
    ticks = ticks_of(story)
    scale = max(1, ticks // 200)
    price = min(max(month.mid(story, step) + offset * scale, 1), ticks - 1)
    if more.setdefault("outcome", "YES") == "NO":
        price = ticks - price
    priced = {} if more.get("type") == "MARKET" else {"price": price_text(price * MICROS // ticks)}
    return {"marketId": story.market.slug, "side": side, **priced, "size": size, **more}


def _once(month: Month) -> list[Wish]:
    wishes = [
        _wish(month, BY_SLUG[slug], 0, "BUY", 6, "40", timeInForce="FAK") for slug in (*LIVELY, *ENDING)
    ]
    return [*wishes, _wish(month, BY_SLUG["only-closed"], 0, "BUY", -9, "15", ref="stays")]


def _guarded(month: Month, step: int) -> list[Wish]:
    """Buys with exit rules of each kind."""
    return [
        _wish(month, BY_SLUG[slug], step, "BUY", 4, "18", sizeUnit="SHARES", **rules)
        for slug, rules in EXITS.items()
    ]


def _race(month: Month, step: int) -> list[Wish]:
    """Both sides of markets of which only one can come true."""
    chance = Random(f"{month.seed} race {step}")
    return [
        _wish(
            month,
            BY_SLUG[slug],
            step,
            "BUY",
            chance.randint(-4, 5),
            f"{chance.randint(6, 20)}",
            outcome=chance.choice(("YES", "YES", "NO")),
            cancelAfterSec=50_123,
        )
        for slug in RACE
    ]


def _resting(month: Month, step: int) -> list[Wish]:
    """Several buys at one price, and others behind and before them; sells of what is there."""
    wishes: list[Wish] = []
    for number, slug in enumerate((*LIVELY, *ENDING)):
        chance = Random(f"{month.seed} rest {slug} {step}")
        below = -chance.randint(2, 6)
        for offset in (below, below, below - 2, below):
            life = chance.choice((7_321, 40_123, 180_321))
            time = {"timeInForce": "GTD"} if chance.random() < 0.5 else {}
            size = f"{chance.randint(600, 1_900)}e-2"
            wishes.append(
                _wish(month, BY_SLUG[slug], step, "BUY", offset, size, cancelAfterSec=life, **time)
                | ({"sizeUnit": "SHARES"} if number % 2 else {})
            )
        wishes.append(_wish(month, BY_SLUG[slug], step, "SELL", chance.randint(3, 9), "7.5"))
    return wishes


def _hourly(month: Month, step: int, *, salt: str = "hour") -> list[Wish]:
    chance = Random(f"{month.seed} {salt} {step}")
    return list(_by_chance(month, step, chance))


def _by_chance(month: Month, step: int, chance: Random) -> Iterator[Wish]:
    for _ in range(chance.randint(2, 5)):
        story = BY_SLUG[chance.choice((*LIVELY, *LIVELY, *ENDING, *RACE))]
        side = chance.choice(("BUY", "BUY", "SELL"))
        time = chance.choice(("GTC", "GTC", "GTD", "FAK", "FOK", "MARKET"))
        more: Wish = {"outcome": chance.choice(("YES", "YES", "NO"))}
        if time == "MARKET":
            more["type"] = "MARKET"
        else:
            more["timeInForce"] = time
        if time == "GTD":
            more["cancelAfterSec"] = chance.choice((3_721, 30_321))
        elif time == "GTC" and chance.random() < 0.7:
            more["cancelAfterSec"] = chance.choice((9_321, 100_321))
        size = f"{chance.randint(500, 1_500)}e-2" if side == "SELL" else f"{chance.randint(4, 16)}"
        yield _wish(month, story, step, side, chance.randint(-5, 5), size, **more)
