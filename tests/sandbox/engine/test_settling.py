"""How trades come to the chain, and what is whose until then."""

from itertools import pairwise

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.events import Event, TradeMoved
from betteroms.sandbox.exchange.book import spent_out
from betteroms.sandbox.exchange.checks import books_add_up, promises_add_up
from betteroms.sandbox.exchange.holds import exchange_of
from betteroms.sandbox.model import MICROS, Trade, TradeStatus
from tests.sandbox.engine.hall import START_MS, Hall


def _matched(hall: Hall, *, size: str = "10") -> Trade:
    """Bob buys of ann, ten at a half unless told."""
    hall.fund("ann")
    hall.fund("bob")
    hall.sell("ann", size, "0.5")
    return hall.buy("bob", size, "0.5").trades[0]


class Watched(Hall):
    """Notes what trades are at the moment it is told: `moves` has ms since the start, and the status."""

    def __init__(self) -> None:
        self.moves: list[tuple[int, str]] = []
        super().__init__()

    def hear(self, event: Event) -> None:
        if isinstance(event, TradeMoved):
            self.moves.append((event.at_ms - START_MS, event.trade.status.value))


def test_a_trade_is_matched_then_mined_then_confirmed() -> None:
    hall = Watched()
    _matched(hall)
    hall.settle()
    assert hall.moves == [(0, "MATCHED"), (2_000, "MINED"), (6_000, "CONFIRMED")]


def test_balances_move_when_it_is_mined_and_not_before() -> None:
    hall = Hall()
    _matched(hall)
    hall.wait(1.999)
    assert (hall.dollars("bob"), hall.shares("bob")) == (1_000 * MICROS, 1_000 * MICROS)
    assert hall.exchange.available(hall.wallet("bob"), None) == 995 * MICROS
    assert hall.exchange.available(hall.wallet("bob"), hall.market.token_ids[0]) == 1_000 * MICROS
    hall.wait(0.001)
    assert (hall.dollars("bob"), hall.shares("bob")) == (995 * MICROS, 1_010 * MICROS)
    assert hall.exchange.available(hall.wallet("bob"), None) == 995 * MICROS


def test_a_retry_is_another_transaction() -> None:
    hall = Watched()
    trade = _matched(hall)
    first = hall.exchange.transaction_hash(trade)
    hall.exchange.script_settlement(hall.exchange.trade_id(trade), ["RETRYING", "RETRYING", "MINED"])
    hall.wait(2)
    second = hall.exchange.transaction_hash(trade)
    assert second != first
    assert hall.exchange.trade_mined_in(second) is trade
    assert hall.exchange.trade_mined_in(first) is None
    hall.settle()
    assert hall.moves == [
        (0, "MATCHED"),
        (2_000, "RETRYING"),
        (4_000, "RETRYING"),
        (6_000, "MINED"),
        (10_000, "CONFIRMED"),
    ]


def test_a_failed_trade_moves_nothing_and_its_orders_stay_matched() -> None:
    hall = Watched()
    hall.exchange.fail_next()
    trade = _matched(hall)
    hall.settle()
    assert hall.moves == [(0, "MATCHED"), (2_000, "FAILED")]
    assert (hall.dollars("bob"), hall.shares("bob")) == (1_000 * MICROS, 1_000 * MICROS)
    assert hall.exchange.available(hall.wallet("bob"), None) == 1_000 * MICROS
    assert (trade.taker.matched, trade.taker.status.value) == (10 * MICROS, "MATCHED")
    assert hall.buy("bob", "10", "0.4").status == "live"


def test_only_so_many_trades_fail_as_were_told_to() -> None:
    hall = Hall()
    hall.exchange.fail_next(2)
    trades = [_matched(hall) for _ in range(3)]
    hall.settle()
    assert [trade.status for trade in trades] == [
        TradeStatus.FAILED,
        TradeStatus.FAILED,
        TradeStatus.CONFIRMED,
    ]


def test_an_order_can_be_told_beforehand_how_its_trades_go() -> None:
    hall = Hall()
    hall.fund("ann")
    hall.fund("bob")
    sold = hall.sell("ann", "20", "0.5").order
    hall.exchange.script_settlement(sold.id, ["RETRYING", "FAILED"])
    trades = [hall.buy("bob", "10", "0.5").trades[0] for _ in range(2)]
    hall.settle()
    assert [(trade.status, trade.attempt) for trade in trades] == [(TradeStatus.FAILED, 1)] * 2


@pytest.mark.parametrize("steps", [["MATCHED"], ["MINED", "RETRYING"], ["FAILED", "MINED"], ["NEW"]])
def test_a_trade_cannot_go_just_any_way(steps: list[str]) -> None:
    hall = Hall()
    trade = _matched(hall)
    with pytest.raises(ValueError, match=r"no way for a trade|not a valid TradeStatus"):
        hall.exchange.script_settlement(hall.exchange.trade_id(trade), steps)


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_trade_fails_if_somebody_has_not_what_was_promised(who: str) -> None:
    hall = Hall()
    trade = _matched(hall)
    what = hall.market.token_ids[0] if who == "ann" else None
    hall.bank.move({(hall.wallet(who), what): 1 - hall.bank.balance(hall.wallet(who), what)})
    hall.settle()
    assert trade.status is TradeStatus.FAILED
    assert hall.bank.balance(hall.wallet(who), what) == 1


def test_a_trade_fails_if_the_exchange_may_not_take_it_any_more() -> None:
    hall = Hall()
    trade = _matched(hall)
    hall.bank.approve(hall.wallet("bob"), exchange_of(hall.market), 0)
    hall.settle()
    assert trade.status is TradeStatus.FAILED


def test_an_allowance_is_used_up_unless_it_is_unlimited() -> None:
    hall = Hall()
    hall.fund("ann")
    hall.fund("bob")
    spender = exchange_of(hall.market)
    hall.bank.approve(hall.wallet("bob"), spender, 7 * MICROS)
    hall.sell("ann", "10", "0.5")
    hall.buy("bob", "10", "0.5")
    hall.settle()
    assert hall.bank.allowance(hall.wallet("bob"), spender) == 2 * MICROS


def test_a_large_match_is_several_trades_with_a_transaction_each() -> None:
    hall = Hall()
    hall.fund("ann")
    hall.fund("bob")
    sold = [hall.sell("ann", "5", "0.5").order for _ in range(45)]
    placement = hall.buy("bob", "225", "0.5")
    trades = placement.trades
    assert [(trade.bucket, len(trade.fills)) for trade in trades] == [(0, 20), (1, 20), (2, 5)]
    assert [fill.order for trade in trades for fill in trade.fills] == sold
    assert placement.order.trades == tuple(trade.number for trade in trades)
    assert len({hall.exchange.transaction_hash(trade) for trade in trades}) == 3
    hall.settle()
    assert hall.shares("bob") == 1_225 * MICROS


def test_fees_go_to_the_receiver_and_makers_pay_none() -> None:
    hall = Hall(fee_rate=40_000)
    trade = _matched(hall, size="100")
    hall.settle()
    assert trade.fee == hall.fees() == MICROS
    assert (hall.dollars("ann"), hall.dollars("bob")) == (1_050 * MICROS, 949 * MICROS)


def test_a_sellers_fee_is_kept_from_what_it_gets() -> None:
    hall = Hall(fee_rate=40_000)
    hall.fund("ann")
    hall.fund("bob")
    hall.buy("ann", "100", "0.5")
    placement = hall.sell("bob", "100", "0.5")
    hall.settle()
    assert (placement.making, placement.taking) == (100 * MICROS, 50 * MICROS)
    assert (hall.dollars("ann"), hall.dollars("bob")) == (950 * MICROS, 1_049 * MICROS)


def test_no_fee_is_more_than_what_a_seller_gets() -> None:
    hall = Hall(fee_rate=70_000, tick=100)
    for person in ("ann", "bob", "cat"):
        hall.fund(person)
    hall.buy("ann", "5.01", "0.0001")
    hall.sell("bob", "5", "0.0001")
    hall.buy("cat", "5", "0.0001")
    trade = hall.sell("bob", "5", "0.0001").trades[0]
    assert [(fill.shares, fill.dollars) for fill in trade.fills] == [(10_000, 1), (4_990_000, 499)]
    assert trade.fee == 1 + 30
    hall.settle()
    assert trade.status is TradeStatus.CONFIRMED


@pytest.mark.parametrize(
    ("side", "used", "out"),
    [
        (Side.BUY, 9_899_800, False),
        (Side.BUY, 9_899_998, True),  # for two millionths two of a share: who mints with it would pay nothing
        (Side.BUY, 9_900_000, True),
        (Side.SELL, 9_999_998, False),
        (Side.SELL, 9_999_999, True),  # a share's millionth for 0.99 of a dollar's
        (Side.SELL, 10_000_000, True),
    ],
)
def test_dust_does_not_rest(side: Side, used: int, out: bool) -> None:
    hall = Hall()
    hall.fund("ann")
    order = hall.place("ann", side, "10", "0.99").order
    order.used = used
    assert spent_out(order) is out


def test_dollars_are_locked_for_what_is_minted_and_come_back_when_merged() -> None:
    hall = Hall()
    hall.fund("ann")
    hall.fund("bob")
    condition = hall.market.condition_id
    hall.buy("ann", "10", "0.45", outcome=1)
    hall.buy("bob", "10", "0.55")
    hall.settle()
    assert hall.bank.locked[condition] == 2_010 * MICROS
    hall.sell("ann", "30", "0.45", outcome=1)
    hall.sell("bob", "30", "0.55")
    hall.settle()
    assert hall.bank.locked[condition] == 1_980 * MICROS


def test_a_trade_is_found_by_its_id_and_by_its_transaction() -> None:
    hall = Hall()
    trades = [_matched(hall) for _ in range(20)]
    exchange = hall.exchange
    for trade in trades:
        assert exchange.trade_of(exchange.trade_id(trade)) is trade
        assert exchange.trade_mined_in(exchange.transaction_hash(trade)) is trade
    assert len({exchange.trade_id(trade) for trade in trades}) == 20
    assert exchange.trade_of("00000000-0000-4000-8000-000000000000") is None
    assert exchange.trade_of("no id") is None
    assert exchange.trade_mined_in("0x" + "0" * 64) is None
    assert exchange.trade_mined_in("no hash") is None


def test_ids_follow_from_the_seed() -> None:
    first, again, other = (Hall(seed=seed) for seed in (1, 1, 2))
    ids = [hall.exchange.trade_id(_matched(hall)) for hall in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert all(one.matched_ms <= two.matched_ms for one, two in pairwise(first.exchange.trades))


def test_the_engines_sums_add_up_at_every_moment() -> None:
    hall = Hall(fee_rate=70_000, seconds_delay=1)
    for person in ("ann", "bob"):
        hall.fund(person)
    for number in range(30):
        price = f"0.{45 + number % 10}"
        side = Side.BUY if number % 3 else Side.SELL
        hall.place("ann" if number % 2 else "bob", side, str(5 + number), price, outcome=number % 4 // 2)
        hall.wait(0.4)
        assert [*promises_add_up(hall.exchange), *books_add_up(hall.exchange)] == []
    assert len(hall.exchange.trades) >= 9
