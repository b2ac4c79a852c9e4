"""The promises of every ledger about facts besides orders: how payouts fold, and what a bad end leaves."""

from dataclasses import replace

import pytest

from betteroms.domain.execution import Execution
from betteroms.domain.order import Filled, Order, OrderEvent
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.risk.history import RiskState
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, RiskChanged, Run
from tests.contracts.builders import (
    NOON,
    RAIN,
    SNOW,
    a_deposit,
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    give_up,
    order_of,
    token,
    whole_snapshot,
)
from tests.contracts.fact_builders import (
    LATER,
    by_token,
    held,
    order_bounds,
    portfolio,
    rule_set,
    settlement,
    taken_back,
    told,
)
from tests.contracts.ledgers import Installation
from tests.contracts.postgres_installation import PostgresReader
from tests.domain.examples import shares, size, usdc


def test_a_settlement_takes_the_shares_and_brings_what_they_paid(installation: Installation) -> None:
    held(installation)
    told(installation, settlement("100", "0.75"))
    [position] = installation.reader.positions()
    # 100 shares cost 40 and a fee of 0.50; they paid 75.
    assert (position.size, position.cost_basis, position.realised) == (0, 0, usdc("34.5"))
    assert (position.fees, position.opened_at) == (usdc("0.5"), None)
    snapshot = whole_snapshot(installation.ledger)
    assert snapshot.account.cash == usdc("1034.5")
    assert (snapshot.account.held, snapshot.deposited) == ({}, usdc("1000"))
    assert (snapshot.fees, snapshot.opening_cash) == (usdc("0.5"), usdc("1000"))


def test_a_settlement_of_some_shares_takes_their_part_of_the_cost(installation: Installation) -> None:
    held(installation, "30")
    told(installation, settlement("10.000001", "0"))
    [position] = installation.reader.positions()
    # 12 x 10.000001 / 30 = 4.0000004, rounded up.
    assert position.size == size("19.999999")
    assert (position.cost_basis, position.realised) == (usdc("7.999999"), usdc("-4.500001"))
    assert position.opened_at == NOON


def test_another_payout_is_a_reversal_and_a_payment_and_no_share_comes_back(
    installation: Installation,
) -> None:
    held(installation)
    first = settlement("100", "1")
    again = settlement("100", "0.5", key="2", size=size("0"))
    told(installation, first)
    told(installation, taken_back(first), again, hours=2)
    [position] = installation.reader.positions()
    assert (position.size, position.cost_basis, position.realised) == (0, 0, usdc("9.5"))
    assert whole_snapshot(installation.ledger).account.cash == usdc("1009.5")
    assert installation.reader.entries() == [a_deposit(), first, taken_back(first), again]


def test_an_entry_told_twice_counts_once_whatever_it_says_the_second_time(installation: Installation) -> None:
    held(installation)
    first = settlement("60")
    other = replace(first, cash=usdc("1"), size=size("-1"))
    told(installation, first, other)
    told(installation, other, first, hours=2)
    assert [entry for entry in installation.reader.entries() if entry.token_id] == [first]
    assert [position.size for position in installation.reader.positions()] == [size("40")]
    assert whole_snapshot(installation.ledger).account.cash == usdc("1019.5")


@pytest.mark.parametrize("sends_out", [False, True])
def test_an_entry_is_told_twice_in_one_run_of_a_thousand_orders(
    installation: Installation, sends_out: bool
) -> None:
    mode = Mode.LIVE if sends_out else Mode.PAPER
    held(installation, mode=mode)
    run = begin(installation.ledger, a_run("july", mode=mode))
    paid = settlement("60", mode=mode)
    installation.ledger.note([paid])
    many_orders(installation, run, sends_out=sends_out)
    installation.ledger.note([paid, paid])
    finish(installation.ledger, run)
    assert [entry for entry in installation.reader.entries() if entry.token_id] == [paid]
    assert whole_snapshot(installation.ledger, mode).account.held[token(RAIN)] == size("40")


def test_two_modes_are_paid_apart(installation: Installation) -> None:
    held(installation)
    held(installation, mode=Mode.LIVE)
    run = begin(installation.ledger, a_run(None, mode=Mode.LIVE))
    installation.ledger.note([settlement("100", mode=Mode.LIVE)])
    finish(installation.ledger, run)
    sizes = {position.mode: position.size for position in installation.reader.positions()}
    assert sizes == {Mode.PAPER: size("100"), Mode.LIVE: 0}
    assert whole_snapshot(installation.ledger).account.cash == usdc("959.5")
    assert whole_snapshot(installation.ledger).settlements == {}


def test_a_deposit_among_the_facts_is_cash_and_no_position(installation: Installation) -> None:
    told(installation, a_deposit("250", key="more"))
    snapshot = whole_snapshot(installation.ledger)
    assert (snapshot.account.cash, snapshot.deposited) == (usdc("1250"), usdc("1250"))
    assert (snapshot.opening_cash, snapshot.positions, snapshot.settlements) == (usdc("1000"), {}, {})


# 100 shares cost 40. Of those alone 50 that are paid 0.50 gain 5; with 50 more at 0.20 they gain 8.333333,
# since 50/3 is rounded up, and with yet 50 more at 0.10 they gain 11.25.
@pytest.mark.parametrize(
    ("place", "cost_basis", "realised"),
    [(0, "35", "4.5"), (1, "38.333333", "7.833333"), (2, "41.25", "10.75")],
    ids=["paid first", "paid between", "paid last"],
)
@pytest.mark.parametrize("many", [False, True], ids=["a few rows", "many rows"])
@pytest.mark.parametrize("sends_out", [False, True], ids=["at the end", "at once"])
def test_payouts_and_fills_of_a_token_fold_in_the_order_in_which_they_are_told(
    installation: Installation, place: int, cost_basis: str, realised: str, many: bool, sends_out: bool
) -> None:
    mode = Mode.LIVE if sends_out else Mode.PAPER
    held(installation, mode=mode)
    ledger = installation.ledger
    run = begin(ledger, a_run("july", mode=mode))
    buys = [order_of(run, line=line, amount=shares("50")) for line in range(2)]
    ledger.record(buys, [], sends_out=sends_out)
    ledger.apply([*map(accepted, buys)])
    news: list[Filled | LedgerEntry] = [
        filled(buy, fill(buy, "50", at)) for buy, at in zip(buys, ("0.20", "0.10"), strict=True)
    ]
    news.insert(place, settlement("50", "0.5", mode=mode))
    for number, fact in enumerate(news, start=1):
        if isinstance(fact, Filled):
            ledger.apply([fact])
        else:
            ledger.note([fact])
        if many:
            many_orders(installation, run, sends_out=sends_out, on_line=number)
    finish(ledger, run)
    [position] = [p for p in installation.reader.positions() if p.token_id == token(RAIN)]
    assert (position.size, position.cost_basis) == (size("150"), usdc(cost_basis))
    assert position.realised == usdc(realised)
    if isinstance(installation.reader, PostgresReader):
        assert refolded(installation.reader, position) == position


def refolded(reader: PostgresReader, position: Position) -> Position:
    """The position from nothing, folded again by the numbers that its movements have in the ledger."""
    holding = Holding(Position(mode=position.mode, market_id=position.market_id, token_id=position.token_id))
    for fact in reader.movements():
        if (fact.mode, fact.token_id) != (position.mode, position.token_id):
            continue
        if isinstance(fact, Execution):
            holding.book(fact)
        else:
            holding.enter(fact)
    return holding.position()


def many_orders(
    at: Installation, run: Run, *, sends_out: bool = False, on_line: int = 9, orders: int = 1_100
) -> None:
    """More news of another market than a ledger holds back: it sends some of it before the run's end."""
    lines = range(10_000 * on_line, 10_000 * on_line + orders)
    many = [order_of(run, line=line, on=SNOW, amount=shares("9")) for line in lines]
    at.ledger.record(many, [], sends_out=sends_out)
    news: list[OrderEvent] = []
    for order in many:
        pieces = [fill(order, "1", "0.41", number=number) for number in (1, 2)]
        news += [accepted(order), filled(order, pieces[0]), filled(order, pieces[1])]
    at.ledger.apply(news)


def every_kind(run: Run, order: Order) -> list[Fact]:
    """One fact of each kind, as `standing` then shows them."""
    return [
        settlement("60"),
        rule_set(),
        rule_set(on=SNOW, outcome_index=1, name="others"),
        order_bounds(order, optimistic="100"),
        RiskChanged(mode=run.mode, state=RiskState(tripped_at=NOON, detail="drawdown=1.00"), at=NOON),
        portfolio(run, gain="3"),
    ]


def standing(at: Installation) -> tuple[list[object], RiskState]:
    """Everything besides orders that is committed."""
    snapshot = at.ledger.snapshot(Mode.PAPER, markets=[], orders=[], at=NOON + LATER)
    return [*at.reader.entries(), *at.reader.positions(), *at.reader.facts()], snapshot.history.state


@pytest.mark.parametrize("many", [False, True], ids=["a few rows", "many rows"])
@pytest.mark.parametrize("end", ["fails", "dies", "is forgotten"])
def test_facts_of_a_run_that_ends_badly_are_lost(installation: Installation, end: str, many: bool) -> None:
    order = held(installation)
    before = standing(installation)
    run = begin(installation.ledger, a_run("july", at=NOON + LATER))
    installation.ledger.note(every_kind(run, order))
    if many:
        many_orders(installation, run)
        installation.ledger.note([rule_set(name="latest"), settlement("1", key="2")])
    assert standing(installation) == before
    if end == "fails":
        give_up(installation.ledger, run)
    elif end == "dies":
        installation.die()
    else:  # nobody said that it failed, and the process goes on
        begin(installation.ledger, a_run("august", at=NOON + 2 * LATER))
    assert standing(installation) == before
    told(installation, *every_kind(run, order), hours=3)
    after, state = standing(installation)
    assert state.detail == "drawdown=1.00"
    assert len(after) == len(before[0]) + 5  # the position was there before, the switch is no row of these


@pytest.mark.parametrize("sends_out", [False, True])
def test_facts_told_before_and_after_many_orders_are_kept(
    installation: Installation, sends_out: bool
) -> None:
    mode = Mode.LIVE if sends_out else Mode.PAPER
    order = held(installation, mode=mode)
    run = begin(installation.ledger, a_run("july", mode=mode, at=NOON + LATER))
    before: list[Fact] = [rule_set(mode=mode), order_bounds(order, optimistic="100"), portfolio(run)]
    paid = settlement("60", mode=mode), settlement("40", "0.5", key="2", mode=mode)
    installation.ledger.note([*before, paid[0]])
    many_orders(installation, run, sends_out=sends_out)
    others = rule_set(mode=mode, on=SNOW, name="others")
    installation.ledger.note([others, paid[1]])
    finish(installation.ledger, run)
    assert installation.reader.facts() == [*by_token(before[0], others), *before[1:]]
    assert installation.reader.entries()[1:] == list(paid)
    assert [p.size for p in installation.reader.positions() if p.token_id == token(RAIN)] == [0]
    assert len(installation.reader.executions()) == 1 + 2 * 1_100


@pytest.mark.parametrize("sends_out", [False, True])
def test_where_orders_leave_facts_are_kept_at_once(installation: Installation, sends_out: bool) -> None:
    mode = Mode.LIVE if sends_out else Mode.PAPER
    held(installation, mode=mode)
    begin(installation.ledger, a_run("july", mode=mode, at=NOON + LATER))
    installation.ledger.record([], [], sends_out=sends_out)
    facts = [rule_set(mode=mode)]
    installation.ledger.note([*facts, settlement("100", mode=mode)])
    installation.die()
    assert installation.reader.facts() == (facts if sends_out else [])
    [position] = installation.reader.positions()
    assert position.size == (0 if sends_out else size("100"))


def test_news_of_a_market_that_the_run_never_looked_at_finds_what_is_held_there(
    installation: Installation,
) -> None:
    order = held(installation)
    ledger = installation.ledger
    run = ledger.open_run(a_run("july", at=NOON + LATER))
    ledger.snapshot(Mode.PAPER, markets=[], orders=[])
    ledger.apply([filled(order, fill(order, "20", "0.10", number=2))])
    ledger.note([settlement("30", "0.5"), settlement("1", on=SNOW, size=size("0"), cash=usdc("2"))])
    finish(ledger, run)
    found = {position.token_id: position for position in installation.reader.positions()}
    # 120 shares cost 42: a quarter of them leaves with 10.50 and brings 15.
    rain, snow = found[token(RAIN)], found[token(SNOW)]
    assert (rain.size, rain.cost_basis, rain.realised) == (size("90"), usdc("31.5"), usdc("4"))
    assert (snow.size, snow.realised) == (0, usdc("2"))


@pytest.mark.parametrize("orders", [10, 1_400])
def test_however_much_was_told_before_it_an_order_is_kept_when_it_leaves(
    installation: Installation, orders: int
) -> None:
    run = begin(installation.ledger, a_run("first", mode=Mode.LIVE))
    rest = [order_of(run, line=line) for line in range(orders)]
    installation.ledger.record(rest, [], sends_out=True)
    installation.ledger.apply([*map(accepted, rest)])
    finish(installation.ledger, run)
    run = begin(installation.ledger, a_run("second", mode=Mode.LIVE, at=NOON + LATER))
    pieces = [filled(order, fill(order, "1", "0.5", number=n)) for order in rest for n in (1, 2)]
    installation.ledger.apply(pieces)
    installation.ledger.note([rule_set(mode=Mode.LIVE), settlement("1", mode=Mode.LIVE)])
    sent = order_of(run, sending_at=run.now)
    installation.ledger.record([sent], [], sends_out=True)
    installation.die()
    assert sent in installation.reader.orders()
    assert len(installation.reader.executions()) == 2 * orders
    [position] = installation.reader.positions()
    assert position.size == size(str(2 * orders - 1))
    assert installation.reader.facts() == [rule_set(mode=Mode.LIVE)]
