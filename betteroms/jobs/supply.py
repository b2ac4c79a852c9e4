"""Where a scheduled run gets its plans: from directories, storage and the database, each plan once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Final

from betteroms.domain.errors import BetterOmsError
from betteroms.domain.ids import RunId
from betteroms.domain.run import DIFFERENCES_SHOWN
from betteroms.domain.terms import Mode
from betteroms.jobs.trade import PlanFile
from betteroms.ports import FoundPlan, PlanPlace, StoredPlan
from betteroms.records import UnfinishedTrade
from betteroms.sources.plan import content_hash, differences, read_plan, resolved_plan_id
from betteroms.sources.plan_files import complaint
from betteroms.sources.plan_period import lapsed

SHELF: Final = "stored plans"
"""How the plans in the database are called where places are counted."""
BYTES_MAX: Final = 512 * 1024 * 1024
"""So much may all plans of one run hold together: they are all read before the first is carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A plan, or a whole place, that cannot be used, and why."""

    name: str
    fault: BetterOmsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactive:
    """A plan that is switched off, with every file that has it; `plan_id` has its braces filled in."""

    names: tuple[str, ...]
    mode: Mode
    plan_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The plans of one scheduled run.

    `plans` are to be carried out in their order; those that have run in their period already are among them.
    `found` says how many plans each place had, of those that could be read.
    """

    plans: tuple[PlanFile, ...]
    inactive: tuple[Inactive, ...]
    refused: tuple[Refused, ...]
    found: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A valid plan; `file` is the name that orders plans of one priority."""

    source: PlanFile
    file: str
    active: bool

    @property
    def rank(self) -> tuple[int, str, str, str]:
        plan = self.source.plan
        return (plan.priority, self.file, plan.plan_id, self.source.name)


# What a file says of itself counts, unless the shelf's switch stands beside it.
_File = tuple[FoundPlan, bool | None]


@dataclass(slots=True)
class _Gathered:
    """What was read so far, and how many bytes more may be."""

    candidates: list[_Candidate] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    room: int = BYTES_MAX

    def take(self, where: str, files: Iterable[_File]) -> None:
        """Read all files of a place; what is wrong with it, or with some of them, stays without effect."""
        count = 0
        try:
            for file, active in files:
                count += 1
                self._read(file, active)
        except BetterOmsError as fault:
            self.refused.append(Refused(name=where, fault=fault))
            return
        self.found[where] = self.found.get(where, 0) + count

    def _read(self, file: FoundPlan, active: bool | None) -> None:
        self.room -= len(file.body)
        try:
            if file.fault is not None:
                raise file.fault
            if self.room < 0:
                raise complaint(file.name, f"the plans of one run have more than {BYTES_MAX:,} bytes")
            plan = read_plan(file.body, file.name)
        except BetterOmsError as fault:
            self.refused.append(Refused(name=file.name, fault=fault))
            return
        source = PlanFile(plan=plan, name=file.name, body=file.body)
        self.candidates.append(
            _Candidate(source=source, file=file.file, active=plan.active if active is None else active)
        )


def supply(places: Sequence[PlanPlace], stored: Iterable[StoredPlan], *, scheduled_at: datetime) -> Supply:
    """Read every plan there is, and decide which of them are carried out, and in which order.

    Two files are the same plan if they would be the same run: by mode and planId, filled in for
    `scheduled_at`. With the same content the plan is taken once; with different contents nobody can say which
    one is meant, and none is. A plan that is switched off anywhere is off.
    """
    gathered = _Gathered()
    for place in places:
        gathered.take(place.name, _placed(place))
    gathered.take(SHELF, _shelved(stored))
    plans: list[_Candidate] = []
    inactive: list[Inactive] = []
    for (mode, plan_id), same in _by_run(gathered.candidates, scheduled_at).items():
        if not all(each.active for each in same):
            names = tuple(each.source.name for each in same)
            inactive.append(Inactive(names=names, mode=mode, plan_id=plan_id))
        elif len({content_hash(each.source.plan) for each in same}) > 1:
            gathered.refused.extend(_conflict(each, same, plan_id) for each in same)
        else:
            plans.append(same[0])
    return Supply(
        plans=tuple(each.source for each in sorted(plans, key=lambda each: each.rank)),
        inactive=tuple(inactive),
        refused=tuple(gathered.refused),
        found=gathered.found,
    )


def to_abandon(trades: Iterable[UnfinishedTrade], *, scheduled_at: datetime) -> list[RunId]:
    """The unfinished runs whose period is over at this scheduled time (DECISIONS 1.2).

    None of their remaining instructions is to be placed: their file is another run by now.
    """
    return [
        trade.run_id
        for trade in trades
        if trade.plan is not None
        and lapsed(trade.plan, plan_id=trade.plan_id, scheduled_at=trade.scheduled_at, now=scheduled_at)
    ]


def _placed(place: PlanPlace) -> Iterator[_File]:
    for file in place.plans():
        yield file, None


def _shelved(stored: Iterable[StoredPlan]) -> Iterator[_File]:
    for plan in stored:
        name = f"{plan.file} (stored)"
        yield FoundPlan(name=name, file=PurePath(plan.file).name, body=plan.body), plan.active


def _by_run(
    candidates: Iterable[_Candidate], scheduled_at: datetime
) -> dict[tuple[Mode, str], list[_Candidate]]:
    """The plans by the run they would be; those that would be one and the same in their order."""
    found: dict[tuple[Mode, str], list[_Candidate]] = {}
    for each in sorted(candidates, key=lambda each: each.rank):
        plan = each.source.plan
        found.setdefault((plan.mode, resolved_plan_id(plan, scheduled_at)), []).append(each)
    return found


def _conflict(one: _Candidate, same: Sequence[_Candidate], plan_id: str) -> Refused:
    others = [each for each in same if content_hash(each.source.plan) != content_hash(one.source.plan)]
    places = differences(one.source.plan, others[0].source.plan)
    more = len(places) - DIFFERENCES_SHOWN
    shown = ", ".join(places[:DIFFERENCES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    why = (
        f"planId {plan_id} in mode {one.source.plan.mode} is also that of "
        f"{', '.join(each.source.name for each in others)}, with other content: it differs at {shown}; "
        "none of them is carried out"
    )
    return Refused(name=one.source.name, fault=complaint(one.source.name, why))
