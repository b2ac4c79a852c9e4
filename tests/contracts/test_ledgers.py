"""The promises of every ledger about runs, and about facts that are told once, twice, late or wrongly."""

from dataclasses import replace
from datetime import timedelta

import pytest

from betteroms.domain.errors import PlanAlreadyRun, PlanChanged
from betteroms.domain.ids import OrderId, run_id
from betteroms.domain.order import (
    Canceled,
    CancelRequested,
    Expired,
    ImpossibleTransition,
    OrderStatus,
    Reversed,
    Unconfirmed,
)
from betteroms.domain.position import fold
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode, Side
from tests.contracts.builders import (
    NOON,
    RAIN,
    SUMMARY,
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
    opposite,
    order_of,
    payload,
    token,
    whole_snapshot,
)
from tests.contracts.ledgers import Installation
from tests.domain.examples import size, usdc

LATER = timedelta(hours=1)


def begun_to_write(at: Installation) -> OrderId:
    """A paper run that did everything but end; the id of its order."""
    run = begin(at.ledger, a_run())
    order = order_of(run)
    at.ledger.observe(inputs(book(asks="0.50x60")), [payload()])
    at.ledger.record([order], [], sends_out=False)
    at.ledger.apply([accepted(order), filled(order, fill(order, "60", "0.50"), taken="0.50x60")])
    return order.order_id


def nothing_written(at: Installation) -> bool:
    reader = at.reader
    written = [reader.orders(), reader.executions(), reader.positions(), reader.events(), reader.payloads()]
    return not any(written) and not any(reader.taken().values())


def test_a_completed_plan_is_refused_with_the_promised_words(installation: Installation) -> None:
    finish(installation.ledger, begin(installation.ledger, a_run()))
    with pytest.raises(PlanAlreadyRun, match=r"^planId already exists: june\b"):
        installation.ledger.open_run(a_run(at=NOON + LATER))
    [seen] = installation.reader.runs()
    assert (seen.status, seen.attempt, seen.now) == (RunStatus.COMPLETED, 1, NOON)
    assert seen.summary == SUMMARY
    assert seen.completed_at == NOON + timedelta(seconds=1)


def test_changed_content_is_refused_and_both_contents_are_named(installation: Installation) -> None:
    give_up(installation.ledger, begin(installation.ledger, a_run(content_hash="a1" * 32)))
    with pytest.raises(PlanChanged) as refused:
        installation.ledger.open_run(a_run(content_hash="b2" * 32, at=NOON + LATER))
    for part in ("june", "a1" * 6, "b2" * 6, "2026-11-20T12:00:05Z"):
        assert part in str(refused.value)
    assert installation.reader.runs()[0].content_hash == "a1" * 32


def test_a_completed_plan_with_changed_content_is_refused_too(installation: Installation) -> None:
    finish(installation.ledger, begin(installation.ledger, a_run()))
    with pytest.raises((PlanAlreadyRun, PlanChanged), match="planId already exists"):
        installation.ledger.open_run(a_run(content_hash="b2" * 32))


def test_a_resumed_run_keeps_its_id_and_counts_attempts(installation: Installation) -> None:
    first = begin(installation.ledger, a_run())
    give_up(installation.ledger, first)
    second = begin(installation.ledger, a_run(at=NOON + LATER))
    installation.die()
    third = begin(installation.ledger, a_run(at=NOON + 2 * LATER))
    assert (first.attempt, second.attempt, third.attempt) == (1, 2, 3)
    assert first.run_id == second.run_id == third.run_id
    finish(installation.ledger, third)
    [seen] = installation.reader.runs()
    assert (seen.run_id, seen.attempt, seen.now) == (first.run_id, 3, NOON + 2 * LATER)
    assert (seen.status, seen.error) == (RunStatus.COMPLETED, None)


def test_a_ledger_tells_what_became_of_a_plan(installation: Installation) -> None:
    assert installation.ledger.find_run(Mode.PAPER, "june") is None
    run = begin(installation.ledger, a_run())
    statuses = []
    for end in (give_up, finish):
        found = installation.ledger.find_run(Mode.PAPER, "june")
        assert found is not None
        statuses.append((found.status, found.attempt, found.content_hash == run.content_hash))
        end(installation.ledger, run)
        run = run if end is finish else begin(installation.ledger, a_run(at=NOON + LATER))
    found = installation.ledger.find_run(Mode.PAPER, "june")
    assert found is not None
    assert statuses == [(RunStatus.RUNNING, 1, True), (RunStatus.RUNNING, 2, True)]
    assert (found.status, found.started_at) == (RunStatus.COMPLETED, NOON + LATER)


def test_a_plan_may_be_carried_out_once_in_each_mode(installation: Installation) -> None:
    for mode in Mode:
        finish(installation.ledger, begin(installation.ledger, a_run(mode=mode)))
    assert {seen.mode for seen in installation.reader.runs()} == set(Mode)
    assert len({seen.run_id for seen in installation.reader.runs()}) == len(Mode)


def test_runs_without_a_plan_do_not_stand_in_each_others_way(installation: Installation) -> None:
    for hours in range(2):
        finish(installation.ledger, begin(installation.ledger, a_run(None, at=NOON + hours * LATER)))
    assert [seen.status for seen in installation.reader.runs()] == [RunStatus.COMPLETED] * 2


def test_only_a_trade_uses_a_plan_up(installation: Installation) -> None:
    rehearsal = a_run("june", kind="rehearsal", run_id=run_id(Mode.PAPER, "rehearsal", "june"))
    finish(installation.ledger, begin(installation.ledger, rehearsal))
    assert installation.ledger.find_run(Mode.PAPER, "june") is None
    assert begin(installation.ledger, a_run("june")).attempt == 1


def test_a_failed_run_leaves_only_its_row_and_its_deposit(installation: Installation) -> None:
    begun_to_write(installation)
    give_up(installation.ledger, a_run())
    assert nothing_written(installation)
    [seen] = installation.reader.runs()
    assert (seen.status, seen.error) == (RunStatus.FAILED, "the venue is silent")
    assert seen.completed_at == NOON + timedelta(seconds=1)
    assert installation.reader.entries() == [a_deposit()]


def test_a_completed_run_cannot_fail_any_more(installation: Installation) -> None:
    begun_to_write(installation)
    finish(installation.ledger, a_run())
    before = installation.reader.runs(), installation.reader.orders()
    give_up(installation.ledger, a_run(), "the answer to COMMIT was lost")
    assert (installation.reader.runs(), installation.reader.orders()) == before
    assert installation.reader.runs()[0].status is RunStatus.COMPLETED


def test_a_run_that_died_leaves_only_its_row_and_its_deposit(installation: Installation) -> None:
    name = begun_to_write(installation)
    installation.die()
    assert nothing_written(installation)
    assert installation.reader.runs()[0].status is RunStatus.RUNNING
    assert whole_snapshot(installation.ledger, orders=[name]).known == {}
    assert installation.reader.entries() == [a_deposit()]


def test_what_a_failed_attempt_dropped_the_next_one_can_write(installation: Installation) -> None:
    name = begun_to_write(installation)
    give_up(installation.ledger, a_run())
    assert begun_to_write(installation) == name
    finish(installation.ledger, a_run())
    assert [order.order_id for order in installation.reader.orders()] == [name]
    assert len(installation.reader.executions()) == 1


def test_nothing_of_a_paper_run_can_be_seen_before_it_is_closed(installation: Installation) -> None:
    name = begun_to_write(installation)
    assert nothing_written(installation)
    finish(installation.ledger, a_run())
    assert [order.order_id for order in installation.reader.orders()] == [name]
    assert installation.reader.events() == [(name, "Accepted"), (name, "Filled")]
    assert [kept.body for kept in installation.reader.payloads()] == [b"{}"]


def test_a_snapshot_shows_what_is_committed_and_nothing_pending(installation: Installation) -> None:
    name = begun_to_write(installation)
    snapshot = whole_snapshot(installation.ledger, orders=[name])
    give_up(installation.ledger, a_run())
    assert (snapshot.account.cash, snapshot.known, list(snapshot.taken)) == (usdc("1000"), {}, [])
    assert (list(snapshot.open_orders), snapshot.positions) == ([], {})


def test_an_order_that_never_left_may_be_judged_and_written_again(installation: Installation) -> None:
    first = begin(installation.ledger, a_run(mode=Mode.LIVE))
    orders = [order_of(first, line=line) for line in range(2)]
    installation.ledger.record(orders, [], sends_out=True)
    give_up(installation.ledger, first)
    again = begin(installation.ledger, a_run(mode=Mode.LIVE, at=NOON + LATER))
    sent = replace(order_of(again, at="0.45"), sending_at=again.now)
    stale = replace(order_of(again, line=1), status=OrderStatus.DENIED, code="STALE")
    installation.ledger.record([sent], [stale], sends_out=True)
    finish(installation.ledger, again)
    assert sorted(installation.reader.orders(), key=lambda order: order.intent.line or 0) == [sent, stale]


def test_orders_that_leave_the_process_are_kept_at_once(installation: Installation) -> None:
    run = begin(installation.ledger, a_run(mode=Mode.LIVE))
    order = order_of(run, sending_at=NOON)
    installation.ledger.record([order], [], sends_out=True)
    assert installation.reader.orders() == [order]
    installation.ledger.apply([Unconfirmed(order_id=order.order_id, at=NOON, reason="no answer in 10 s")])
    assert [kept.status for kept in installation.reader.orders()] == [OrderStatus.UNCONFIRMED]
    installation.ledger.apply([accepted(order), filled(order, fill(order, "5", "0.50"))])
    give_up(installation.ledger, run)
    [kept] = installation.reader.orders()
    assert (kept.status, kept.filled_size, kept.reason) == (OrderStatus.OPEN, size("5"), "no answer in 10 s")
    assert [name for _, name in installation.reader.events()] == ["Unconfirmed", "Accepted", "Filled"]


def resting(at: Installation, *, mode: Mode = Mode.PAPER, plan: str = "first") -> OrderId:
    """An order of a completed run, open and half filled by fill 1."""
    run = begin(at.ledger, a_run(plan, mode=mode))
    order = order_of(run)
    execution = fill(order, "50", "0.50", fee="0.1", external_execution_id="trade-1")
    at.ledger.record([order], [], sends_out=mode is Mode.LIVE)
    at.ledger.apply([accepted(order), filled(order, execution, taken="0.50x50")])
    finish(at.ledger, run)
    return order.order_id


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_the_same_fill_told_twice_counts_once(installation: Installation, mode: Mode) -> None:
    resting(installation, mode=mode)
    [order], taken = installation.reader.orders(), installation.reader.taken()
    run = begin(installation.ledger, a_run("second", mode=mode, at=NOON + LATER))
    again = filled(order, *installation.reader.executions(), taken="0.50x50")
    assert list(installation.ledger.apply([again])) == []
    finish(installation.ledger, run)
    assert installation.reader.orders() == [order]
    assert len(installation.reader.executions()) == 1
    assert [position.size for position in installation.reader.positions()] == [size("50")]
    assert installation.reader.taken() == taken
    assert [name for _, name in installation.reader.events()] == ["Accepted", "Filled"]


def test_a_fill_told_twice_in_one_breath_counts_once(installation: Installation) -> None:
    resting(installation)
    [order] = installation.reader.orders()
    run = begin(installation.ledger, a_run("second"))
    news = filled(order, fill(order, "10", "0.50", number=2))
    installation.ledger.apply([news, news])
    finish(installation.ledger, run)
    assert [execution.number for execution in installation.reader.executions()] == [1, 2]
    assert installation.reader.orders()[0].filled_size == size("60")


def test_a_fill_told_twice_in_the_run_of_its_order_counts_once(installation: Installation) -> None:
    run = begin(installation.ledger, a_run())
    order = order_of(run)
    installation.ledger.record([order], [], sends_out=False)
    news = filled(order, fill(order, "10", "0.50"))
    installation.ledger.apply([accepted(order), news])
    installation.ledger.apply([news])
    finish(installation.ledger, run)
    assert installation.reader.orders()[0].filled_size == size("10")


def test_a_fill_is_known_by_the_venues_id_under_any_number(installation: Installation) -> None:
    resting(installation, mode=Mode.LIVE)
    [order] = installation.reader.orders()
    run = begin(installation.ledger, a_run("second", mode=Mode.LIVE))
    renumbered = fill(order, "50", "0.50", number=2, external_execution_id="trade-1")
    news = fill(order, "20", "0.49", number=3, external_execution_id="trade-2")
    [moved] = installation.ledger.apply([filled(order, renumbered, news)])
    finish(installation.ledger, run)
    assert (moved.filled_size, moved.fills) == (size("70"), 2)
    assert [e.external_execution_id for e in installation.reader.executions()] == ["trade-1", "trade-2"]
    assert installation.reader.orders() == [moved]


def test_a_known_fill_may_still_bring_the_news_that_the_order_is_complete(installation: Installation) -> None:
    resting(installation, mode=Mode.LIVE)
    [order], known = installation.reader.orders(), installation.reader.executions()
    taken = installation.reader.taken()
    run = begin(installation.ledger, a_run("second", mode=Mode.LIVE))
    news = filled(order, *known, taken="0.50x50", complete=True)
    [moved] = installation.ledger.apply([news])
    assert moved == replace(order, status=OrderStatus.FILLED)
    assert list(installation.ledger.apply([news])) == []
    finish(installation.ledger, run)
    assert installation.reader.orders() == [moved]
    assert installation.reader.executions() == known
    assert installation.reader.taken() == taken


@pytest.mark.parametrize("end", [Canceled, Expired])
def test_a_fill_after_the_end_is_booked_and_the_status_stays(
    installation: Installation, end: type[Canceled] | type[Expired]
) -> None:
    name = resting(installation)
    [order] = installation.reader.orders()
    run = begin(installation.ledger, a_run("second"))
    over = (
        Canceled(order_id=name, at=NOON, code="BY_HAND")
        if end is Canceled
        else Expired(order_id=name, at=NOON)
    )
    installation.ledger.apply([over])
    installation.ledger.apply([filled(order, fill(order, "50", "0.49", number=2), complete=True)])
    finish(installation.ledger, run)
    [kept] = installation.reader.orders()
    assert kept.status is (OrderStatus.CANCELED if end is Canceled else OrderStatus.EXPIRED)
    assert (kept.filled_size, kept.filled_cash, kept.fills) == (size("100"), usdc("49.5"), 2)
    assert [position.size for position in installation.reader.positions()] == [size("100")]


def test_a_reversal_takes_a_fill_back_by_a_row_of_its_own(installation: Installation) -> None:
    name = resting(installation, mode=Mode.LIVE)
    [execution] = installation.reader.executions()
    run = begin(installation.ledger, a_run("second", mode=Mode.LIVE))
    undone = opposite(execution, number=2)
    reversal = Reversed(order_id=name, at=NOON, executions=(undone,))
    installation.ledger.apply([reversal])
    assert list(installation.ledger.apply([reversal])) == []
    finish(installation.ledger, run)
    [order] = installation.reader.orders()
    assert (order.status, order.filled_size, order.fills) == (OrderStatus.OPEN, size("0"), 2)
    assert installation.reader.executions() == [execution, undone]
    account = whole_snapshot(installation.ledger, Mode.LIVE).account
    assert (account.cash, account.held) == (usdc("1000"), {})


def test_an_event_for_an_order_never_recorded_is_a_bug_that_names_it(installation: Installation) -> None:
    run = begin(installation.ledger, a_run())
    unknown = order_of(run)
    with pytest.raises(KeyError, match=unknown.order_id):
        installation.ledger.apply([accepted(unknown)])
    give_up(installation.ledger, run)
    assert nothing_written(installation)


def test_a_batch_with_an_impossible_event_leaves_nothing(installation: Installation) -> None:
    run = begin(installation.ledger, a_run(mode=Mode.LIVE))
    orders = [order_of(run, line=line) for line in range(2)]
    installation.ledger.record(orders, [], sends_out=True)
    bought = filled(orders[0], fill(orders[0], "5", "0.50"), taken="0.50x5")
    with pytest.raises(ImpossibleTransition):
        installation.ledger.apply(
            [accepted(orders[0]), bought, filled(orders[1], fill(orders[1], "5", "0.50"))]
        )
    give_up(installation.ledger, run)
    assert sorted(installation.reader.orders(), key=lambda o: o.intent.line or 0) == orders
    assert installation.reader.events() == []
    assert installation.reader.executions() == []
    assert installation.reader.positions() == []
    assert not any(installation.reader.taken().values())


def test_the_orders_that_moved_come_back_in_the_order_of_their_news(installation: Installation) -> None:
    run = begin(installation.ledger, a_run())
    orders = [order_of(run, line=line) for line in range(4)]
    installation.ledger.record(orders, [], sends_out=False)
    events = [accepted(orders[line]) for line in (2, 0, 1)]
    asked = CancelRequested(order_id=orders[2].order_id, at=NOON, reason="by hand")
    moved = installation.ledger.apply([*events, asked])
    assert [order.intent.line for order in moved] == [2, 0, 1]
    assert {order.status for order in moved} == {OrderStatus.OPEN}
    finish(installation.ledger, run)
    statuses = {order.intent.line: order.status for order in installation.reader.orders()}
    assert statuses[3] is OrderStatus.NEW


def test_facts_are_booked_in_the_order_in_which_they_are_told(installation: Installation) -> None:
    run = begin(installation.ledger, a_run())
    buy, sell = order_of(run), order_of(run, line=1, side=Side.SELL, at="0.40")
    installation.ledger.record([buy, sell], [], sends_out=False)
    told = [fill(buy, "10", "0.50"), fill(sell, "10", "0.60"), fill(buy, "10", "0.30", number=2)]
    events = [filled(order, execution) for order, execution in zip((buy, sell, buy), told, strict=True)]
    installation.ledger.apply([accepted(buy), accepted(sell), *events])
    finish(installation.ledger, run)
    assert installation.reader.executions() == told
    said = [(buy.order_id, "Accepted"), (sell.order_id, "Accepted")]
    said += [(event.order_id, "Filled") for event in events]
    assert installation.reader.events() == said
    [position] = installation.reader.positions()
    assert (position.size, position.cost_basis, position.realised) == (size("10"), usdc("3"), usdc("1"))
    nothing = replace(position, size=size("0"), cost_basis=usdc("0"), realised=usdc("0"), opened_at=None)
    assert fold(nothing, told) == position
    assert position.token_id == token(RAIN)
