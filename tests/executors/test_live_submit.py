"""Sending live: named and written down first, in batches, each answer meaning what the table says."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.ids import MarketId
from betteroms.domain.order import Order, OrderEvent, OrderStatus
from betteroms.executors.live.answers import OrderIdMismatch, heard
from betteroms.ports.trading import Answer, Verdict
from tests.domain.examples import CRYPTO_FEES, MARKET_ID, NOW, a_market, an_intent, an_order
from tests.executors.live_stage import (
    DOMAIN,
    LANDED,
    Hand,
    Pen,
    Stage,
    Switch,
    a_fill,
    executor,
    kinds,
    live,
    name_of,
    seen_open,
    told,
    walk,
)

S = OrderStatus
UNKNOWN = Answer(verdict=Verdict.UNKNOWN, reason="no answer")
MATCHED = replace(LANDED, matched=True)
AWAY = Answer(verdict=Verdict.TURNED_AWAY, code="VENUE_RESTARTING", reason="425")


def wished(count: int, **changed: object) -> list[Order]:
    return [an_order(an_intent(line=line), status=S.NEW, **changed) for line in range(count)]


def test_an_order_is_named_and_its_bytes_kept_before_it_is_sent() -> None:
    (order,) = executor(Stage()).prepare(wished(1))
    assert order.external_order_id == name_of(order)
    assert order.signed is not None
    assert order.signed.reveal() == f"signed {order.order_id} 10000"
    assert order.sending_at == NOW


def test_only_the_first_batch_is_marked_as_being_sent() -> None:
    prepared = executor(Stage()).prepare(wished(17))
    assert [order.sending_at is not None for order in prepared] == [True] * 15 + [False] * 2


def test_the_answers_of_one_batch_mark_the_next_as_being_sent() -> None:
    stage, hand = Stage(), Hand()
    live_executor = executor(stage, clock=hand)
    orders = live_executor.prepare(wished(17))
    first, second = live_executor.submit(orders)
    assert kinds(first) == ["Accepted"] * 15 + ["Sending"] * 2
    assert kinds(second) == ["Accepted"] * 2
    assert [len(post) for post in stage.posts] == [15, 2]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (LANDED, S.OPEN, None),
        (Answer(verdict=Verdict.KILLED, code="FOK_NOT_FILLED"), S.CANCELED, "FOK_NOT_FILLED"),
        (Answer(verdict=Verdict.REFUSED, code="VENUE_BALANCE"), S.REJECTED, "VENUE_BALANCE"),
        (Answer(verdict=Verdict.REFUSED, reason="no"), S.REJECTED, "VENUE_REFUSED"),
        (AWAY, S.REJECTED, "VENUE_RESTARTING"),
        (Answer(verdict=Verdict.SEEN_BEFORE), S.UNCONFIRMED, None),
        (UNKNOWN, S.UNCONFIRMED, None),
    ],
)
def test_each_answer_means_what_the_table_says(answer: Answer, status: OrderStatus, code: str | None) -> None:
    live_executor = executor(Stage(answers=[answer]))
    (order,) = live_executor.prepare(wished(1))
    ended = walk(order, told(live_executor.submit([order])))
    assert (ended.status, ended.code) == (status, code)


def test_no_verdict_is_without_a_meaning() -> None:
    order = live(status=S.NEW)
    for verdict in Verdict:
        assert heard(order, Answer(verdict=verdict, code="CODE"), NOW)


def test_another_name_than_ours_stops_everything_and_is_never_taken_for_a_refusal() -> None:
    stage = Stage(answers=[LANDED, replace(LANDED, external_order_id="0xother")])
    live_executor = executor(stage)
    orders = live_executor.prepare(wished(20))
    batches: list[Sequence[OrderEvent]] = []
    with pytest.raises(OrderIdMismatch, match="0xother"):
        batches.extend(live_executor.submit(orders))
    assert len(stage.posts) == 1
    assert live_executor.proven == {DOMAIN}


def test_the_first_order_of_a_domain_goes_alone() -> None:
    stage = Stage()
    live_executor = executor(stage, proven=())
    orders = live_executor.prepare(wished(4))
    assert [order.sending_at is not None for order in orders] == [True, False, False, False]
    told(live_executor.submit(orders))
    assert [len(post) for post in stage.posts] == [1, 3]
    assert live_executor.proven == {DOMAIN}


def test_while_a_domain_is_not_proven_its_orders_go_one_by_one_and_others_together() -> None:
    other = MarketId("0x" + "ee" * 32)
    stage = Stage(answers=[LANDED, LANDED, UNKNOWN])
    markets = {MARKET_ID: a_market(fees=CRYPTO_FEES), other: a_market(market_id=other)}
    live_executor = executor(stage, signer=Pen([other]), markets=markets)
    wishes = [an_intent(line=line, market_id=MARKET_ID if line < 2 else other) for line in range(5)]
    orders = live_executor.prepare([an_order(wish, status=S.NEW) for wish in wishes])
    told(live_executor.submit(orders))
    assert [len(post) for post in stage.posts] == [2, 1, 1, 1]


def test_once_the_switch_is_off_nothing_more_leaves() -> None:
    stage = Stage()
    live_executor = executor(stage, gate=Switch(looks=1))
    orders = live_executor.prepare(wished(20))
    events = told(live_executor.submit(orders))
    assert [len(post) for post in stage.posts] == [15]
    assert [walk(order, events).code for order in orders[15:]] == ["LIVE_OFF"] * 5


def test_a_venue_that_takes_no_orders_now_leaves_the_rest_unsent() -> None:
    stage = Stage(answers=[AWAY] * 15)
    live_executor = executor(stage)
    orders = live_executor.prepare(wished(16))
    events: list[OrderEvent] = []
    with pytest.raises(VenueUnreachable, match="takes no orders now: 425"):
        events.extend(told(live_executor.submit(orders)))
    assert len(stage.posts) == 1
    assert orders[15].sending_at is None


def test_what_is_matched_at_once_has_its_fills_in_the_same_pass() -> None:
    stage = Stage(answers=[MATCHED])
    live_executor = executor(stage)
    (order,) = live_executor.prepare(wished(1))
    stage.trades.append(a_fill(order, filled="60", name="one"))
    stage.trades.append(a_fill(order, filled="40", at="0.49", name="two"))
    ended = walk(order, told(live_executor.submit([order])))
    assert (ended.status, ended.filled_size, ended.fills) == (S.FILLED, 100_000_000, 2)
    assert ended.filled_cash == 30_000_000 + 19_600_000
    assert ended.signed is None


def test_a_venue_that_falls_silent_after_it_took_the_order_leaves_it_open() -> None:
    stage = Stage(answers=[MATCHED], silent=True)
    live_executor = executor(stage)
    (order,) = live_executor.prepare(wished(1))
    assert walk(order, told(live_executor.submit([order]))).status is S.OPEN


def test_an_order_matched_in_part_rests_with_what_is_left() -> None:
    stage = Stage(answers=[MATCHED])
    live_executor = executor(stage)
    (order,) = live_executor.prepare(wished(1))
    stage.trades.append(a_fill(order, filled="60"))
    stage.shown[name_of(order)] = seen_open(order, matched="60")
    ended = walk(order, told(live_executor.submit([order])))
    assert (ended.status, ended.remaining) == (S.OPEN, 40_000_000)


def test_a_match_that_nobody_shows_yet_is_left_for_the_next_look() -> None:
    live_executor = executor(Stage(answers=[MATCHED]))
    (order,) = live_executor.prepare(wished(1))
    assert walk(order, told(live_executor.submit([order]))).status is S.OPEN
