"""An account's history is the same from every ledger: what a naive count of its rows comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Any

import pytest

from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.intent import ExitRules
from betteroms.domain.market import Market
from betteroms.domain.money import Usdc
from betteroms.domain.order import Canceled, Expired, Order, OrderEvent, OrderStatus, Rejected
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.risk.history import NOTHING, History, RiskState, Stake, Stop
from betteroms.domain.rule import RuleOrigin, RuleSet
from betteroms.domain.terms import Dollars, Mode, Shares, Side, TimeInForce
from betteroms.ports import Fact, Ledger, RiskChanged
from tests.contracts.builders import (
    NOON,
    a_deposit,
    a_run,
    accepted,
    fill,
    filled,
    finish,
    inputs,
    market,
    order_of,
    token,
)
from tests.contracts.builders import book as a_book_of
from tests.contracts.ledgers import Installation, Reader
from tests.domain.examples import dollars, shares, usdc

MICROS = 1_000_000
FEES = FeeSchedule(rate=50_000)
GROUP = tuple(replace(market(number), group_id="0xgroup", event_slug="cup", fees=FEES) for number in (1, 2))
ALL = (*GROUP, replace(market(3), event_slug="cup", minimum_size=None), market(4))
ALIVE = (OrderStatus.NEW, OrderStatus.UNCONFIRMED, OrderStatus.OPEN)


@dataclass
class Lived:
    """What a scripted past told its ledger that orders and executions do not tell again."""

    quotes: dict[TokenId, tuple[int | None, int | None]] = field(default_factory=dict)
    gains: list[tuple[datetime, int]] = field(default_factory=list)
    state: RiskState = field(default_factory=RiskState)
    rules: dict[TokenId, RuleSet] = field(default_factory=dict)


def history(ledger: Ledger, at: datetime, markets: Sequence[Market] = ALL) -> History:
    return ledger.snapshot(Mode.PAPER, markets=[m.market_id for m in markets], orders=[], at=at).history


def live(ledger: Ledger, random: Random, *, runs: int) -> Lived:
    """Several days of runs: orders of every end, moving books, snapshots, rules, a tripped switch."""
    lived = Lived()
    at = NOON
    for number in range(runs):
        at += timedelta(minutes=random.randrange(30, 600))
        run = ledger.open_run(a_run(f"plan-{number}", at=at), [a_deposit("100000")])
        ledger.snapshot(Mode.PAPER, markets=[m.market_id for m in ALL], orders=[])
        books = []
        for of in ALL:
            bid = random.randrange(5, 89)
            bids = f"0.{bid:02}x100" if random.random() < 0.8 else ""
            asks = f"0.{bid + random.choice((1, 5, 9, 10)):02}x100" if random.random() < 0.8 else ""
            found = a_book_of(of, outcome_index=number % 2, bids=bids, asks=asks)
            books.append(found)
            lived.quotes[found.token_id] = found.best_bid, found.best_ask
        ledger.observe(inputs(*books, markets=ALL), [])
        orders = [an_order(random, run, line, number % 2) for line in range(5)]
        refused = replace(orders.pop(), status=OrderStatus.DENIED, code="NO_BOOK", reason="market=x")
        ledger.record(orders, [refused], sends_out=False)
        ledger.apply([event for order in orders for event in life(random, order)])
        told = facts(random, run.run_id, at)
        ledger.note(told)
        finish(ledger, run)
        for fact in told:
            if isinstance(fact, PortfolioSnapshot):
                lived.gains.append((fact.taken_at, fact.net_liquidation - fact.deposited))
            elif isinstance(fact, RiskChanged):
                lived.state = fact.state
            elif isinstance(fact, RuleSet):
                lived.rules[fact.token_id] = fact
    return lived


def an_order(random: Random, run: Any, line: int, outcome: int) -> Order:
    """A BUY, in shares or in dollars."""
    of = random.choice(ALL)
    taking = random.random() < 0.3
    amount = dollars(str(random.randrange(1, 90))) if taking else shares(f"{random.randrange(1, 99)}.37")
    return order_of(
        run,
        line=line,
        on=of,
        outcome_index=outcome,
        amount=amount,
        at=f"0.{random.randrange(1, 9999):04}",
        tif=TimeInForce.FAK if taking else TimeInForce.GTC,
    )


def life(random: Random, order: Order) -> list[OrderEvent]:
    at = order.created_at
    end = random.randrange(5)
    if end == 0:
        return [Rejected(order_id=order.order_id, at=at, code="POST_ONLY_WOULD_CROSS")]
    events: list[OrderEvent] = [accepted(order)]
    if end > 1:
        events.append(filled(order, fill(order, f"0.{random.randrange(1, 99):02}3", "0.5", fee="0.0002")))
    if end == 3:
        events.append(Canceled(order_id=order.order_id, at=at, code="CANCEL_AFTER"))
    if end == 4:
        events.append(Expired(order_id=order.order_id, at=at))
    return events


def facts(random: Random, run_id: Any, at: datetime) -> list[Fact]:
    gain = Usdc(random.randrange(-500, 500) * MICROS)
    zero = Usdc(0)
    snapshot = PortfolioSnapshot(
        mode=Mode.PAPER,
        hour=at.replace(minute=0, second=0, microsecond=0),
        taken_at=at,
        run_id=run_id,
        positions=1,
        cost_basis=zero,
        market_value=zero,
        realised=gain,
        unrealised=zero,
        fees=zero,
        cash=Usdc(usdc("100000") + gain),
        deposited=usdc("100000"),
        net_liquidation=Usdc(usdc("100000") + gain),
        pessimistic=zero,
        optimistic=zero,
    )
    told: list[Fact] = [snapshot] if random.random() < 0.6 else []
    if random.random() < 0.2:
        tripped = RiskState(tripped_at=at, detail="drawdown=1.00")
        reset = RiskState(reset_at=at, reset_equity=usdc(str(random.randrange(-300, 300))))
        told.append(RiskChanged(mode=Mode.PAPER, state=random.choice((tripped, reset)), at=at))
    if random.random() < 0.5:
        of, outcome = random.choice(ALL), random.randrange(2)
        told.append(
            RuleSet(
                rule_id="9d0b3c1a-52d4-5c0e-8f6b-7a1e2d3c4b5a",
                mode=Mode.PAPER,
                market_id=of.market_id,
                token_id=token(of, outcome),
                outcome="Yes",
                outcome_index=outcome,
                rules=ExitRules(
                    cool_down_minutes=random.choice((None, 30)), daily_trades_max=random.choice((None, 3))
                ),
                origin=RuleOrigin.OPERATOR,
                set_at=at,
                stopped_at=random.choice((None, at)),
            )
        )
    return told


def counted(reader: Reader, lived: Lived, at: datetime, markets: Sequence[Market]) -> Mapping[str, Any]:
    """The history, counted order by order and fill by fill, in fractions."""
    named = {of.market_id for of in markets}
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    today = [
        order
        for order in reader.orders()
        if midnight <= order.created_at < midnight + timedelta(days=1)
        and order.status not in (OrderStatus.DENIED, OrderStatus.REJECTED)
    ]
    day_orders: dict[MarketId, int] = {}
    for order in today:
        if order.intent.market_id in named:
            day_orders[order.intent.market_id] = day_orders.get(order.intent.market_id, 0) + 1
    earlier = [gain for when, gain in sorted(lived.gains) if when < midnight]
    of_today = [gain for when, gain in sorted(lived.gains) if midnight <= when <= at]
    start = of_today[0] if of_today else earlier[-1] if earlier else 0
    since = lived.state.reset_at
    gains = [gain for when, gain in lived.gains if when <= at and (since is None or when >= since)]
    held, worth = positions(reader, lived)
    standing = [rules for rules in lived.rules.values() if rules.market_id in named]
    return {
        "day_notional": sum(whole_cost(order) for order in today),
        "day_orders": day_orders,
        "equity": worth,
        "day_start": start,
        "peak": max([*gains, worth, lived.state.reset_equity]),
        "stakes": stakes(reader, held),
        "state": lived.state,
        "stops": {
            rules.token_id: Stop(at=rules.stopped_at, cool_down_minutes=rules.rules.cool_down_minutes)
            for rules in standing
            if rules.stopped_at and rules.rules.cool_down_minutes
        },
        "daily_trades_max": {
            rules.token_id: rules.rules.daily_trades_max for rules in standing if rules.rules.daily_trades_max
        },
    }


def whole_cost(order: Order) -> int:
    if isinstance(order.amount, Dollars):
        return order.amount.usdc
    assert isinstance(order.amount, Shares)
    assert order.limit_price is not None
    return ceil(Fraction(order.amount.size * order.limit_price, MICROS))


def positions(reader: Reader, lived: Lived) -> tuple[dict[TokenId, list[int]], int]:
    """Of each token the shares bought, their cost and fees; and what all is worth beyond what it cost."""
    held: dict[TokenId, list[int]] = {}
    worth = 0
    for execution in reader.executions():
        assert execution.side is Side.BUY
        row = held.setdefault(execution.token_id, [0, 0, 0])
        row[0] += execution.size
        row[1] -= execution.cash
        row[2] += execution.fee
        worth += execution.cash - execution.fee
    for name, (size, _, _) in held.items():
        bid, ask = lived.quotes[name]
        at = Fraction(0)
        if bid is not None:
            at = Fraction(bid + ask, 2) if ask is not None and ask - bid <= MICROS // 10 else Fraction(bid)
        worth += floor(size * at / MICROS)
    return held, worth


def stakes(reader: Reader, held: Mapping[TokenId, Sequence[int]]) -> list[tuple[Any, ...]]:
    bids: dict[TokenId, int] = {}
    for order in reader.orders():
        if order.status in ALIVE and order.limit_price is not None:
            name = order.intent.token_id
            if isinstance(order.amount, Dollars):
                bids[name] = bids.get(name, 0) + max(order.amount.usdc - order.filled_cash, 0)
            elif isinstance(order.amount, Shares):
                left = max(order.amount.size - order.filled_size, 0)
                bids[name] = bids.get(name, 0) + ceil(Fraction(left * order.limit_price, MICROS))
    found: list[tuple[Any, ...]] = []
    for of in ALL:
        for outcome in (0, 1):
            name = token(of, outcome)
            size, cost, fees = held.get(name, (0, 0, 0))
            if size or bids.get(name):
                # All fills of this past are at 0.50: a taker pays rate x size / 4, floored at five decimals.
                most = floor(Fraction(size * of.fees.rate, 4 * MICROS) / 10) * 10
                fees = min(fees, max(most, 10) if of.fees.rate else 0)
                of_market = (of.market_id, name, outcome, of.group_id, of.event_slug)
                found.append((*of_market, size, cost, fees, bids.get(name, 0), of.minimum_size))
    return sorted(found, key=lambda row: row[1])


def stake_row(stake: Stake) -> tuple[Any, ...]:
    of_market = (stake.market_id, stake.token_id, stake.outcome_index, stake.group_id, stake.event_slug)
    return (*of_market, stake.size, stake.cost, stake.fees, stake.bids, stake.minimum_size)


@pytest.mark.parametrize("seed", range(3))
def test_a_history_is_what_a_naive_count_comes_to(installation: Installation, seed: int) -> None:
    lived = live(installation.ledger, Random(seed), runs=14)
    last = max(order.created_at for order in installation.reader.orders())
    for at, markets in ((last + timedelta(minutes=1), ALL), (last + timedelta(days=2), ALL[1:3])):
        found = history(installation.ledger, at, markets)
        expected = counted(installation.reader, lived, at, markets)
        for name, value in expected.items():
            told: Any = getattr(found, name)
            if name == "stakes":
                told = [stake_row(stake) for stake in told]
            assert told == value, name


def test_an_unused_account_has_no_history_and_nobody_is_told_one_unasked(installation: Installation) -> None:
    ledger = installation.ledger
    assert history(ledger, NOON) == NOTHING
    run = ledger.open_run(a_run(), [a_deposit()])
    order = order_of(run)
    ledger.record([order], [], sends_out=False)
    ledger.apply([accepted(order)])
    finish(ledger, run)
    assert ledger.snapshot(Mode.PAPER, markets=[], orders=[]).history is NOTHING
    assert history(ledger, NOON).day_notional == usdc("50")
    live = ledger.snapshot(Mode.LIVE, markets=[], orders=[], at=NOON)
    assert live.history == NOTHING


def test_a_switch_that_tripped_is_remembered_until_it_is_reset(installation: Installation) -> None:
    states = [
        RiskState(tripped_at=NOON, detail="drawdown=5.00"),
        RiskState(reset_at=NOON, reset_equity=usdc("-5")),
    ]
    for number, state in enumerate(states):
        ledger = installation.ledger
        run = ledger.open_run(a_run(f"plan-{number}"), [a_deposit()])
        ledger.note([RiskChanged(mode=Mode.PAPER, state=state, at=NOON)])
        finish(ledger, run)
        installation.die()
        assert history(installation.ledger, NOON).state == state
        assert (
            installation.ledger.snapshot(Mode.LIVE, markets=[], orders=[], at=NOON).history.state
            == RiskState()
        )
