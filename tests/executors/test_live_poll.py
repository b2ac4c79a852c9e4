"""Finding out live what became of orders: being seen anywhere proves it landed, nowhere proves nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.order import ChainState, Order, OrderStatus
from betteroms.domain.terms import Dollars, Liquidity, Side, TimeInForce
from betteroms.executors.live import ARRIVAL_MAX
from betteroms.ports.trading import Answer, Verdict
from tests.domain.examples import NO, NOW, an_intent, an_order, dollars, size, usdc
from tests.executors.live_stage import (
    LATE,
    Hand,
    Stage,
    Switch,
    a_fill,
    booked_of,
    executor,
    kinds,
    live,
    name_of,
    seen_open,
    told,
    unconfirmed,
    walk,
)

S = OrderStatus
TIF = TimeInForce
UNKNOWN = Answer(verdict=Verdict.UNKNOWN, reason="no answer")
REFUSED = Answer(verdict=Verdict.REFUSED, code="VENUE_BALANCE")


def polled(stage: Stage, order: Order, *, after: timedelta = timedelta(0), **parts: Any) -> Order:
    events = told(executor(stage, clock=Hand(NOW + after), **parts).poll([order]))
    return walk(order, events)


def test_what_never_left_is_not_looked_up() -> None:
    stage = Stage(silent=True)
    assert told(executor(stage).poll([an_order(status=S.NEW)])) == []


def test_a_process_that_died_while_sending_leaves_an_order_that_is_unconfirmed() -> None:
    assert polled(Stage(), live(status=S.NEW, placed_at=None)).status is S.UNCONFIRMED


@pytest.mark.parametrize("status", [S.NEW, S.UNCONFIRMED])
@pytest.mark.parametrize("where", ["open orders", "trades", "the order itself"])
def test_being_seen_anywhere_proves_that_it_landed(status: OrderStatus, where: str) -> None:
    order = live(status=status, placed_at=None)
    stage = Stage()
    if where == "open orders":
        stage.shown[name_of(order)] = seen_open(order)
    elif where == "trades":
        stage.trades.append(a_fill(order, filled="40"))
    else:
        stage.looked_up[name_of(order)] = seen_open(order)
    found = polled(stage, order)
    assert found.status is S.OPEN
    assert found.filled_size == (40_000_000 if where == "trades" else 0)


def test_a_young_order_seen_nowhere_stays_unconfirmed_and_is_not_sent_again() -> None:
    stage = Stage()
    assert polled(stage, unconfirmed(), after=LATE - timedelta(seconds=1)).status is S.UNCONFIRMED
    assert stage.posts == []


def test_an_order_unseen_for_long_is_sent_again_with_the_same_bytes() -> None:
    stage = Stage()
    order = unconfirmed()
    assert polled(stage, order, after=LATE).status is S.OPEN
    assert stage.posts == [[name_of(order)]]


def test_a_late_order_that_matches_when_it_is_sent_again_has_its_fills() -> None:
    order = unconfirmed()
    stage = Stage(answers=[Answer(verdict=Verdict.LANDED, matched=True)])
    hand = Hand(NOW + LATE)
    live_executor = executor(stage, clock=hand)
    batches = iter(live_executor.poll([order]))
    events = list(next(batches))
    stage.trades.append(a_fill(order))
    events += [event for batch in batches for event in batch]
    assert walk(order, events).status is S.FILLED


def test_what_was_sent_again_is_as_young_as_its_last_copy() -> None:
    """That copy may arrive late as well: nothing is concluded from a no to the next one, which waits."""
    first = Stage(answers=[UNKNOWN])
    again = polled(first, unconfirmed(), after=ARRIVAL_MAX + LATE)
    assert (again.status, again.sending_at) == (S.UNCONFIRMED, NOW + ARRIVAL_MAX + LATE)
    soon, later = Stage(answers=[REFUSED]), Stage(answers=[REFUSED])
    assert polled(soon, again, after=ARRIVAL_MAX + LATE + timedelta(seconds=10)).status is S.UNCONFIRMED
    assert soon.posts == []
    assert polled(later, again, after=ARRIVAL_MAX + 2 * LATE).status is S.UNCONFIRMED
    assert len(later.posts) == 1


def test_a_copy_is_written_down_before_it_leaves() -> None:
    stage = Stage(answers=[UNKNOWN])
    batches = iter(executor(stage, clock=Hand(NOW + LATE)).poll([unconfirmed()]))
    assert kinds(next(batches)) == ["Sending"]
    assert stage.posts == []
    assert kinds(next(batches)) == ["Unconfirmed"]
    assert len(stage.posts) == 1


@pytest.mark.parametrize("answer", [REFUSED, replace(REFUSED, verdict=Verdict.TURNED_AWAY)])
def test_a_no_to_the_second_copy_says_nothing_of_the_first_unless_that_is_too_old(answer: Answer) -> None:
    assert polled(Stage(answers=[answer]), unconfirmed(), after=LATE).status is S.UNCONFIRMED
    assert polled(Stage(answers=[answer]), unconfirmed(), after=ARRIVAL_MAX).status is S.REJECTED


@pytest.mark.parametrize(
    ("tif", "code"),
    [(TIF.FOK, "FOK_NOT_FILLED"), (TIF.FAK, "FAK_NO_MATCH"), (TIF.GTC, "CANCELED_AT_VENUE")],
)
def test_what_the_venue_has_seen_before_landed_and_has_ended_if_it_is_not_shown_later_either(
    tif: TimeInForce, code: str
) -> None:
    order = unconfirmed(an_intent(tif=tif))
    there = polled(Stage(answers=[Answer(verdict=Verdict.SEEN_BEFORE)]), order, after=LATE)
    assert there.status is S.OPEN
    assert polled(Stage(), there, after=LATE + timedelta(seconds=89)).status is S.OPEN
    ended = polled(Stage(), there, after=2 * LATE)
    assert (ended.status, ended.code) == (S.CANCELED, code)


def test_a_copy_that_was_refused_is_not_under_way() -> None:
    """So it makes the order no younger, and a no is believed once the earlier copies are too old."""
    still = polled(Stage(answers=[REFUSED]), unconfirmed(), after=LATE)
    assert (still.status, still.sending_at) == (S.UNCONFIRMED, NOW)
    assert polled(Stage(answers=[REFUSED]), still, after=ARRIVAL_MAX).status is S.REJECTED


def test_what_is_sent_again_goes_alone_too_where_no_name_is_proven() -> None:
    orders = [unconfirmed(an_intent(line=line)) for line in (1, 2, 3)]
    stage = Stage()
    told(executor(stage, proven=(), clock=Hand(NOW + LATE)).poll(orders))
    assert [len(names) for names in stage.posts] == [1, 2]


def test_with_the_switch_off_nothing_is_sent_again() -> None:
    stage = Stage()
    assert polled(stage, unconfirmed(), after=LATE, gate=Switch(looks=0)).status is S.UNCONFIRMED
    assert stage.posts == []


@pytest.mark.parametrize("why", ["its run was given up", "its time is over", "its bytes are gone"])
def test_what_is_not_wanted_any_more_is_asked_to_end_and_given_up_in_the_end(why: str) -> None:
    order = unconfirmed(an_intent(lifetime_seconds=60 if why == "its time is over" else 3600))
    parts = {"unwanted": {order.order_id}} if why == "its run was given up" else {}
    if why == "its bytes are gone":
        order = replace(order, signed=None)
    stage = Stage()
    assert polled(stage, order, after=LATE, **parts).status is S.UNCONFIRMED
    assert (stage.posts, stage.canceled) == ([], [])
    ended = polled(stage, order, after=ARRIVAL_MAX, **parts)
    assert (ended.status, ended.code) == (S.REJECTED, "NEVER_ARRIVED")
    assert (stage.posts, stage.canceled) == ([], [[name_of(order)]])


def test_an_order_that_shows_up_as_it_is_given_up_is_believed() -> None:
    order = unconfirmed(an_intent(lifetime_seconds=60))
    stage = Stage()
    live_executor = executor(stage, clock=Hand(NOW + ARRIVAL_MAX))
    stage.at_cancel = lambda: stage.trades.append(a_fill(order))
    assert walk(order, told(live_executor.poll([order]))).status is S.FILLED


def test_a_fill_is_booked_with_the_venues_numbers() -> None:
    order = live(an_intent(at="0.57"))
    stage = Stage(trades=[a_fill(order, filled="33.33", at="0.571")])
    (fill, *_) = [e for e in told(executor(stage).poll([order])) if kinds([e]) == ["Filled"]]
    (execution,) = fill.executions  # type: ignore[union-attr]
    assert execution.external_execution_id == "trade"
    assert execution.cash == -19_031_430
    assert execution.fee == usdc("0.57151")


@pytest.mark.parametrize("odd", [{"token_id": NO}, {"side": Side.SELL}])
def test_a_fill_that_cannot_be_the_orders_own_is_not_booked_and_nothing_is_concluded(odd: Any) -> None:
    """The venue names our order and another asset: somebody has to look at that (DECISIONS 7.7)."""
    order = live()
    stage = Stage(
        trades=[replace(a_fill(order), **odd)],
        looked_up={name_of(order): seen_open(order, matched="100", status="MATCHED")},
    )
    assert told(executor(stage, clock=Hand(NOW + 10 * LATE)).poll([order])) == []


def test_a_makers_fill_costs_no_fee() -> None:
    order = live(an_intent(side=Side.SELL))
    stage = Stage(trades=[a_fill(order, filled="10", liquidity=Liquidity.MAKER)])
    (fill, *_) = [e for e in told(executor(stage).poll([order])) if kinds([e]) == ["Filled"]]
    (execution,) = fill.executions  # type: ignore[union-attr]
    assert (execution.cash, execution.fee) == (5_000_000, 0)


def test_what_is_booked_already_is_not_told_again() -> None:
    order = live()
    stage = Stage(trades=[a_fill(order, filled="40")], shown={name_of(order): seen_open(order)})
    events = told(executor(stage).poll([order]))
    known = booked_of(order, events, ChainState.MATCHED)
    assert told(executor(stage, booked=known).poll([walk(order, events)])) == []


@pytest.mark.parametrize("state", [ChainState.MINED, ChainState.RETRYING, ChainState.CONFIRMED])
def test_settlement_is_told_as_it_goes_on(state: ChainState) -> None:
    order = live()
    stage = Stage(trades=[a_fill(order)])
    events = told(executor(stage).poll([order]))
    filled = walk(order, events)
    known = booked_of(order, events, ChainState.MATCHED)
    stage.trades = [a_fill(order, state=state)]
    assert kinds(told(executor(stage, booked=known).poll([filled]))) == ["Progressed"]


def test_a_fill_that_fails_on_the_chain_is_taken_back_by_a_row_of_its_own() -> None:
    order = live()
    stage = Stage(trades=[a_fill(order)])
    events = told(executor(stage).poll([order]))
    filled = walk(order, events)
    known = booked_of(order, events, ChainState.MATCHED)
    stage.trades = [a_fill(order, state=ChainState.FAILED)]
    undone = told(executor(stage, booked=known).poll([filled]))
    assert kinds(undone) == ["Progressed", "Reversed"]
    ended = walk(filled, undone)
    assert (ended.status, ended.filled_size, ended.filled_cash, ended.fills) == (S.FILLED, 0, 0, 2)
    again = {order.order_id: {"trade": (known[order.order_id]["trade"][0], ChainState.FAILED)}}
    assert told(executor(stage, booked=again).poll([ended])) == []


def test_a_fill_that_had_failed_before_it_was_seen_moved_nothing() -> None:
    order = live()
    stage = Stage(trades=[a_fill(order, state=ChainState.FAILED)], shown={name_of(order): seen_open(order)})
    assert told(executor(stage).poll([order])) == []


@pytest.mark.parametrize(
    ("tif", "there", "filled", "after", "status", "code"),
    [
        (TIF.GTC, "CANCELED", None, 0, S.CANCELED, "CANCELED_AT_VENUE"),
        (TIF.GTC, "CANCELED_MARKET_RESOLVED", None, 0, S.CANCELED, "MARKET_RESOLVED"),
        (TIF.GTC, "CANCELED", "40", 0, S.CANCELED, "CANCELED_AT_VENUE"),
        (TIF.GTC, "CANCELED", "30", 0, S.OPEN, None),  # forty are matched there: ten are still to be shown
        (TIF.GTC, "CANCELED", "30", 90, S.OPEN, None),  # however long that takes
        (TIF.GTC, None, None, 89, S.OPEN, None),
        (TIF.GTC, None, None, 90, S.CANCELED, "CANCELED_AT_VENUE"),
        (TIF.FAK, "CANCELED", "40", 0, S.CANCELED, "FAK_REMAINDER"),
        (TIF.FAK, "CANCELED", None, 0, S.CANCELED, "FAK_NO_MATCH"),
        (TIF.FOK, "CANCELED", None, 0, S.CANCELED, "FOK_NOT_FILLED"),
    ],
)
def test_an_order_that_is_over_ends_once_its_fills_are_there(
    tif: TimeInForce, there: str | None, filled: str | None, after: int, status: OrderStatus, code: str | None
) -> None:
    order = live(an_intent(tif=tif))
    stage = Stage()
    if there is not None:
        stage.looked_up[name_of(order)] = seen_open(order, status=there, matched="40" if filled else "0")
    if filled is not None:
        stage.trades.append(a_fill(order, filled=filled))
    ended = polled(stage, order, after=timedelta(seconds=after))
    assert (ended.status, ended.code) == (status, code)


def test_a_dated_order_that_is_gone_after_its_time_has_expired() -> None:
    order = live(an_intent(tif=TIF.GTD, lifetime_seconds=120))
    stage = Stage(looked_up={name_of(order): seen_open(order, status="CANCELED")})
    assert polled(stage, order, after=timedelta(seconds=121)).status is S.EXPIRED


@pytest.mark.parametrize(
    ("tif", "filled", "status"),
    [(TIF.FAK, "100", S.FILLED), (TIF.FAK, "60", S.CANCELED), (TIF.FOK, "60", S.FILLED)],
)
def test_a_dollar_buy_is_filled_when_its_dollars_are_spent(
    tif: TimeInForce, filled: str, status: OrderStatus
) -> None:
    order = live(an_intent(tif=tif, amount=dollars("50")), amount=Dollars(usdc=usdc("50")))
    stage = Stage(
        trades=[a_fill(order, filled=filled)],
        looked_up={name_of(order): seen_open(order, status="MATCHED", matched=filled)},
    )
    ended = polled(stage, order)
    assert ended.status is status
    assert ended.filled_size == size(filled)


def test_a_share_sized_order_is_filled_within_the_drift() -> None:
    order = live()
    assert polled(Stage(trades=[a_fill(order, filled="99.99")]), order).status is S.FILLED


def test_what_rests_past_its_time_is_canceled_with_what_it_had_filled() -> None:
    order = live(an_intent(lifetime_seconds=60))
    stage = Stage(shown={name_of(order): seen_open(order)}, trades=[a_fill(order, filled="40")])
    events = told(executor(stage, clock=Hand(NOW + timedelta(seconds=61))).poll([order]))
    assert kinds(events) == ["Filled", "Progressed", "Canceled"]
    assert stage.canceled == [[name_of(order)]]
    assert walk(order, events).code == "CANCEL_AFTER"


def test_a_dated_order_that_rests_past_its_time_expires_before_the_venue_ends_it() -> None:
    order = live(an_intent(tif=TIF.GTD, lifetime_seconds=120))
    stage = Stage(shown={name_of(order): seen_open(order)})
    events = told(executor(stage, clock=Hand(NOW + timedelta(seconds=121))).poll([order]))
    assert (kinds(events), stage.canceled) == (["Expired"], [[name_of(order)]])


def test_an_order_that_is_found_ended_after_its_time_outlived_it_whoever_ended_it() -> None:
    order = live(an_intent(lifetime_seconds=60))
    stage = Stage(looked_up={name_of(order): seen_open(order, status="CANCELED")})
    assert polled(stage, order, after=timedelta(seconds=61)).code == "CANCEL_AFTER"


def test_a_venue_that_does_not_answer_the_cancel_changes_nothing() -> None:
    order = live(an_intent(lifetime_seconds=60))
    stage = Stage(shown={name_of(order): seen_open(order)})

    def silence() -> None:
        raise VenueUnreachable("no answer")

    stage.at_cancel = silence
    assert polled(stage, order, after=timedelta(seconds=61)).status is S.OPEN


def test_an_old_order_whose_fill_is_not_shown_yet_is_not_given_up_for_its_age() -> None:
    order = live()
    stage = Stage(looked_up={name_of(order): seen_open(order, status="MATCHED", matched="100")})
    assert polled(stage, order, after=timedelta(hours=2)).status is S.OPEN
    stage.trades.append(a_fill(order))
    assert polled(stage, order, after=timedelta(hours=2)).status is S.FILLED


def test_the_end_of_an_order_that_the_venue_has_forgotten_is_ours_to_conclude() -> None:
    order = live(status=S.CANCELED)
    assert told(executor(Stage()).poll([order])) == []


def test_many_late_orders_go_in_batches() -> None:
    stage = Stage()
    orders = [unconfirmed(an_intent(line=line)) for line in range(16)]
    events = told(executor(stage, clock=Hand(NOW + LATE)).poll(orders))
    assert [len(post) for post in stage.posts] == [15, 1]
    one_batch, another = ["Sending"] * 15 + ["Accepted"] * 15, ["Sending", "Accepted"]
    assert kinds(events) == [*one_batch, *another]


def test_an_expired_order_that_the_cancel_does_not_confirm_is_left_for_the_next_look() -> None:
    order = live(an_intent(lifetime_seconds=60))
    stage = Stage(shown={name_of(order): seen_open(order)}, not_canceled={name_of(order): "?"})
    assert polled(stage, order, after=timedelta(seconds=61)).status is S.OPEN
