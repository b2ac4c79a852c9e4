"""Moments from which a live command begins, as often as it takes: a database and a venue that become again
what they were."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from betteroms.domain.errors import BetterOmsError, PlanAlreadyRun
from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.life.acting import rest
from betteroms.sandbox.life.wallets import endow
from betteroms.sandbox.state import dump
from tests.simulation.audit_tables import Row, Tables
from tests.simulation.audit_venue import Told, disagreements, rest_of
from tests.simulation.auditor import problems_of
from tests.simulation.live_stage import AGE_MS, NOTHING, Operator, in_process
from tests.simulation.live_wire import Harm
from tests.simulation.live_world import FIRST, MANY_KINDS, PLAIN, condition, write
from tests.simulation.mortal import Death, Fate
from tests.simulation.stage import Rewindable

ALIVE: Final = ("NEW", "UNCONFIRMED", "OPEN")
SOMEBODY: Final = "somebody"
HOURS_MS: Final = 3 * 3_600_000
LAST_POST: Final = 32
"""The number of the request by which the second batch of `MANY_KINDS` leaves at dusk."""
_SEQUENCES: Final = ("sequence", "ledger_sequence")
_LEFT_OUT: Final = ("body", "settings")
"""Of rows: contents that their ids tell, and addresses that are others in each run."""


@dataclass(frozen=True, kw_only=True)
class Rest:
    """How everything stands once nothing is left to become of anything; no complaints where all is well.

    `arrived` are the orders as the venue took them on, one after the other; `alive` those of ours that are.
    """

    complaints: list[str]
    arrived: list[str]
    alive: list[str]
    named: str
    unnamed: str

    def is_as(self, undisturbed: "Rest") -> bool:
        """Whether it is as it should be, with the venue's own numbers where it took orders on so."""
        same = sorted(self.arrived) == sorted(undisturbed.arrived)
        other_way = same and self.arrived != undisturbed.arrived
        return (
            self.complaints == []
            and self.unnamed == undisturbed.unnamed
            and (other_way or (self.arrived, self.named) == (undisturbed.arrived, undisturbed.named))
        )


@dataclass(kw_only=True)
class Scene:
    """One moment, and the command that is typed then: `trade` with a plan, else `poll`.

    `met` are the effects of the undisturbed command, `undisturbed` is where it led to. Recovering follows
    from what is outside the process alone: what was recovered from once is not tried again.
    """

    directory: Path
    plan: Path | None
    database: Rewindable
    undisturbed: Rest
    met: list[str]
    tried: dict[str, Rest] = field(default_factory=dict)

    @contextmanager
    def played(self) -> Iterator["Play"]:
        """The scene with its clients wired, for as many takes as the block wants."""
        with in_process(self.directory, self.database.url) as operator:
            yield Play(scene=self, operator=operator)

    @property
    def asked(self) -> list[str]:
        """The requests among the effects, in their order."""
        return [name for name in self.met if " " in name]

    def effects(self, *names: str) -> list[int]:
        """The numbers of the effects with these names; "POST" means any post of orders."""
        return [
            number for number, name in enumerate(self.met) if name in names or name.partition(" ")[0] in names
        ]


@dataclass(kw_only=True)
class Play:
    """A scene being played."""

    scene: Scene
    operator: Operator

    def rewind(self) -> None:
        self.scene.database.rewind()
        self.operator.venue.open()

    def act(self, fate: Fate, harmed: Mapping[int, Harm] = NOTHING) -> BaseException | None:
        """The command, from the beginning of the scene; how it ended, where it did not come to its end."""
        self.rewind()
        try:
            typed(self.operator, self.scene.plan, fate, harmed)
        except (Death, BetterOmsError) as end:
            return end
        return None

    def recovered(self) -> Rest:
        """Run again, and wait until nothing is left to become of anything."""
        outside = self.outside()
        if outside not in self.scene.tried:
            with suppress(PlanAlreadyRun):
                typed(self.operator, self.scene.plan, Fate())
            self.operator.settle()
            self.scene.tried[outside] = self.rest()
        return self.scene.tried[outside]

    def rest(self) -> Rest:
        return rest_at(self.operator, self.tables())

    def tables(self) -> Tables:
        return self.scene.database.tables()

    def outside(self) -> str:
        """Everything that is outside of the process, as one text: two that are alike lead to the same end."""
        venue = self.operator.venue
        late = [due_ms for due_ms, _ in venue.late]
        parts = [_rows(self.tables()), dump(venue.world), venue.world.clock.now_ms(), late]
        return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def typed(operator: Operator, plan: Path | None, fate: Fate, harmed: Mapping[int, Harm] = NOTHING) -> None:
    """A scene's command."""
    if plan is None:
        operator.poll(fate, harmed)
    else:
        operator.trade(plan, fate, harmed)


def rest_at(operator: Operator, tables: Tables) -> Rest:
    told = Told(document=operator.venue.app.venue.auditor.document(), wallet=operator.address)
    return Rest(
        complaints=[*problems_of(tables), *disagreements(tables, told)],
        arrived=told.arrived,
        alive=[row["order_id"] for row in tables.orders if row["status"] in ALIVE],
        named=rest_of(tables),
        unnamed=rest_of(tables, named=False),
    )


def _rows(tables: Tables) -> dict[str, list[Row]]:
    """Every row, with places in the sequence counted anew: what was rolled back leaves gaps in it."""
    found = {name: rows for name, rows in vars(tables).items() if isinstance(rows, list)}
    rows = {name: [row for row in some if isinstance(row, dict)] for name, some in found.items()}
    all_rows = [row for some in rows.values() for row in some]
    places = sorted({row[name] for row in all_rows for name in _SEQUENCES if name in row})
    rank = {place: number for number, place in enumerate(places)}

    def told(row: Row) -> Row:
        kept = {name: value for name, value in row.items() if name not in _LEFT_OUT}
        return {name: rank[value] if name in _SEQUENCES else value for name, value in kept.items()}

    return {table: [told(row) for row in some] for table, some in rows.items()}


def dawn(directory: Path, url: str) -> Scene:
    """Nothing was ever done here: the names that orders get are not proven on any exchange."""
    with in_process(directory, url) as operator:
        operator.turn_on()
        operator.venue.keep()
        return _scene(operator, write(directory, "first", FIRST))


def dusk(directory: Path, url: str) -> Scene:
    """Shares are held, an order was filled in part and another has outlived its time; nobody looked."""
    with in_process(directory, url) as operator:
        _until_dusk(operator)
        operator.venue.keep()
        return _scene(operator, write(directory, "many-kinds", MANY_KINDS))


def night(directory: Path, url: str) -> Scene:
    """Of a few orders nobody knows whether they arrived; they did not, and it is time to look."""
    with in_process(directory, url) as operator:
        _until_dusk(operator)
        plan = write(directory, "many-kinds", MANY_KINDS)
        operator.trade(plan, harmed={LAST_POST: Harm.UNHEARD})
        assert operator.wire.asked[LAST_POST] == "POST /orders"
        operator.venue.wait(AGE_MS)
        operator.venue.keep()
        return _scene(operator, None)


def _until_dusk(operator: Operator) -> None:
    operator.turn_on()
    operator.trade(write(operator.home, "first", FIRST))
    operator.settle()
    venue = operator.venue
    endow(venue.world, SOMEBODY)
    market = venue.world.exchange.markets[condition(PLAIN)]
    price, size = to_micros("0.41"), to_micros("12")
    rest(venue.world, market, by=SOMEBODY, outcome=0, side=Side.SELL, price=price, size=size)
    venue.wait(HOURS_MS)


def _scene(operator: Operator, plan: Path | None) -> Scene:
    """The scene that begins now: the command is carried out once, undisturbed."""
    database = Rewindable(operator.database)
    fate = Fate()
    typed(operator, plan, fate)
    operator.settle()
    undisturbed = rest_at(operator, database.tables())
    assert undisturbed.complaints == []
    return Scene(directory=operator.home, plan=plan, database=database, undisturbed=undisturbed, met=fate.met)
