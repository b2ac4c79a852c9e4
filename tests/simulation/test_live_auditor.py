"""The auditor of both sides finds what it is there to find; the deaths show whether orders are careful."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
import pytest

from betteroms.domain.order import Order
from betteroms.executors.live import LiveExecutor, answers
from betteroms.ports.trading import Verdict
from tests.simulation.audit_tables import Row, Tables
from tests.simulation.audit_venue import Told, disagreements
from tests.simulation.live_scenes import Scene
from tests.simulation.live_wire import Harm
from tests.simulation.mortal import Fate
from tests.simulation.test_live_every_effect import POSTS


@dataclass(frozen=True, kw_only=True)
class Books:
    """What both sides say once all is quiet."""

    tables: Tables
    document: dict[str, Any]
    wallet: str

    def fresh(self) -> "Books":
        """A copy to be damaged."""
        lists = {name: value for name, value in vars(self.tables).items() if isinstance(value, list)}
        rows: dict[str, Any] = deepcopy(lists)
        grouped: dict[str, list[Row]] = {}
        for row in rows["executions"]:
            grouped.setdefault(row["order_id"], []).append(row)
        tables = replace(self.tables, **rows, fills=grouped)
        return replace(self, tables=tables, document=deepcopy(self.document))

    def complaints(self) -> list[str]:
        return disagreements(self.tables, Told(document=self.document, wallet=self.wallet))

    def order(self, **fields: Any) -> Row:
        """Our first order with these fields."""
        return next(row for row in self.tables.orders if fields.items() <= row.items())

    def there(self, **fields: Any) -> Row:
        """The venue's first order of the wallet with these fields."""
        rows = (row for row in self.document["orders"] if row["maker"] == self.wallet)
        return next(row for row in rows if fields.items() <= row.items())

    def fill(self) -> Row:
        """The venue's first fill of the wallet."""
        return next(row for row in self.document["fills"] if row["maker"] == self.wallet)


@pytest.fixture(scope="module")
def books(dusk: Scene) -> Books:
    with dusk.played() as play:
        assert play.act(Fate()) is None
        play.operator.settle()
        found = Books(
            tables=play.tables(),
            document=play.operator.venue.app.venue.auditor.document(),
            wallet=play.operator.address,
        )
    assert found.fresh().complaints() == []
    return found


def placed_twice(books: Books) -> None:
    books.document["orders"].append({**books.there(status="LIVE"), "id": "0xdouble"})


def taken_on_twice(books: Books) -> None:
    next(row for row in books.document["posts"] if row["accepted"])["accepted"] = 2


def posted_under_another_name(books: Books) -> None:
    books.document["posts"].append({"id": "0xother", "accepted": 0, "seen": 1})


def forgotten_there(books: Books) -> None:
    books.document["orders"].remove(books.there(status="LIVE"))


def of_another_size(books: Books) -> None:
    books.there(side="BUY", status="LIVE", time_in_force="GTC")["taker_amount"] += 10_000


def filled_there_alone(books: Books) -> None:
    books.there(status="LIVE")["status"] = "MATCHED"


def booked_twice(books: Books) -> None:
    fill = books.tables.executions[-1]
    again = {**fill, "number": 99, "external_execution_id": "another"}
    books.tables.fills[fill["order_id"]].append(again)


def not_booked(books: Books) -> None:
    books.tables.fills[books.order(status="FILLED")["order_id"]].clear()


def off_by_a_millionth(books: Books) -> None:
    books.fill()["dollars"] += 1


def with_another_fee(books: Books) -> None:
    books.fill()["fee"] += 10


def failed_and_kept(books: Books) -> None:
    books.fill()["status"] = "FAILED"


def settled_otherwise(books: Books) -> None:
    books.tables.chain[0]["state"] = "MINED"


def with_other_money(books: Books) -> None:
    row = next(row for row in books.document["balances"] if row["owner"] == books.wallet)
    row["amount"] -= 1


def under_way_still(books: Books) -> None:
    books.document["late"].append({"task": "late_landing", "due_ms": 0, "values": {}})


def unknown_in_the_end(books: Books) -> None:
    books.order(status="OPEN")["status"] = "UNCONFIRMED"


DAMAGE: Final = (
    placed_twice,
    taken_on_twice,
    posted_under_another_name,
    forgotten_there,
    of_another_size,
    filled_there_alone,
    booked_twice,
    not_booked,
    off_by_a_millionth,
    with_another_fee,
    failed_and_kept,
    settled_otherwise,
    with_other_money,
    under_way_still,
    unknown_in_the_end,
)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: str(damage.__name__).replace("_", " "))
def test_the_auditor_of_both_sides_finds(books: Books, damage: Callable[[Books], None]) -> None:
    damaged = books.fresh()
    damage(damaged)
    assert damaged.complaints() != []


def silence_is_a_no(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(answers._MEANING, Verdict.UNKNOWN, answers._refused)


def what_leaves_is_not_marked(patch: pytest.MonkeyPatch) -> None:
    prepare = LiveExecutor.prepare

    def unmarked(self: LiveExecutor, orders: Sequence[Order]) -> Sequence[Order]:
        return [replace(order, sending_at=None) for order in prepare(self, orders)]

    patch.setattr(LiveExecutor, "prepare", unmarked)


CARELESS: Final = (silence_is_a_no, what_leaves_is_not_marked)


@pytest.mark.soak
@pytest.mark.parametrize("mistake", CARELESS, ids=lambda mistake: str(mistake.__name__).replace("_", " "))
def test_a_careless_program_does_not_get_away_with_it(
    dusk: Scene, mistake: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post arrives 40 s late, and the process dies at the next commit, a second before it is run again."""
    mistake(monkeypatch)
    post = next(number for number, name in enumerate(dusk.asked) if name in POSTS)
    dead = next(number for number in dusk.effects("COMMIT") if number > dusk.effects(*POSTS)[0])
    found: list[str] = []
    with replace(dusk, tried={}).played() as play:
        for harm in (Harm.LATE, Harm.LOST):
            for death in (dead, None):
                play.act(Fate(death), {post: harm})
                play.operator.venue.wait(1_000)
                try:
                    found += play.recovered().complaints
                except (AssertionError, psycopg.Error) as broken:
                    found.append(repr(broken))
    assert found != []
