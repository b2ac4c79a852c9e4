"""What the venue tells of our wallet and the ledger does not know: sorted by whose it is, and told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from betteroms.domain.order import ChainState, Order, OrderStatus
from betteroms.jobs.live.strangers import Strangers, find
from betteroms.ports.trading import VenueFill
from tests.domain.examples import NO, NOW, an_intent, size
from tests.executors.live_stage import Stage, a_fill, live, name_of

ORDER = live()
OVER = live(an_intent(line=1, key="over"), status=OrderStatus.FILLED, filled_size=size("100"))


@dataclass(slots=True)
class Known:
    """The one question that is asked of the ledger here."""

    orders: Collection[Order]

    def known_as(self, names: Collection[str]) -> Mapping[str, Order]:
        return {name_of(order): order for order in self.orders if name_of(order) in names}


def found(*fills: VenueFill) -> Strangers:
    member: Any = SimpleNamespace(venue=Stage(trades=list(fills)))
    ledger: Any = Known([ORDER, OVER])
    return find(member, ledger, since=NOW)


def test_a_fill_that_cannot_be_the_orders_own_is_told_and_belongs_nowhere() -> None:
    for order in (ORDER, OVER):
        odd = replace(a_fill(order), token_id=NO)
        told = found(odd)
        assert told.misfits == [
            f"FILL_MISFIT: the venue tells of fill trade of order {order.order_id}: BUY 100 of token {NO}, "
            f"but the order is BUY of {order.intent.token_id}; it is not booked"
        ]
        assert (told.count, list(told.elsewhere), list(told.late)) == (0, [], [])


def test_fills_of_orders_that_are_known_are_no_strangers() -> None:
    told = found(a_fill(ORDER, filled="40"), a_fill(OVER))
    assert (told.count, list(told.elsewhere), list(told.late), list(told.misfits)) == (0, [], [], [])


def test_fills_of_an_order_that_has_ended_are_late_where_they_come_to_another_size() -> None:
    more = a_fill(OVER, filled="20", name="another")
    failed = a_fill(OVER, filled="7", name="ghost", state=ChainState.FAILED)
    told = found(a_fill(OVER), more, failed)
    assert [fill.fill_id for fill in told.late] == ["trade", "another"]


def test_fills_of_unknown_orders_are_ours_or_of_another_key() -> None:
    unknown = live(an_intent(line=2, key="unknown"))
    ours, by_hand = a_fill(unknown), replace(a_fill(unknown, name="by hand"), ours=False)
    told = found(ours, by_hand)
    assert ([fill.fill_id for fill in told.fills], [fill.fill_id for fill in told.elsewhere]) == (
        ["trade"],
        ["by hand"],
    )
