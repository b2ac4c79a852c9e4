"""A little life on paper, by the real commands: fills that come late, exits, an ending, a second attempt."""

import json
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

from tests.cli.conftest import Ran
from tests.cli.worlds import RAIN, SNOW, instruction, write_plan
from tests.simulation.worlds import MORNING_MS, Levels

Cli = Callable[..., Ran]
HOUR_MS = 3_600_000
THIN: Levels = [("0.40", "200"), ("0.38", "500")]


class Life:
    """Somebody's paper account over recorded books that are written anew for each step."""

    def __init__(self, cli: Cli, directory: Path) -> None:
        self.cli = cli
        self.books = directory / "books"
        self.books.mkdir()
        self._directory = directory
        self._stamp = MORNING_MS
        self._rows = {market.slug: market.row() for market in (RAIN, SNOW)}
        self.show(RAIN, bids=THIN, asks=[("0.42", "300"), ("0.44", "1000")])

    def show(self, market: Any, *, bids: Levels, asks: Levels, last_trade: str = "0.500") -> None:
        """The market's first outcome has this book from now on, and the other one its mirror."""
        self._stamp += HOUR_MS
        book = market.book(0, bids=bids, asks=asks, stamp=self._stamp, last_trade=last_trade)
        (self.books / f"{market.slug}.json").write_text(json.dumps([book]))
        self._write_rows()

    def row(self, market: Any, **changed: Any) -> None:
        """The market's row says this from now on."""
        self._rows[market.slug] |= changed
        self._write_rows()

    def _write_rows(self) -> None:
        (self.books / "markets.json").write_text(json.dumps(list(self._rows.values())))

    def trade(self, plan_id: str, *instructions: dict[str, Any]) -> Ran:
        """Trade a plan of these instructions."""
        plan = write_plan(self._directory / f"{plan_id}.json", *instructions, planId=plan_id)
        return self.cli("trade", str(plan), "--books", str(self.books))

    def maintain(self, **environment: str) -> dict[str, Any]:
        """Maintain; what it came to."""
        ran = self.cli("maintain", "--books", str(self.books), "--json", **environment)
        assert ran.code == 0, ran.err
        result: dict[str, Any] = ran.document["result"]
        return result


def lived(cli: Cli, directory: Path) -> Life:
    """Everything that can happen to a paper account, in a dozen runs."""
    life = Life(cli, directory)
    life.show(SNOW, bids=[("0.30", "50")], asks=[("0.33", "60"), ("0.35", "400")])
    first = life.trade(
        "morning",
        instruction(size=100, stopLossPct=20),
        instruction(price=0.40, size=200),
        instruction(outcome="NO", price=0.5, size=50, cancelAfterSec=1),
        instruction(SNOW, price=0.35, size=60, timeInForce="FAK"),
        instruction(SNOW, price=0.31, size=60),
        instruction(SNOW, side="SELL", price=0.5, size=500),
    )
    assert first.code == 5, first.err
    sleep(1)  # what was to rest for a second is over, whenever the next run comes
    # A newer book crosses what rests: a part of it fills.
    life.show(RAIN, bids=[("0.37", "500")], asks=[("0.39", "150"), ("0.40", "100"), ("0.45", "900")])
    assert life.maintain()["settled"]
    # Bids fall through the stop, and are too thin for the whole position: two attempts.
    life.show(RAIN, bids=[("0.30", "100"), ("0.29", "40")], asks=[("0.41", "500")])
    assert life.maintain()["instructions"]
    life.show(RAIN, bids=[("0.31", "900")], asks=[("0.41", "500")])
    life.maintain()
    # A plan fails while the venue is away, and is taken up again.
    evening = write_plan(directory / "evening.json", instruction(SNOW, price=0.36, size=50), planId="evening")
    nobody = "http://127.0.0.1:9"
    failed = cli(
        "trade",
        str(evening),
        BETTEROMS_CLOB_URL=nobody,
        BETTEROMS_GAMMA_URL=nobody,
        BETTEROMS_HTTP_ATTEMPTS="1",
    )
    assert failed.code == 6, failed.err
    again = cli("trade", str(evening), "--books", str(life.books))
    assert again.code == 0, again.err
    # Snow ends and pays; a plan over it is refused.
    life.row(
        SNOW,
        closed=True,
        acceptingOrders=False,
        umaResolutionStatus="resolved",
        outcomePrices='["1", "0"]',
    )
    assert life.maintain()["settlements"]
    life.trade("too-late", instruction(SNOW, price=0.36, size=50))
    plans = directory / "plans"
    plans.mkdir()
    write_plan(plans / "hourly.json", instruction(price=0.45, size=30), planId="hourly-{date}{hour}")
    write_plan(plans / "second.json", instruction(price=0.45, size=900), planId="second-{date}", priority=200)
    (plans / "wrong.json").write_text("{")
    scheduled = cli("run", "--plans", str(plans), "--books", str(life.books), "--budget", "500")
    assert scheduled.code == 5, scheduled.err
    assert cli("rules", "set", RAIN.slug, "YES", "--max-hold-hours", "1").code == 0
    life.maintain(BETTEROMS_PAPER_CASH="500")
    return life
