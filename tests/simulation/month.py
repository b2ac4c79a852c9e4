"""The month's script: hundreds of scheduled acts, and what it takes to carry one of them out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psycopg

from betteroms import wiring
from betteroms.adapters.exact_json import decode, encode
from betteroms.adapters.polymarket.parse import parse_book, parse_market
from betteroms.domain.book import Book, mirror
from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.ids import BookId, TokenId
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Usdc
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.jobs.desk import Desk
from betteroms.jobs.maintain import maintain
from betteroms.jobs.run import run
from betteroms.jobs.supply import supply
from betteroms.jobs.trade import scheduled
from betteroms.ports import Clock, FoundPlan, Payload, PayloadKind
from betteroms.settings import Settings
from tests.simulation.month_plans import plans_of
from tests.simulation.month_world import BEGIN, STORIES, Month, Story
from tests.simulation.stage import StoppedClock

BUDGETED: Final = 16
"""The hour of the run that may only tie up so much in all."""
BUDGET: Final = Usdc(90 * MICROS)
DAILY_LOSS_MAX: Final = Usdc(45 * MICROS)
DRAWDOWN_MAX: Final = Usdc(360 * MICROS)
"""On some days nothing more is opened, and at the end of the month nothing at all; exits go on."""
BACK: Final = timedelta(minutes=55)
BACK_EVERY: Final = 29
"""Each time after so many passes of maintenance the machine's clock is found to have been set back."""


@dataclass(frozen=True, kw_only=True)
class Crontab:
    """When in the day things are done, as hours and minutes."""

    run: tuple[int, ...]
    maintain: tuple[tuple[int, int], ...]


CALM: Final = Crontab(run=(0, 8, 16), maintain=((0, 12), (4, 37), (11, 22), (16, 17), (21, 2)))
BUSY: Final = Crontab(
    run=(0, 4, 8, 12, 16, 20),
    maintain=((0, 12), (2, 37), (5, 7), (8, 42), (11, 22), (14, 52), (16, 17), (21, 2)),
)
Change = Callable[[Desk], Desk]


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something cron starts. `step` is its place in the month, and of the world that it sees."""

    step: int
    at: datetime
    kind: str

    @property
    def name(self) -> str:
        """For people: `run 07 12:00`."""
        return f"{self.kind} {self.at:%d %H:%M}"


def script(days: int, crontab: Crontab) -> list[Act]:
    """The acts of so many days, in the order in which they happen."""
    daily = [(hour, 0, "run") for hour in crontab.run] + [(h, m, "maintain") for h, m in crontab.maintain]
    acts: list[Act] = []
    passes = 0
    for day in range(days):
        for hour, minute, kind in sorted(daily):
            at = BEGIN + timedelta(days=day, hours=hour, minutes=minute)
            passes += kind == "maintain"
            if kind == "maintain" and passes % BACK_EVERY == 0:
                at -= BACK
            acts.append(Act(step=len(acts), at=at, kind=kind))
    return acts


@dataclass(frozen=True, kw_only=True)
class Script:
    """A month: its world and what happens in it. Small enough to be told to another process."""

    seed: int
    days: int
    crontab: Crontab

    @cached_property
    def acts(self) -> list[Act]:
        return script(self.days, self.crontab)

    @cached_property
    def month(self) -> Month:
        times = [act.at for act in self.acts]
        return Month(seed=self.seed, length=timedelta(days=self.days), times=times)


class Venue:
    """The month's markets and books at one step; keeps the promises of `Catalog`, `MarketData`, `Archive`."""

    def __init__(self, month: Month, act: Act, clock: Clock) -> None:
        self._month, self._step, self._clock = month, act.step, clock
        self._read: dict[BookId, Payload] = {}
        self._story: dict[str, tuple[Story, int]] = {}
        for story in STORIES:
            market = story.market
            for name in (market.slug, market.condition_id):
                self._story[name] = story, 0
            for outcome in (0, 1):
                self._story[market.token_id(outcome)] = story, outcome

    def markets(self, names: Collection[str]) -> Mapping[str, Market]:
        """See `ports.Catalog`."""
        found: dict[str, Market] = {}
        for name in names:
            if name in self._story:
                raw, body = _as_read(self._month.row(self._story[name][0], self._step))
                found[name] = parse_market(raw, recorded=False, payload=body)
                self._keep(PayloadKind.MARKET, found[name].row_id, found[name].market_id, body)
        return found

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """See `ports.MarketData`. Where only the first outcome has a book, the other's is its mirror."""
        found: dict[TokenId, Book] = {}
        for token in token_ids:
            story, outcome = self._story[token]
            books = self._month.books(story, self._step)
            if not books:
                continue
            raw, body = _as_read(books[min(outcome, len(books) - 1)])
            book = parse_book(raw, received_at=self._clock.now(), recorded=False, payload=body)
            self._keep(PayloadKind.BOOK, book.book_id, book.token_id, body)
            found[token] = book if book.token_id == token else mirror(book, token)
        return found

    def payloads(self) -> Iterable[Payload]:
        """See `ports.Archive`."""
        read, self._read = self._read, {}
        return read.values()

    def _keep(self, kind: PayloadKind, payload_id: BookId | None, subject: str, body: bytes) -> None:
        assert payload_id is not None
        self._read[payload_id] = Payload(payload_id=payload_id, kind=kind, subject=subject, body=body)


def _as_read(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    """A document as it comes over the wire: numbers exact, and the bytes that are kept of it."""
    body = encode(raw)
    return decode(body.decode()), body


class Unreachable:
    """A venue that gives no answer to anybody."""

    def markets(self, names: Collection[str]) -> Mapping[str, Market]:
        raise VenueUnreachable("the venue is out")

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        raise VenueUnreachable("the venue is out")

    def payloads(self) -> Iterable[Payload]:
        return ()


class Files:
    """A place with the plans of one step."""

    name = "plans"

    def __init__(self, files: Sequence[FoundPlan]) -> None:
        self._files = files

    def plans(self) -> Iterable[FoundPlan]:
        """See `ports.PlanPlace`."""
        return self._files


@contextmanager
def month_desk(
    month: Month, act: Act, url: str, nothing: Path, *, wait_seconds: float = 10
) -> Iterator[Desk]:
    """The desk of an act: the command's own, but for the clock and the venue. `nothing` is empty."""
    settings = _settings(url)
    with wiring.desk(
        settings, Mode.PAPER, name=act.kind, books=nothing, lock_wait_seconds=wait_seconds
    ) as desk:
        clock = StoppedClock(act.at)
        venue = Venue(month, act, clock)
        yield replace(desk, clock=clock, catalog=venue, market_data=venue, archive=venue)


def _settings(url: str) -> Settings:
    return Settings(
        home=Path("/nonexistent"),
        database_url=Secret(url),
        daily_loss_max=DAILY_LOSS_MAX,
        drawdown_max=DRAWDOWN_MAX,
    )


def carry_out(
    month: Month, act: Act, url: str, nothing: Path, *, change: Change = lambda desk: desk
) -> dict[str, Any]:
    """Do as the command of this act does; its result."""
    with month_desk(month, act, url, nothing) as given:
        desk = change(given)
        if act.kind == "maintain":
            desk.ledger.end_interrupted(act.at)
            return maintain(desk)
        with wiring.stored_plans(_settings(url), name="run plans") as shelf:
            stored, unfinished = shelf.list(), shelf.unfinished(Mode.PAPER)
        plans = supply([Files(plans_of(month, act.step))], stored, scheduled_at=scheduled(act.at))
        budget = BUDGET if act.at.hour == BUDGETED else None
        return run(desk, plans, unfinished, budget=budget).result


def is_done(act: Act, url: str) -> bool:
    """Whether all of the act is in the ledger: maintenance is the last thing that any of them does there."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT 1 FROM runs WHERE kind = 'maintain' AND status = 'completed' AND now = %s", (act.at,)
        ).fetchone()
    return found is not None
