"""The promises of every ledger about fills whose orders nobody here placed (DECISIONS 5.6)."""

from dataclasses import replace

import pytest

from betteroms.domain.external import ExternalFill
from betteroms.domain.ids import key, order_id
from betteroms.domain.order import ChainState, OrderStatus, Rejected, Unconfirmed
from betteroms.domain.terms import Mode, Shares, Side
from betteroms.ports import Fact
from tests.contracts.builders import NOON, RAIN, SNOW, accepted, filled, finish, give_up, token
from tests.contracts.fact_builders import execution_of, external_fill, settlement, synthetic
from tests.contracts.ledgers import Installation
from tests.contracts.live_builders import bought, live_run, named, names, now, seen, states
from tests.domain.examples import price, size, usdc

NAME = order_id(key("live", "external", "0xe1"))


def told(at: Installation, *facts: Fact, hours: int = 0) -> None:
    """A run without a plan that only takes these in."""
    run = live_run(at, None, hours=hours)
    at.ledger.note(facts)
    finish(at.ledger, run)


def test_a_fill_of_nobodys_order_is_booked_under_the_venues_name_for_it(installation: Installation) -> None:
    run = live_run(installation, None)
    fill = external_fill("30", "0.40")
    installation.ledger.note([fill])
    finish(installation.ledger, run)
    [order] = installation.reader.orders()
    assert (order.order_id, order.run_id, order.external_order_id) == (NAME, run.run_id, "0xe1")
    intent = order.intent
    assert (intent.source, intent.plan_id, intent.line) == ("external", None, None)
    assert (intent.wished_amount, intent.wished_price) == (Shares(size=size("30")), price("0.40"))
    assert (order.amount, order.limit_price) == (intent.wished_amount, intent.wished_price)
    assert (order.status, order.code, order.filled_size) == (OrderStatus.FILLED, "EXTERNAL", size("30"))
    assert (order.created_at, order.placed_at) == (fill.executed_at, fill.executed_at)
    assert order.signed is None
    made = synthetic(fill, run.run_id)
    assert replace(made, **{name: getattr(order, name) for name in ("status", "placed_at", "fills")}) == (
        replace(order, filled_size=size("0"), filled_cash=usdc("0"))
    )
    assert installation.reader.executions() == [execution_of(fill, NAME, number=1)]
    [position] = installation.reader.positions()
    assert (position.size, position.cost_basis, position.realised) == (
        size("30"),
        usdc("12"),
        usdc("-0.01"),
    )
    assert position.opened_at == fill.executed_at
    account = now(installation).account
    assert (account.cash, account.reserved_cash) == (usdc("987.99"), 0)
    assert names(installation) == ["Accepted", "Filled", "Progressed"]


def test_it_is_booked_once_however_often_it_is_told(installation: Installation) -> None:
    told(installation, external_fill("30"), external_fill("30"))
    written = installation.reader.orders(), installation.reader.executions(), names(installation)
    told(installation, external_fill("30"), hours=1)
    told(installation, external_fill("30", state=ChainState.CONFIRMED), hours=2)
    assert (installation.reader.orders(), installation.reader.executions(), names(installation)) == written


def test_fills_of_one_order_come_together_and_one_by_one(installation: Installation) -> None:
    told(
        installation,
        external_fill("30", "0.40", fill="trade-1"),
        external_fill("20", "0.42", fill="trade-2"),
        external_fill("5", "0.70", order="0xe2", fill="trade-2", on=SNOW),
    )
    told(installation, external_fill("10", "0.44", fill="trade-3"), hours=1)
    orders = {order.external_order_id: order for order in installation.reader.orders()}
    first = orders["0xe1"]
    # It asked for what was known of it first, at the worst of its prices; what came later only fills it more.
    assert (first.amount, first.limit_price) == (Shares(size=size("50")), price("0.42"))
    assert (first.status, first.filled_size, first.fills) == (OrderStatus.FILLED, size("60"), 3)
    assert (orders["0xe2"].filled_size, orders["0xe2"].intent.market_id) == (size("5"), SNOW.market_id)
    numbers = [execution.number for execution in installation.reader.executions()]
    assert numbers == [1, 2, 1, 3]


def test_what_is_told_twice_in_one_run_that_is_not_committed_yet_counts_once(
    installation: Installation,
) -> None:
    run = live_run(installation, None)
    installation.ledger.note([external_fill("30")])
    installation.ledger.note([external_fill("30"), external_fill("5", fill="trade-2")])
    finish(installation.ledger, run)
    [order] = installation.reader.orders()
    assert (order.filled_size, order.fills) == (size("35"), 2)


def test_a_run_that_fails_leaves_the_fill_to_be_told_again(installation: Installation) -> None:
    run = live_run(installation, None)
    installation.ledger.note([external_fill("30")])
    give_up(installation.ledger, run)
    assert (installation.reader.orders(), installation.reader.executions()) == ([], [])
    told(installation, external_fill("30"), hours=1)
    assert len(installation.reader.executions()) == 1


def test_one_that_failed_before_it_was_seen_moved_nothing(installation: Installation) -> None:
    told(installation, external_fill("30", state=ChainState.FAILED))
    assert (installation.reader.orders(), installation.reader.executions()) == ([], [])


def test_its_settlement_is_followed_like_any_other(installation: Installation) -> None:
    told(installation, external_fill("30"))
    snapshot = now(installation)
    [order] = snapshot.settling.orders
    assert (order.order_id, states(snapshot, order)) == (NAME, {"trade-1": ChainState.MATCHED})
    told(installation, external_fill("30", order="0xe2", state=ChainState.CONFIRMED), hours=1)
    assert [order.order_id for order in now(installation).settling.orders] == [NAME]


def test_what_was_bought_by_hand_can_be_sold_by_a_plan_at_average_cost(installation: Installation) -> None:
    ours = bought(installation, ("trade-0", ChainState.CONFIRMED), complete=True)
    told(
        installation,
        external_fill("30", "0.30"),
        external_fill("20", "0.60", side=Side.SELL, order="0xe2"),
        hours=1,
    )
    [position] = installation.reader.positions()
    # 10 at 0.50 and 30 at 0.30 are 14 dollars; half of them were sold at 0.60.
    assert (position.size, position.cost_basis) == (size("20"), usdc("7"))
    assert position.realised == usdc("12") - usdc("7") - usdc("0.03")
    assert position.token_id == token(RAIN) == ours.intent.token_id


def test_facts_are_booked_in_the_order_in_which_they_are_told(installation: Installation) -> None:
    told(
        installation,
        external_fill("10", "0.40", fill="trade-1"),
        settlement("10", "1", mode=Mode.LIVE),
        external_fill("10", "0.20", fill="trade-2"),
    )
    [position] = installation.reader.positions()
    # The payout took what was there then, with its cost; what came later is there still.
    assert (position.size, position.cost_basis) == (size("10"), usdc("2"))
    assert position.realised == usdc("10") - usdc("4") - usdc("0.02")


@pytest.mark.parametrize("alive", [OrderStatus.NEW, OrderStatus.UNCONFIRMED])
def test_nothing_is_added_to_an_order_of_ours_whose_fate_is_open(
    installation: Installation, alive: OrderStatus
) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    if alive is OrderStatus.UNCONFIRMED:
        installation.ledger.apply([Unconfirmed(order_id=order.order_id, at=NOON, reason="silence")])
    installation.ledger.note([external_fill("10", "0.50", order=order.external_order_id or "")])
    finish(installation.ledger, run)
    assert seen(installation)[0].status is alive
    assert installation.reader.executions() == []


def test_a_late_fill_of_an_order_of_ours_is_booked_for_that_order(installation: Installation) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    installation.ledger.apply([Rejected(order_id=order.order_id, at=NOON, code="NEVER_ARRIVED", reason="")])
    late = external_fill("10", "0.50", order=order.external_order_id or "", outcome="Yes")
    installation.ledger.note([late, late])
    finish(installation.ledger, run)
    [found] = installation.reader.orders()
    assert (found.order_id, found.status) == (order.order_id, OrderStatus.REJECTED)
    assert (found.filled_size, found.fills) == (size("10"), 1)


def test_a_fill_that_the_next_poll_tells_of_too_is_booked_once(installation: Installation) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    installation.ledger.apply([accepted(order)])
    news: ExternalFill = external_fill("10", "0.50", order=order.external_order_id or "")
    installation.ledger.note([news])
    [booked] = installation.reader.executions()
    installation.ledger.apply([filled(order, replace(booked, number=2))])
    finish(installation.ledger, run)
    assert installation.reader.executions() == [booked]
    assert seen(installation)[0].status is OrderStatus.OPEN


def test_a_fill_of_another_token_than_its_orders_is_left_for_somebody_to_look_at(
    installation: Installation,
) -> None:
    ours = bought(installation, ("trade-1", ChainState.CONFIRMED))
    odd = external_fill("10", order=ours.external_order_id or "", fill="trade-2", outcome_index=1)
    told(installation, odd, hours=1)
    assert len(installation.reader.executions()) == 1
