"""What a run found in the ledger is kept with it, and read back as it was: `runs.state` and its markets."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.adapters.postgres.state import KeptState, decode, encode, market_document, market_from
from betteroms.domain.bounds import FillBounds
from betteroms.domain.bounds_value import BoundedGain, Tilt
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import MarketId, TokenId, order_id
from betteroms.domain.intent import ExitRules
from betteroms.domain.liquidity import Taken
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import MICROS, Price, Size, Usdc
from betteroms.domain.position import Quote
from betteroms.domain.risk import Account
from betteroms.domain.risk.history import History, RiskState, Stake, Stop
from betteroms.domain.rule import Cause, RuleOrigin, RuleSet, Trigger
from betteroms.domain.terms import Mode
from betteroms.ports import Snapshot
from tests.contracts.builders import NOON, RAIN, SNOW, a_run, begin, finish, token
from tests.contracts.fact_builders import held, order_bounds, rule_set, told
from tests.contracts.ledgers import MakeLedger
from tests.contracts.postgres_installation import PostgresInstallation
from tests.contracts.test_ledger_rows import TEXTS
from tests.domain.examples import ORDER_ID, price, size, usdc

EMPTY = Snapshot(
    mode=Mode.PAPER,
    account=Account(cash=Usdc(0), held={}, reserved_shares={}),
    positions={},
    open_orders=[],
    taken=[],
    known={},
    executions={},
)
STAKE = Stake(
    market_id=RAIN.market_id,
    token_id=token(RAIN),
    outcome_index=1,
    group_id="0xgroup",
    event_slug=TEXTS[7],
    size=size("1.5"),
    cost=usdc("0.000001"),
    fees=usdc("-2"),
    bids=usdc("3"),
    minimum_size=size("5"),
)
HISTORY = History(
    day_notional=usdc("12.5"),
    day_orders={RAIN.market_id: 3, SNOW.market_id: 1},
    stakes=(STAKE, replace(STAKE, group_id=None, event_slug=None, minimum_size=None)),
    equity=usdc("-1.000001"),
    day_start=usdc("4"),
    peak=usdc("5"),
    state=RiskState(tripped_at=NOON, detail=TEXTS[5], reset_at=NOON, reset_equity=usdc("-7")),
    stops={token(RAIN): Stop(at=NOON, cool_down_minutes=30)},
    daily_trades_max={token(SNOW): 2},
)


def kept(snapshot: Snapshot) -> KeptState:
    """The snapshot's state after it was written and read."""
    return decode(json.loads(encode(snapshot)))


def test_a_run_that_kept_nothing_found_nothing() -> None:
    assert decode(None) == KeptState()
    assert kept(EMPTY) == KeptState(taken=[])
    assert decode({}) == KeptState(taken=[])


def test_a_history_comes_back_whole_and_is_told_from_none() -> None:
    assert [f.name for f in fields(History) if getattr(HISTORY, f.name) == getattr(History(), f.name)] == []
    assert kept(replace(EMPTY, history=HISTORY)).history == HISTORY
    # A history that says nothing is still one that was asked for.
    assert kept(replace(EMPTY, history=History())).history == History()
    assert "history" not in json.loads(encode(EMPTY))


def test_bounds_are_kept_only_where_they_moved() -> None:
    still = FillBounds(
        order_id=ORDER_ID, at_once=size("5"), ahead=size("7"), pessimistic=size("5"), optimistic=size("5")
    )
    hoped = replace(still, optimistic=size("6"))
    feared = replace(still, pessimistic=size("6"), optimistic=size("6"))
    names = [order_id(text) for text in ("still", "hoped", "feared")]
    found = {n: replace(b, order_id=n) for n, b in zip(names, (still, hoped, feared), strict=True)}
    assert kept(replace(EMPTY, bounds=found)).bounds == {name: found[name] for name in names[1:]}


def test_what_json_does_not_know_has_no_place_in_a_state() -> None:
    with pytest.raises(TypeError, match="bytes has no place in a run's state"):
        encode(replace(EMPTY, taken=[Taken(market_id=b"x", price=1, size=1, changed_at_ms=1)]))  # type: ignore[arg-type]


MICRO = st.integers(-(10**18) + 1, 10**18 - 1)
PRICES = st.integers(1, MICROS - 1).map(Price)
TIMES = st.datetimes(min_value=NOON.replace(tzinfo=None), max_value=NOON.replace(tzinfo=None, year=2029)).map(
    lambda at: at.replace(tzinfo=NOON.tzinfo)
)
TEXT = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20))
RULE_VALUES = {field.name: st.none() | st.integers(1, 10**9) for field in fields(ExitRules)}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


RULE_SETS = st.builds(
    RuleSet,
    rule_id=st.uuids().map(str),
    mode=st.sampled_from(Mode),
    market_id=st.sampled_from((RAIN.market_id, SNOW.market_id)),
    token_id=st.sampled_from([token(m, o) for m in (RAIN, SNOW) for o in (0, 1)]),
    outcome=TEXT,
    outcome_index=st.integers(0, 1),
    rules=st.builds(ExitRules, **RULE_VALUES),
    origin=st.sampled_from(RuleOrigin),
    set_at=TIMES,
    order_id=maybe(st.uuids().map(str)),
    line=maybe(st.integers(0, 99)),
    opened_at=maybe(TIMES),
    dust=st.booleans(),
    high=maybe(PRICES),
    trigger=maybe(st.builds(Trigger, cause=st.sampled_from(Cause), at=TIMES, detail=TEXT)),
    attempts=st.integers(0, 9),
    stopped_at=maybe(TIMES),
)
QUOTES = st.builds(Quote, best_bid=maybe(PRICES), best_ask=maybe(PRICES), at=TIMES)
TILTS = st.builds(
    Tilt,
    token_id=st.sampled_from([token(RAIN), token(SNOW)]),
    **{field.name: MICRO for field in fields(Tilt)[1:]},
)
TAKEN = st.builds(
    Taken,
    market_id=st.sampled_from((RAIN.market_id, SNOW.market_id)),
    price=PRICES,
    size=st.integers(1, 10**18).map(Size),
    changed_at_ms=st.integers(0, 10**14),
)


@given(
    rules=st.lists(RULE_SETS, unique_by=lambda found: found.token_id),
    quotes=st.dictionaries(st.sampled_from([token(RAIN), token(SNOW)]), QUOTES),
    taken=st.lists(TAKEN),
    tilts=st.lists(TILTS, unique_by=lambda found: found.token_id),
    numbers=st.lists(MICRO, min_size=4, max_size=4),
)
def test_any_state_comes_back_as_it_was_found(
    rules: list[RuleSet],
    quotes: dict[TokenId, Quote],
    taken: list[Taken],
    tilts: list[Tilt],
    numbers: list[int],
) -> None:
    equity, start, peak, notional = map(Usdc, numbers)
    history = replace(HISTORY, equity=equity, day_start=start, peak=peak, day_notional=notional)
    found = {one.token_id: one for one in rules}
    state: dict[str, Any] = {"rules": found, "quotes": quotes, "taken": taken, "history": history}
    state["tilts"] = {one.token_id: one for one in tilts}
    state["worths"] = {one.token_id: numbers[0] for one in tilts}
    state["elsewhere"] = BoundedGain(base=Usdc(0), pessimistic=start, optimistic=peak)
    assert kept(replace(EMPTY, **state)) == KeptState(**state)


MARKETS = st.builds(
    Market,
    market_id=st.just(RAIN.market_id),
    outcomes=st.just(RAIN.outcomes),
    slug=maybe(TEXT),
    question=maybe(TEXT),
    gamma_id=maybe(TEXT),
    event_slug=maybe(TEXT),
    tick_size=maybe(PRICES),
    minimum_size=maybe(st.integers(0, 10**9).map(Size)),
    fees=st.builds(
        FeeSchedule, rate=st.integers(0, MICROS), exponent=st.integers(1, 2), assumed=st.booleans()
    ),
    neg_risk=st.booleans(),
    closed=st.booleans(),
    accepting_orders=st.booleans(),
    ends_at=maybe(TIMES),
    row_id=st.none(),
    group_id=maybe(TEXT),
    resolved=st.booleans(),
    payouts=maybe(st.tuples(st.integers(0, MICROS), st.integers(0, MICROS))),
    game_starts_at=maybe(TIMES),
    recorded=st.booleans(),
)


@given(MARKETS)
def test_any_market_without_a_row_comes_back_as_it_was_made(market: Market) -> None:
    read = market_from(json.loads(json.dumps(market_document(market), default=str)))
    assert read == market
    assert read.outcomes == tuple(Outcome(token_id=o.token_id, label=o.label) for o in market.outcomes)
    assert MarketId(read.market_id) == market.market_id


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_run_keeps_the_state_that_it_looked_at(make_postgres_ledger: MakeLedger, looks: int) -> None:
    at = make_postgres_ledger()
    assert isinstance(at, PostgresInstallation)
    order = held(at)
    told(at, rule_set(high=price("0.45"), trigger=None), order_bounds(order, optimistic="100"))
    run = at.ledger.open_run(a_run("looking", at=NOON + timedelta(hours=2)))
    asked = [None, NOON + timedelta(hours=2)]
    snapshots = [
        at.ledger.snapshot(
            Mode.PAPER, markets=[RAIN.market_id], orders=[], at=asked[look], valued=asked[look] is not None
        )
        for look in range(looks)
    ]
    finish(at.ledger, run)
    state = at.state_of(run.run_id)
    if not snapshots:
        assert state is None
        return
    last, read = snapshots[-1], decode(state)
    for field in fields(KeptState):
        found, expected = getattr(read, field.name), getattr(last, field.name)
        assert (list(found) if field.name == "taken" else found) == expected, field.name
    assert list(last.rules) == [token(RAIN)]
    assert bool(last.tilts) is (looks == 2)
    # Another attempt forgets what the first one found.
    again = begin(at.ledger, a_run(None))
    assert at.state_of(again.run_id) is None
