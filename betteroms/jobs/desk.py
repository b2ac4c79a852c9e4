"""What a job works with: everything of the outside world, handed over by the composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import Usdc
from betteroms.domain.risk import Limits
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode, SellFrom
from betteroms.jobs.herald import SILENT, Herald
from betteroms.pipeline import World
from betteroms.ports import Archive, Catalog, Clock, Executor, Ledger, MarketData, Snapshot
from betteroms.ports.trading import Standing, Switch, Venue

MakeExecutor = Callable[[World, LiquidityMemory, datetime, Snapshot], Executor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The venue as a member sees it: what only live trading has.

    `wallet` is the address that holds the money, `contract` tells which one settles a market's orders.
    `newly_proven` are the signing domains that executors of this desk proved since the last call, and
    `known_until` is the time of the last poll after which the ledger knew all orders of our key; None where
    nothing was ever done in live. `ledger_wallet` tells whose live books the ledger holds, None before the
    first poll.
    """

    venue: Venue
    standing: Standing
    wallet: str
    contract: Callable[[Market], str]
    newly_proven: Callable[[], Sequence[Proven]]
    known_until: Callable[[], datetime | None]
    ledger_wallet: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One mode's ports and settings.

    `executor` makes the one that carries orders out in a frozen world, at a given time, after a look at the
    ledger; `rehearsal` the one that stands in for it where all is thrown away, if it is another. `scratch`
    makes a throw-away ledger that starts from a snapshot. `settings` are those in force, JSON-ready, no
    secrets. `opening_cash` is what the wallet starts with: on paper a setting, in live what the venue says
    that it holds. `notes` tells what the venue has to say to a person so far: answers that took several
    attempts, files or rows that could not be read. `herald` tells of runs as they go; `unexpected` is told of
    a mistake of ours that one plan ran into. `restated` tells the settings as they would be in force under
    other caps. `sell_from` says how far the settlement of shares must have come before they are sold.
    `switch` is the live switch, `member` the venue as a member sees it: only a live desk has that. `sibling`
    is the desk of another mode over the same ledger, open for as long as this one. `insist` raises where a
    key that the mode needs is missing.
    """

    mode: Mode
    ledger: Ledger
    scratch: Callable[[Snapshot], Ledger]
    catalog: Catalog
    market_data: MarketData
    archive: Archive
    clock: Clock
    executor: MakeExecutor
    limits: Limits
    settings: Mapping[str, str]
    opening_cash: Usdc
    engine_version: str
    restated: Callable[[Limits], Mapping[str, str]]
    show: Callable[[str], None] = lambda _: None
    notes: Callable[[], Sequence[str]] = tuple
    herald: Herald = SILENT
    unexpected: Callable[[BaseException], None] = lambda _: None
    sell_from: SellFrom = SellFrom.MINED
    rehearsal: MakeExecutor | None = None
    switch: Switch | None = None
    member: Member | None = None
    sibling: "Callable[[Mode], Desk] | None" = None
    insist: Callable[[], object] = lambda: None

    def limited(self, limits: Limits) -> "Desk":
        """The same desk with other caps, which its runs tell as theirs."""
        return replace(self, limits=limits, settings=self.restated(limits))

    def rehearsing(self) -> "Desk":
        """The same desk with paper's executor, for what is thrown away: nothing is signed or sent."""
        if self.rehearsal is None:
            return self
        return replace(self, executor=self.rehearsal, rehearsal=None, member=None)
