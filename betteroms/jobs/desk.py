"""What a job works with: everything of the outside world, handed over by the composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.money import Usdc
from betteroms.domain.risk import Limits
from betteroms.domain.terms import Mode
from betteroms.jobs.herald import SILENT, Herald
from betteroms.pipeline import World
from betteroms.ports import Archive, Catalog, Clock, Executor, Ledger, MarketData, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One mode's ports and settings.

    `executor` makes the one that carries orders out in a frozen world at a given time. `scratch` makes a
    throw-away ledger that starts from a snapshot. `settings` are those in force, JSON-ready, no secrets.
    `opening_cash` is what the paper wallet starts with. `notes` tells what the venue's side has to say to
    a person so far: answers that took several attempts, files or rows that could not be read. `herald` tells
    of runs as they go; `unexpected` is told of a mistake of ours that one plan ran into. `restated` tells the
    settings as they would be in force under other caps.
    """

    mode: Mode
    ledger: Ledger
    scratch: Callable[[Snapshot], Ledger]
    catalog: Catalog
    market_data: MarketData
    archive: Archive
    clock: Clock
    executor: Callable[[World, LiquidityMemory, datetime], Executor]
    limits: Limits
    settings: Mapping[str, str]
    opening_cash: Usdc
    engine_version: str
    restated: Callable[[Limits], Mapping[str, str]]
    show: Callable[[str], None] = lambda _: None
    notes: Callable[[], Sequence[str]] = tuple
    herald: Herald = SILENT
    unexpected: Callable[[BaseException], None] = lambda _: None

    def limited(self, limits: Limits) -> "Desk":
        """The same desk with other caps, which its runs tell as theirs."""
        return replace(self, limits=limits, settings=self.restated(limits))
