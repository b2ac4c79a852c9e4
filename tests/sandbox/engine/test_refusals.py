"""What is refused and in which words, and what a refusal leaves behind."""

from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.exchange import rules
from betteroms.sandbox.exchange.holds import exchange_of, shares_contract
from betteroms.sandbox.model import MICROS, Protocol, Refused, SignedOrder
from tests.sandbox.engine.hall import DECIMALS, START_MS, Hall, market
from tests.vectors import vector

NOW_S: Final = START_MS // 1_000
GTC, GTD, FOK, FAK = TimeInForce.GTC, TimeInForce.GTD, TimeInForce.FOK, TimeInForce.FAK


def _hall(**changes: Any) -> Hall:
    hall = Hall(**changes)
    hall.fund("ann")
    hall.fund("bob")
    return hall


def _refused(hall: Hall, signed: SignedOrder, **how: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        hall.post(signed, **how)
    return refused.value


def test_every_amount_that_the_official_clients_make_is_taken() -> None:
    for row in vector("amounts")["data"]:
        for client in ("polymarket_client", "py_clob_client_v2"):
            making, taking = row[client]
            _taken(row["tick"], Side(row["side"]), GTC, making=making, taking=taking)


@pytest.mark.parametrize("tick", DECIMALS)
@given(number=st.integers(1, 9_999), cents=st.integers(100, 100_000))
def test_dollars_over_the_limit_cut_to_the_ticks_decimals_are_taken(
    tick: int, number: int, cents: int
) -> None:
    price = Decimal(1 + number % (MICROS // tick - 1)) * tick / MICROS
    hall = Hall(tick=tick)
    signed = hall.wish("ann", Side.BUY, str(Decimal(cents) / 100), str(price), time_in_force=FOK)
    making, taking = signed.maker_amount, signed.taker_amount
    assert _taken(tick, Side.BUY, FOK, making=making, taking=taking) == to_micros(price)


def _taken(tick: str | int, side: Side, kind: TimeInForce, *, making: int, taking: int) -> int:
    """The limit that the venue finds in the amounts: on the tick, at what was signed or just below."""
    step = tick if isinstance(tick, int) else to_micros(tick)
    signed = Hall().signed("ann", side, maker_amount=making, taker_amount=taking)
    terms = rules.terms(signed, market(tick=step, minimum_size=0), kind, order_id="0x1")
    dollars, shares = (making, taking) if side is Side.BUY else (taking, making)
    assert 0 <= dollars * MICROS // shares - terms.price < step, (tick, side, making, taking)
    assert terms.price % step == 0
    return terms.price


@pytest.mark.parametrize(
    ("side", "kind", "making", "taking", "words"),
    [
        (Side.BUY, FOK, "2.8614", "5.02", "the market buy orders maker amount supports a max accuracy of 2"),
        (Side.BUY, FAK, "10", "19.99999", "the market buy orders maker amount supports a max accuracy of 2"),
        (Side.SELL, FAK, "5.001", "2.5", "the market sell orders maker amount supports a max accuracy of 2"),
        (Side.BUY, GTC, "2.5005", "5.001", "the buy orders maker amount supports a max accuracy of 4"),
        (Side.SELL, GTC, "5.001", "2.5005", "the sell orders maker amount supports a max accuracy of 2"),
        (Side.SELL, GTC, "5", "2.50001", "the sell orders maker amount supports a max accuracy of 2"),
    ],
)
def test_amounts_with_too_many_decimals(
    side: Side, kind: TimeInForce, making: str, taking: str, words: str
) -> None:
    hall = _hall()
    signed = hall.signed("ann", side, maker_amount=to_micros(making), taker_amount=to_micros(taking))
    text = _refused(hall, signed, time_in_force=kind).text
    assert text.startswith(f"invalid amounts, {words} decimals, taker amount a max of ")


def test_the_decimals_of_a_market_buy_are_told_as_the_venue_tells_them() -> None:
    hall = _hall()
    signed = hall.signed("ann", Side.BUY, maker_amount=2_861_400, taker_amount=5_020_000)
    assert _refused(hall, signed, time_in_force=FOK).text == (
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, "
        "taker amount a max of 4 decimals"
    )


@pytest.mark.parametrize(("making", "taking"), [(0, 5_000_000), (5_000_000, 0)])
def test_amounts_of_nothing(making: int, taking: int) -> None:
    hall = _hall()
    signed = hall.signed("ann", Side.BUY, maker_amount=making, taker_amount=taking)
    assert _refused(hall, signed).text.startswith("invalid amounts, ")


def test_a_token_that_nobody_knows() -> None:
    hall = _hall()
    signed = hall.wish("ann", Side.BUY, "10", "0.5")
    hall.exchange.by_token.clear()
    refused = _refused(hall, signed)
    assert (refused.status, refused.text) == (404, "No orderbook exists for the requested token id")


@pytest.mark.parametrize(
    ("kind", "expiration", "taken"),
    [
        (GTD, NOW_S + 180, True),
        (GTD, NOW_S + 179, False),
        (GTD, 0, False),
        (GTC, 0, True),
        (GTC, NOW_S + 1_000, False),
        (FOK, NOW_S + 1_000, False),
    ],
)
def test_expirations(kind: TimeInForce, expiration: int, taken: bool) -> None:
    hall = _hall()
    signed = hall.wish("ann", Side.BUY, "10", "0.5", time_in_force=kind, expiration=expiration)
    if taken:
        assert hall.post(signed, time_in_force=kind).status == "live"
    else:
        assert _refused(hall, signed, time_in_force=kind).text == "invalid expiration"


@pytest.mark.parametrize("kind", [FOK, FAK])
def test_what_does_not_rest_cannot_be_post_only(kind: TimeInForce) -> None:
    hall = _hall()
    signed = hall.wish("ann", Side.BUY, "10", "0.5", time_in_force=kind)
    text = _refused(hall, signed, time_in_force=kind, post_only=True).text
    assert text.startswith("invalid post-only order: ")


def test_the_same_order_again_is_a_duplicate_whatever_became_of_it() -> None:
    hall = _hall()
    words = "order {} is invalid. Duplicated."
    live = hall.wish("ann", Side.BUY, "10", "0.5")
    hall.post(live)
    assert _refused(hall, live).text == words.format(hall.id_of(live))
    hall.exchange.cancel(hall.exchange.orders[hall.id_of(live)], hall.now_ms)
    assert _refused(hall, live).text == words.format(hall.id_of(live))


@pytest.mark.parametrize("kind", [FOK, FAK])
def test_a_killed_order_leaves_a_dead_one_and_cannot_come_again(kind: TimeInForce) -> None:
    hall = _hall()
    signed = hall.wish("ann", Side.BUY, "10", "0.5", time_in_force=kind)
    text = _refused(hall, signed, time_in_force=kind).text
    order = hall.exchange.orders[hall.id_of(signed)]
    assert (order.status.value, order.reason, order.matched) == ("CANCELED", text, 0)
    assert [type(event).__name__ for event in hall.events] == ["MarketAdded", "OrderCanceled"]
    assert "Duplicated" in _refused(hall, signed, time_in_force=kind).text


def test_a_refused_order_leaves_no_trace_and_may_come_again() -> None:
    hall = _hall()
    wallet = hall.wallet("poor")
    signed = hall.wish("poor", Side.BUY, "10", "0.5")
    before = len(hall.events)
    assert "the balance is not enough -> balance: 0, order amount: 5000000" in _refused(hall, signed).text
    assert (hall.exchange.orders, len(hall.events)) == ({}, before)
    hall.bank.dollars[wallet] = 5_000_000
    assert "the allowance is not enough -> " in _refused(hall, signed).text
    hall.bank.approve(wallet, exchange_of(hall.market), 5_000_000)
    assert hall.post(signed).status == "live"


def test_shares_are_sold_only_if_the_exchange_may_move_them() -> None:
    hall = _hall()
    hall.bank.set_operator(
        hall.wallet("ann"), shares_contract(hall.market), exchange_of(hall.market), allowed=False
    )
    assert "the allowance is not enough -> " in _refused(hall, hall.wish("ann", Side.SELL, "10", "0.5")).text


@pytest.mark.parametrize("changes", [{"neg_risk": True}, {"protocol": Protocol.POSITION}])
def test_each_kind_of_market_has_its_own_contract_to_approve(changes: dict[str, Any]) -> None:
    plain, other = _hall(), _hall(**changes)
    assert exchange_of(plain.market) != exchange_of(other.market)
    other.bank.approve(other.wallet("ann"), exchange_of(plain.market), 10**12)
    other.bank.approve(other.wallet("ann"), exchange_of(other.market), 0)
    signed = other.wish("ann", Side.BUY, "10", "0.5")
    assert "the allowance is not enough -> " in _refused(other, signed).text


def test_a_market_that_takes_no_orders() -> None:
    hall = _hall(accepting_orders=False)
    text = _refused(hall, hall.wish("ann", Side.BUY, "10", "0.5")).text
    assert text == "the market is not yet ready to process new orders"


@pytest.mark.parametrize(("price", "size"), [(505_000, MICROS), (MICROS, MICROS), (500_000, 5), (0, MICROS)])
def test_the_venues_own_orders_are_on_the_tick_and_in_lots(price: int, size: int) -> None:
    hall = _hall()
    with pytest.raises(Refused):
        hall.exchange.rest(
            hall.market,
            outcome=0,
            side=Side.BUY,
            price=price,
            size=size,
            maker=hall.wallet("ann"),
            now_ms=hall.now_ms,
        )
    assert not hall.exchange.orders
