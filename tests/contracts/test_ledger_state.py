"""The promises of every ledger about what follows from its rows: cash, reservations, positions, liquidity."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.adapters.memory import MemoryLedger
from betteroms.domain.liquidity import Taken
from betteroms.domain.order import Canceled, Order, OrderEvent, Unconfirmed
from betteroms.domain.position import EntryKind
from betteroms.domain.terms import Mode, Side, TimeInForce
from betteroms.ports import Ledger, Run, Snapshot
from tests.contracts.builders import (
    NOON,
    RAIN,
    SNOW,
    a_deposit,
    a_run,
    accepted,
    begin,
    book,
    fill,
    filled,
    finish,
    give_up,
    inputs,
    order_of,
    token,
    whole_snapshot,
)
from tests.contracts.ledgers import Installation
from tests.domain.examples import dollars, price, shares, size, usdc

LATER = timedelta(hours=1)


def carried_out(ledger: Ledger, run: Run, orders: list[Order], *events: OrderEvent) -> None:
    """One whole run: these orders, and what became of them."""
    opened = begin(ledger, run)
    ledger.record(orders, [], sends_out=False)
    ledger.apply(events)
    finish(ledger, opened)


def test_cash_reservations_and_positions_are_what_a_pencil_says(installation: Installation) -> None:
    run = a_run()
    buy = order_of(run, line=0, amount=shares("100"), at="0.50")
    spend = order_of(run, line=1, amount=dollars("30"), at="0.60", tif=TimeInForce.FAK)
    sell = order_of(run, line=2, side=Side.SELL, amount=shares("50"), at="0.40")
    carried_out(
        installation.ledger,
        run,
        [buy, spend, sell],
        accepted(buy),
        accepted(spend),
        accepted(sell),
        filled(buy, fill(buy, "33", "0.41", fee="0.55001"), fill(buy, "30", "0.43", number=2, fee="0.5")),
        filled(spend, fill(spend, "20.5", "0.47", fee="0.3")),
        filled(sell, fill(sell, "12.345678", "0.55", fee="0.2")),
    )
    account = whole_snapshot(installation.ledger).account
    # Bought 33 x 0.41 = 13.53, 30 x 0.43 = 12.9, 20.5 x 0.47 = 9.635; sold 12.345678 x 0.55 = 6.7901229,
    # rounded down. Fees: 0.55001 + 0.5 + 0.3 + 0.2 = 1.55001.
    assert account.cash == usdc("1000") - usdc("36.065") + usdc("6.790122") - usdc("1.55001")
    # 37 shares left at 0.50, and 30 - 9.635 dollars.
    assert account.reserved_cash == usdc("18.5") + usdc("20.365")
    assert account.held == {token(RAIN): size("71.154322")}
    assert account.reserved_shares == {token(RAIN): size("37.654322")}
    [position] = installation.reader.positions()
    # The sale takes 12.345678 / 83.5 of the cost 36.065 with it: 5.3322979…, rounded up.
    assert position.cost_basis == usdc("36.065") - usdc("5.332298")
    assert position.realised == usdc("6.790122") - usdc("5.332298") - usdc("1.55001")
    assert position.fees == usdc("1.55001")
    assert position.opened_at == NOON


def test_a_reservation_is_rounded_up(installation: Installation) -> None:
    run = a_run()
    orders = [order_of(run, line=line, amount=shares("1.01"), at="0.3333") for line in range(2)]
    carried_out(installation.ledger, run, orders, *map(accepted, orders))
    assert whole_snapshot(installation.ledger).account.reserved_cash == 2 * usdc("0.336633")
    run = a_run("july")
    odd = order_of(run, amount=shares("0.000001"), at="0.01")
    carried_out(installation.ledger, run, [odd], accepted(odd))
    assert whole_snapshot(installation.ledger).account.reserved_cash == usdc("0.673267")


def test_orders_reserve_from_the_moment_they_are_new_until_they_end(installation: Installation) -> None:
    run = begin(installation.ledger, a_run(mode=Mode.LIVE))
    order = order_of(run)
    reserved = [0]

    def look() -> None:
        reserved.append(whole_snapshot(installation.ledger, Mode.LIVE).account.reserved_cash)

    installation.ledger.record([order], [], sends_out=True)
    finish(installation.ledger, run)
    look()
    told: list[OrderEvent] = [
        Unconfirmed(order_id=order.order_id, at=NOON, reason="no answer"),
        accepted(order),
        filled(order, fill(order, "40", "0.50")),
        Canceled(order_id=order.order_id, at=NOON, code="BY_HAND"),
        filled(order, fill(order, "1", "0.50", number=2)),
    ]
    for number, event in enumerate(told):
        run = begin(installation.ledger, a_run(f"poll-{number}", mode=Mode.LIVE))
        installation.ledger.apply([event])
        finish(installation.ledger, run)
        look()
    assert reserved == [0, usdc("50"), usdc("50"), usdc("50"), usdc("30"), 0, 0]


def test_a_position_sold_out_stays_with_its_profit_and_opens_anew(installation: Installation) -> None:
    run = a_run()
    buy, sell = order_of(run), order_of(run, line=1, side=Side.SELL)
    carried_out(
        installation.ledger,
        run,
        [buy, sell],
        accepted(buy),
        accepted(sell),
        filled(buy, fill(buy, "10", "0.40")),
        filled(sell, fill(sell, "10", "0.55", fee="0.05")),
    )
    [closed] = installation.reader.positions()
    assert (closed.size, closed.cost_basis, closed.opened_at) == (0, 0, None)
    assert closed.realised == usdc("1.45")
    snapshot = whole_snapshot(installation.ledger)
    assert (snapshot.account.held, snapshot.account.cash) == ({}, usdc("1001.45"))
    again = begin(installation.ledger, a_run("july"))
    installation.ledger.apply([filled(buy, fill(buy, "5", "0.50", number=2, executed_at=NOON + LATER))])
    finish(installation.ledger, again)
    [opened] = installation.reader.positions()
    assert (opened.size, opened.realised, opened.opened_at) == (size("5"), usdc("1.45"), NOON + LATER)


def test_a_deposit_told_twice_counts_once(installation: Installation) -> None:
    withdrawal = replace(
        a_deposit("-12.5", key="w1"), kind=EntryKind.WITHDRAWAL, note="rent\tand 'food'", at=NOON + LATER
    )
    assert whole_snapshot(installation.ledger).opening_cash is None
    for plan, cash in (("june", "1000"), ("july", "5000")):
        run = begin(installation.ledger, a_run(plan), a_deposit(cash), withdrawal)
        finish(installation.ledger, run)
    snapshot = whole_snapshot(installation.ledger)
    assert snapshot.account.cash == usdc("987.5")
    assert snapshot.opening_cash == usdc("1000")
    assert whole_snapshot(installation.ledger, Mode.LIVE).opening_cash is None
    assert installation.reader.entries() == [a_deposit("1000"), withdrawal]


def test_two_modes_never_add_up(installation: Installation) -> None:
    lives = ((Mode.PAPER, "60", 10), (Mode.SHADOW, "7", 20))
    for mode, bought, stamp in lives:
        run = begin(installation.ledger, a_run(mode=mode))
        order = order_of(run)
        installation.ledger.observe(inputs(book(asks="0.50x80", changed_at_ms=stamp)), [])
        installation.ledger.record([order], [], sends_out=False)
        event = filled(order, fill(order, bought, "0.50"), taken=f"0.50x{bought}")
        installation.ledger.apply([accepted(order), event])
        finish(installation.ledger, run)
    for mode, bought, stamp in lives:
        snapshot = whole_snapshot(installation.ledger, mode)
        assert snapshot.account.held == {token(RAIN): size(bought)}
        assert snapshot.account.cash == usdc("1000") - size(bought) // 2
        assert [order.mode for order in snapshot.open_orders] == [mode]
        assert [(row.size, row.changed_at_ms) for row in snapshot.taken] == [(size(bought), stamp)]
        assert {position.mode for position in snapshot.positions.values()} == {mode}
    live = whole_snapshot(installation.ledger, Mode.LIVE)
    assert (live.account.cash, live.positions, list(live.open_orders)) == (0, {}, [])


def test_a_snapshot_tells_of_the_markets_and_the_orders_asked_for(installation: Installation) -> None:
    run = a_run()
    rain, snow = order_of(run), order_of(run, line=1, on=SNOW)
    sale = order_of(run, line=2, on=SNOW, side=Side.SELL, amount=shares("10"))
    carried_out(
        installation.ledger,
        run,
        [rain, snow, sale],
        *map(accepted, (rain, snow, sale)),
        filled(rain, fill(rain, "10", "0.50"), fill(rain, "20", "0.49", number=2), taken="0.50x10"),
        filled(snow, fill(snow, "30", "0.50"), taken="0.50x30"),
    )
    never = order_of(run, line=9).order_id
    snapshot = installation.ledger.snapshot(
        Mode.PAPER, markets=[RAIN.market_id], orders=[rain.order_id, snow.order_id, sale.order_id, never]
    )
    assert [order.order_id for order in snapshot.open_orders] == [rain.order_id]
    assert list(snapshot.positions) == [token(RAIN)]
    assert [row.market_id for row in snapshot.taken] == [RAIN.market_id]
    assert snapshot.known == {order.order_id: order for order in installation.reader.orders()}
    assert {name: [e.number for e in found] for name, found in snapshot.executions.items() if found} == {
        rain.order_id: [1, 2],
        snow.order_id: [1],
    }
    # Cash is one; what is promised elsewhere is promised.
    assert snapshot.account.cash == usdc("1000") - usdc("29.8")
    assert snapshot.account.reserved_cash == usdc("35") + usdc("35")
    assert snapshot.account.reserved_shares == {token(SNOW): size("10")}


def test_open_orders_come_in_the_order_of_time_and_then_of_lines(installation: Installation) -> None:
    for plan, at in (("late", NOON + LATER), ("early", NOON)):
        run = a_run(plan, at=at)
        orders = [order_of(run, line=line) for line in (10, 2, 0)]
        ended = order_of(run, line=1)
        over = Canceled(order_id=ended.order_id, at=at, code="BY_HAND")
        carried_out(installation.ledger, run, [*orders, ended], *map(accepted, [*orders, ended]), over)
    found = whole_snapshot(installation.ledger).open_orders
    expected = [(plan, line) for plan in ("early", "late") for line in (0, 2, 10)]
    assert [(order.intent.plan_id, order.intent.line) for order in found] == expected


def test_the_ledgers_position_moves_with_what_is_booked(installation: Installation) -> None:
    positions = [whole_snapshot(installation.ledger).sequence]
    for plan in ("june", "july"):
        run = a_run(plan)
        order = order_of(run)
        carried_out(
            installation.ledger, run, [order], accepted(order), filled(order, fill(order, "1", "0.50"))
        )
        positions.append(whole_snapshot(installation.ledger).sequence)
    assert positions == sorted(set(positions))


def shown(
    ledger: Ledger, plan: str, asks: str, *, stamp: int, take: str = "", no: bool = False
) -> list[Taken]:
    """A run that sees a book and takes from it; what is remembered afterwards."""
    run = begin(ledger, a_run(plan))
    seen = book(asks="" if no else asks, bids=asks if no else "", outcome_index=int(no), changed_at_ms=stamp)
    ledger.observe(inputs(seen), [])
    if take:
        order = order_of(run)
        ledger.record([order], [], sends_out=False)
        executions = fill(order, take.split("x")[1], "0.50")
        ledger.apply([accepted(order), filled(order, executions, taken=take)])
    finish(ledger, run)
    return list(whole_snapshot(ledger).taken)


def remembered(levels: str, *, stamp: int) -> list[Taken]:
    pairs = (level.split("x") for level in levels.split())
    return [
        Taken(market_id=RAIN.market_id, price=price(at), size=size(taken), changed_at_ms=stamp)
        for at, taken in pairs
    ]


def test_what_was_taken_stays_taken_until_a_newer_book_shows_it_again(installation: Installation) -> None:
    ledger = installation.ledger
    assert shown(ledger, "a", "0.50x100", stamp=10, take="0.50x60") == remembered("0.50x60", stamp=10)
    assert shown(ledger, "b", "0.50x100", stamp=11) == remembered("0.50x60", stamp=11)
    assert shown(ledger, "c", "0.50x30", stamp=12) == remembered("0.50x30", stamp=12)
    assert shown(ledger, "d", "0.50x100", stamp=13) == remembered("0.50x30", stamp=13)
    assert shown(ledger, "e", "0.51x100", stamp=14) == []
    assert installation.reader.taken() == {mode: [] for mode in Mode}


@pytest.mark.parametrize("stamp", [9, 10])
def test_a_book_that_is_not_newer_changes_nothing(installation: Installation, stamp: int) -> None:
    before = shown(installation.ledger, "a", "0.50x100", stamp=10, take="0.50x60")
    assert shown(installation.ledger, "b", "0.50x5", stamp=stamp) == before


def test_the_complements_book_shows_the_same_levels(installation: Installation) -> None:
    shown(installation.ledger, "a", "0.60x100", stamp=10, take="0.60x60")
    # A bid for the second outcome at 0.40 is an offer of the first one at 0.60.
    assert shown(installation.ledger, "b", "0.40x25", stamp=11, no=True) == remembered("0.60x25", stamp=11)


def test_books_are_seen_in_the_order_in_which_they_changed(installation: Installation) -> None:
    shown(installation.ledger, "a", "0.50x100", stamp=10, take="0.50x60")
    run = begin(installation.ledger, a_run("b"))
    older, newer = (
        book(asks="0.50x20", changed_at_ms=11),
        book(outcome_index=1, bids="0.50x90", changed_at_ms=12),
    )
    installation.ledger.observe(inputs(newer, older), [])
    finish(installation.ledger, run)
    assert installation.reader.taken()[Mode.PAPER] == remembered("0.50x20", stamp=12)


def test_a_market_from_which_nothing_is_taken_leaves_no_trace(installation: Installation) -> None:
    assert shown(installation.ledger, "a", "0.50x100", stamp=10) == []
    after = shown(installation.ledger, "b", "0.50x100", stamp=5, take="0.50x1")
    assert after == remembered("0.50x1", stamp=5)


def test_what_several_fills_take_from_one_level_adds_up(installation: Installation) -> None:
    shown(installation.ledger, "a", "0.50x100 0.51x100", stamp=10, take="0.50x60")
    after = shown(installation.ledger, "b", "0.50x100 0.51x100", stamp=10, take="0.50x15")
    assert after == remembered("0.50x75", stamp=10)
    after = shown(installation.ledger, "c", "0.50x100 0.51x100", stamp=10, take="0.51x1.000001")
    assert after == remembered("0.50x75 0.51x1.000001", stamp=10)


def test_a_failed_run_takes_no_liquidity(installation: Installation) -> None:
    before = shown(installation.ledger, "a", "0.50x100", stamp=10, take="0.50x60")
    run = begin(installation.ledger, a_run("b"))
    installation.ledger.observe(inputs(book(asks="0.50x1", changed_at_ms=11)), [])
    give_up(installation.ledger, run)
    assert list(whole_snapshot(installation.ledger).taken) == before


def plain(snapshot: Snapshot) -> Snapshot:
    """The snapshot with lists for its sequences, so that `==` compares what is in them."""
    return replace(
        snapshot,
        open_orders=list(snapshot.open_orders),
        taken=list(snapshot.taken),
        executions={name: list(found) for name, found in snapshot.executions.items() if found},
    )


def test_a_scratch_ledger_goes_on_from_the_snapshot_it_is_seeded_with(installation: Installation) -> None:
    run = a_run()
    rain, snow = order_of(run), order_of(run, line=1, on=SNOW)
    sale = order_of(run, line=2, on=SNOW, side=Side.SELL, amount=shares("10"))
    carried_out(
        installation.ledger,
        run,
        [rain, snow, sale],
        *map(accepted, (rain, snow, sale)),
        filled(rain, fill(rain, "10", "0.50"), taken="0.50x10"),
        filled(snow, fill(snow, "30", "0.50")),
    )
    asked: dict[str, Any] = {"markets": [RAIN.market_id], "orders": [rain.order_id]}
    snapshot = installation.ledger.snapshot(Mode.PAPER, **asked)
    scratch = MemoryLedger.seeded(snapshot)
    assert plain(scratch.snapshot(Mode.PAPER, **asked)) == plain(snapshot)
    for ledger in (installation.ledger, scratch):
        next_run = ledger.open_run(a_run("july"))
        ledger.snapshot(Mode.PAPER, **asked)
        ledger.observe(inputs(book(asks="0.50x4", changed_at_ms=2)), [])
        news = filled(rain, fill(rain, "5", "0.49", number=2, fee="0.1"), taken="0.49x5")
        ledger.apply([news, Canceled(order_id=rain.order_id, at=NOON, code="CANCEL_AFTER")])
        finish(ledger, next_run)
    ours, theirs = (ledger.snapshot(Mode.PAPER, **asked) for ledger in (installation.ledger, scratch))
    assert plain(replace(ours, sequence=0)) == plain(replace(theirs, sequence=0))


def test_a_scratch_ledger_can_forget_what_was_taken(installation: Installation) -> None:
    shown(installation.ledger, "a", "0.50x100", stamp=10, take="0.50x60")
    snapshot = whole_snapshot(installation.ledger)
    scratch = whole_snapshot(MemoryLedger.seeded(snapshot, taken=[]))
    assert plain(scratch) == plain(replace(snapshot, taken=[]))


def test_a_memory_ledger_never_writes_over_an_order_that_may_have_left() -> None:
    ledger = MemoryLedger()
    run = begin(ledger, a_run(mode=Mode.LIVE))
    ledger.record([order_of(run, sending_at=NOON)], [], sends_out=True)
    with pytest.raises(AssertionError, match="was recorded before"):
        ledger.record([order_of(run)], [], sends_out=True)
