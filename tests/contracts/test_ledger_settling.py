"""The promises of every ledger about fills that settle on the chain: told, finished, or taken back."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from betteroms.domain.order import ChainState, OrderEvent, OrderStatus, Rejected, Reversed
from betteroms.domain.terms import Mode, Side
from tests.contracts.builders import (
    NOON,
    RAIN,
    SNOW,
    accepted,
    fill,
    filled,
    finish,
    opposite,
    token,
    whole_snapshot,
)
from tests.contracts.ledgers import Installation
from tests.contracts.live_builders import (
    LATER,
    bought,
    live_run,
    named,
    names,
    now,
    progressed,
    seen,
    states,
)
from tests.domain.examples import shares, size, usdc

S = OrderStatus


def test_what_is_booked_of_an_order_that_is_alive_is_told_with_how_far_it_has_come(
    installation: Installation,
) -> None:
    order = bought(installation, ("trade-1", ChainState.MATCHED), ("trade-2", ChainState.CONFIRMED))
    snapshot = now(installation)
    assert states(snapshot, order) == {"trade-1": ChainState.MATCHED, "trade-2": ChainState.CONFIRMED}
    fills = {name: found for name, (found, _) in snapshot.settling.booked[order.order_id].items()}
    assert list(fills.values()) == installation.reader.executions()
    assert list(snapshot.settling.orders) == []


def test_a_fill_that_nothing_else_was_told_of_is_matched(installation: Installation) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    one = fill(order, "10", "0.50", external_execution_id="trade-1")
    installation.ledger.apply([accepted(order), filled(order, one)])
    assert states(now(installation), order) == {"trade-1": ChainState.MATCHED}


def test_the_last_word_on_a_settlement_counts(installation: Installation) -> None:
    order = bought(installation, ("trade-1", ChainState.MATCHED))
    for hours, told in enumerate(
        (
            [ChainState.MINED],
            [ChainState.RETRYING, ChainState.MATCHED],
            [ChainState.MINED, ChainState.CONFIRMED],
        ),
        start=1,
    ):
        run = live_run(installation, None, hours=hours)
        installation.ledger.apply([progressed(order, state) for state in told], sends_out=True)
        finish(installation.ledger, run)
        assert states(now(installation), order) == {"trade-1": told[-1]}
    assert names(installation).count("Progressed") == 6


def test_an_ended_order_is_polled_until_all_its_fills_are_final(installation: Installation) -> None:
    order = bought(
        installation, ("trade-1", ChainState.MATCHED), ("trade-2", ChainState.MINED), complete=True
    )
    for hours, (name, state, left) in enumerate(
        (
            ("trade-1", ChainState.CONFIRMED, 1),
            ("trade-2", ChainState.RETRYING, 1),
            ("trade-2", ChainState.CONFIRMED, 0),
        ),
        start=1,
    ):
        before = now(installation).settling
        assert [found.order_id for found in before.orders] == [order.order_id]
        assert before.orders[0].status is S.FILLED
        run = live_run(installation, None, hours=hours)
        installation.ledger.apply([progressed(order, state, name=name)], sends_out=True)
        finish(installation.ledger, run)
        assert len(now(installation).settling.orders) == left
    assert now(installation).settling.booked == {}


def test_ended_orders_of_other_markets_and_modes_are_not_told(installation: Installation) -> None:
    order = bought(installation, ("trade-1", ChainState.MATCHED), complete=True)
    elsewhere = installation.ledger.snapshot(Mode.LIVE, markets=[SNOW.market_id], orders=[]).settling
    paper = whole_snapshot(installation.ledger, Mode.PAPER).settling
    for settling in (elsewhere, paper):
        assert (list(settling.orders), settling.booked) == ([], {})
    assert list(now(installation).settling.booked) == [order.order_id]


def test_a_market_is_touched_until_what_was_traded_there_has_settled(installation: Installation) -> None:
    order = bought(installation, ("trade-1", ChainState.MATCHED), complete=True)
    run = live_run(installation, "sale", hours=1)
    sale = named(run, 1, side=Side.SELL, amount=shares("10"))
    sold = fill(sale, "10", "0.60", external_execution_id="trade-9")
    installation.ledger.record([sale], [], sends_out=True)
    confirmed = progressed(sale, ChainState.CONFIRMED, name="trade-9")
    installation.ledger.apply([accepted(sale), filled(sale, sold, complete=True), confirmed])
    finish(installation.ledger, run)

    def touched() -> Sequence[str]:
        return installation.ledger.touched(Mode.LIVE, settled_since=NOON + 9 * LATER)

    assert [position.size for position in installation.reader.positions()] == [0]
    assert touched() == [RAIN.market_id]
    run = live_run(installation, None, hours=2)
    installation.ledger.apply([progressed(order, ChainState.CONFIRMED)], sends_out=True)
    finish(installation.ledger, run)
    assert touched() == []


def test_a_failed_fill_is_taken_back_and_nobody_is_asked_after_it_again(installation: Installation) -> None:
    order = bought(installation, ("trade-1", ChainState.MATCHED), complete=True)
    [ghost] = installation.reader.executions()
    run = live_run(installation, None, hours=1)
    undone = replace(opposite(ghost, number=2), external_execution_id="trade-1:reversed")
    failed = progressed(order, ChainState.FAILED)
    news: list[OrderEvent] = [
        failed,
        Reversed(order_id=order.order_id, at=NOON + LATER, executions=(undone,)),
    ]
    installation.ledger.apply(news, sends_out=True)
    # The same again, under another number: it was looked at twice before it was written.
    again = replace(undone, number=3)
    installation.ledger.apply([Reversed(order_id=order.order_id, at=NOON + LATER, executions=(again,))])
    finish(installation.ledger, run)
    assert installation.reader.executions() == [ghost, undone]
    [kept] = installation.reader.orders()
    assert (kept.status, kept.filled_size, kept.fills) == (S.FILLED, 0, 2)
    snapshot = now(installation)
    assert (snapshot.account.cash, snapshot.account.held) == (usdc("1000"), {})
    assert (list(snapshot.settling.orders), snapshot.settling.booked) == ([], {})


def test_a_purchase_that_fails_after_its_shares_were_sold_keeps_the_books_exact(
    installation: Installation,
) -> None:
    order = bought(
        installation, ("trade-1", ChainState.MATCHED), ("trade-2", ChainState.MATCHED), complete=True
    )
    ghost, _ = installation.reader.executions()
    run = live_run(installation, "sale", hours=1)
    sale = named(run, 1, side=Side.SELL, amount=shares("15"))
    sold = fill(sale, "15", "0.61", fee="0.02", external_execution_id="trade-9")
    installation.ledger.record([sale], [], sends_out=True)
    installation.ledger.apply([accepted(sale), filled(sale, sold, complete=True)])
    undone = replace(opposite(ghost, number=3), external_execution_id="trade-1:reversed")
    installation.ledger.apply([Reversed(order_id=order.order_id, at=NOON, executions=(undone,))])
    finish(installation.ledger, run)
    [position] = installation.reader.positions()
    # Bought 20 and sold 15 of them, and then 10 had never been there: five are owed.
    assert position.size == size("-5")
    moved = sum(execution.cash - execution.fee for execution in installation.reader.executions())
    assert position.realised - position.cost_basis == moved == usdc("4.12")
    account = now(installation).account
    assert (account.cash, account.held) == (usdc("1004.12"), {token(RAIN): size("-5")})
    # It is nothing to forget about: somebody has to look at this market.
    assert installation.ledger.touched(Mode.LIVE, settled_since=NOON + 9 * LATER) == [RAIN.market_id]


def test_a_fill_is_booked_once_however_often_and_under_whatever_number_it_is_told(
    installation: Installation,
) -> None:
    order = bought(installation, ("trade-1", ChainState.MATCHED))
    [known] = installation.reader.executions()
    run = live_run(installation, None, hours=1)
    for number in (2, 3):
        repeated = replace(known, number=number)
        assert list(installation.ledger.apply([filled(order, repeated)], sends_out=True)) == []
    finish(installation.ledger, run)
    assert installation.reader.executions() == [known]
    assert states(now(installation), order) == {"trade-1": ChainState.MATCHED}


@pytest.mark.parametrize("state", [ChainState.MINED, ChainState.CONFIRMED])
def test_a_repeated_fill_does_not_set_its_settlement_back(
    installation: Installation, state: ChainState
) -> None:
    order = bought(installation, ("trade-1", state))
    [known] = installation.reader.executions()
    run = live_run(installation, None, hours=1)
    installation.ledger.apply([filled(order, known)], sends_out=True)
    finish(installation.ledger, run)
    assert states(now(installation), order) == {"trade-1": state}


def test_a_fill_of_an_order_that_was_written_off_is_booked_and_the_order_stays_rejected(
    installation: Installation,
) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    gone = Rejected(order_id=order.order_id, at=NOON, code="NEVER_ARRIVED", reason="")
    one = fill(order, "10", "0.50", external_execution_id="trade-1")
    installation.ledger.apply([gone])
    installation.ledger.apply([filled(order, one), progressed(order, ChainState.MINED)])
    finish(installation.ledger, run)
    found = seen(installation)[0]
    assert (found.status, found.code, found.filled_size) == (S.REJECTED, "NEVER_ARRIVED", size("10"))
    assert now(installation).account.reserved_cash == 0
    assert [settling.order_id for settling in now(installation).settling.orders] == [order.order_id]
