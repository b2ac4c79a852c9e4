"""The promises of every ledger about what stands besides orders: rules, bounds, snapshots, prices seen."""

from dataclasses import replace
from datetime import timedelta

from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.risk.history import RiskState
from betteroms.domain.rule import Cause, RuleRemoved, Trigger
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, OrderBounds, RiskChanged
from tests.contracts.builders import (
    NOON,
    RAIN,
    SNOW,
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
from tests.contracts.fact_builders import (
    LATER,
    by_token,
    held,
    order_bounds,
    portfolio,
    rule_set,
    settlement,
    told,
)
from tests.contracts.ledgers import Installation, MakeLedger
from tests.contracts.postgres_installation import PostgresReader
from tests.domain.examples import price, size


def test_the_latest_rules_of_a_token_stand_until_they_are_removed(installation: Installation) -> None:
    first, second = rule_set(), rule_set(name="second", attempts=2, stopped_at=NOON)
    gone = RuleRemoved(mode=Mode.PAPER, token_id=token(RAIN), at=NOON)
    other = rule_set(outcome_index=1)
    tellings: list[tuple[list[Fact], list[Fact]]] = [
        ([first, other], [first, other]),
        ([first, second], [second, other]),
        ([gone], [other]),
        ([first, gone, second], [second, other]),
        ([second, gone], [other]),
        ([gone], [other]),
    ]
    for hours, (news, stands) in enumerate(tellings):
        told(installation, *news, hours=hours)
        assert installation.reader.facts() == by_token(*stands)
        rules = whole_snapshot(installation.ledger).rules
        assert by_token(*rules.values()) == by_token(*stands)


def test_bounds_are_kept_as_they_were_told_last(installation: Installation) -> None:
    order = held(installation)
    first = order_bounds(order, at_once="5", ahead="7", pessimistic="5", optimistic="5")
    later = order_bounds(order, at_once="5", ahead="7", pessimistic="6", optimistic="100")
    told(installation, first, first)
    assert installation.reader.facts() == [first]
    told(installation, first, later, hours=2)
    assert installation.reader.facts() == [later]


def test_the_first_snapshot_of_an_hour_stays(installation: Installation) -> None:
    def taken(minutes: int, gain: str) -> PortfolioSnapshot:
        run = a_run(None, at=NOON + minutes * timedelta(minutes=1))
        begin(installation.ledger, run)
        found = portfolio(run, gain=gain)
        installation.ledger.note([found, replace(found, positions=9)])
        finish(installation.ledger, run)
        return found

    first, _, third = taken(0, "1"), taken(50, "2"), taken(60, "3")
    assert installation.reader.facts() == [first, third]
    live = begin(installation.ledger, a_run(None, mode=Mode.LIVE))
    other = portfolio(live, gain="4")
    installation.ledger.note([other])
    finish(installation.ledger, live)
    assert installation.reader.facts() == [other, first, third]


def test_a_snapshot_tells_of_rules_bounds_payouts_and_quotes_of_the_markets_asked_for(
    installation: Installation,
) -> None:
    run = begin(installation.ledger, a_run())
    rain, snow = order_of(run), order_of(run, line=1, on=SNOW)
    ended = order_of(run, line=2)
    books = book(bids="0.40x1", asks="0.50x1"), book(SNOW, outcome_index=0, asks="0.30x1")
    installation.ledger.observe(inputs(*books), [])
    installation.ledger.record([rain, snow, ended], [], sends_out=False)
    installation.ledger.apply([*map(accepted, (rain, snow, ended))])
    bought = [filled(order, fill(order, "50", "0.50")) for order in (rain, snow)]
    whole = filled(ended, fill(ended, "100", "0.50"), complete=True)
    installation.ledger.apply([*bought, whole])
    paid = settlement("10"), settlement("5", "0.5", on=SNOW), settlement("3", key="2")
    rules = rule_set(), rule_set(on=SNOW), rule_set(outcome_index=1)
    bounds = [order_bounds(order, optimistic="60") for order in (rain, snow, ended)]
    installation.ledger.note([*paid, *rules, *bounds])
    finish(installation.ledger, run)

    def asked(*of: str) -> tuple[list[str], list[str], list[str], list[list[str]]]:
        found = installation.ledger.snapshot(
            Mode.PAPER, markets=[m.market_id for m in (RAIN, SNOW) if m.slug in of], orders=[]
        )
        keys = [sorted(entry.key for entry in entries) for entries in found.settlements.values()]
        return [*sorted(found.rules)], [*sorted(found.bounds)], [*sorted(found.quotes)], sorted(keys)

    rain_keys, snow_keys = sorted([paid[0].key, paid[2].key]), [paid[1].key]
    of_rain = sorted([token(RAIN), token(RAIN, 1)])
    assert asked("market-1") == (of_rain, [rain.order_id], [token(RAIN)], [rain_keys])
    assert asked("market-2") == ([token(SNOW)], [snow.order_id], [token(SNOW)], [snow_keys])
    assert asked() == ([], [], [], [])
    both = asked("market-1", "market-2")
    assert both[1] == sorted([rain.order_id, snow.order_id])
    snapshot = whole_snapshot(installation.ledger)
    assert list(snapshot.settlements[token(RAIN)]) == [paid[0], paid[2]]
    quote = snapshot.quotes[token(SNOW)]
    assert (quote.best_bid, quote.best_ask, quote.at) == (None, price("0.30"), books[1].received_at)


def test_a_price_is_remembered_only_of_what_is_held_when_it_is_seen(installation: Installation) -> None:
    run = begin(installation.ledger, a_run("early"))
    installation.ledger.observe(inputs(book(bids="0.40x1")), [])
    finish(installation.ledger, run)
    held(installation)
    assert whole_snapshot(installation.ledger).quotes == {}
    for plan, bids, end in (("a", "0.41x1", finish), ("b", "0.42x1", give_up)):
        run = begin(installation.ledger, a_run(plan))
        installation.ledger.observe(inputs(book(bids=bids)), [])
        end(installation.ledger, run)
    assert whole_snapshot(installation.ledger).quotes[token(RAIN)].best_bid == price("0.41")


def test_what_a_row_said_of_a_market_is_not_overwritten_by_a_guess_from_its_books(
    installation: Installation,
) -> None:
    known = replace(RAIN, group_id="0xgroup", minimum_size=size("15"))
    guessed = replace(RAIN, row_id=None, group_id=None, minimum_size=None)
    held(installation)
    for plan, market in (("a", guessed), ("b", known), ("c", guessed)):
        run = begin(installation.ledger, a_run(plan))
        installation.ledger.observe(inputs(markets=[market]), [])
        finish(installation.ledger, run)
        [stake] = installation.ledger.snapshot(Mode.PAPER, markets=[], orders=[], at=NOON).history.stakes
        said = (None, None) if plan == "a" else ("0xgroup", size("15"))
        assert (stake.group_id, stake.minimum_size) == said


def test_touched_are_markets_with_shares_or_orders_and_those_that_paid_lately(
    installation: Installation,
) -> None:
    ledger = installation.ledger

    def touched(mode: Mode = Mode.PAPER, *, hours: int = 0) -> list[str]:
        return [str(name) for name in ledger.touched(mode, settled_since=NOON + hours * LATER)]

    assert touched() == []
    held(installation)
    run = begin(ledger, a_run("july"))
    rests, ended = order_of(run, on=SNOW), order_of(run, line=1, on=SNOW)
    ledger.record([rests, ended], [], sends_out=False)
    whole = filled(ended, fill(ended, "100", "0.5"), complete=True)
    ledger.apply([accepted(rests), accepted(ended), whole])
    assert touched() == [RAIN.market_id]  # what is pending is not seen
    finish(ledger, run)
    assert touched() == [RAIN.market_id, SNOW.market_id]
    assert touched(Mode.LIVE) == []
    told(installation, settlement("100", at=NOON + 2 * LATER), settlement("100", on=SNOW, at=NOON))
    assert touched() == [RAIN.market_id, SNOW.market_id]
    assert touched(hours=2) == [RAIN.market_id, SNOW.market_id]  # its order still rests
    assert touched(hours=3) == [SNOW.market_id]


def test_every_fact_that_people_ask_after_has_an_audit_row(make_postgres_ledger: MakeLedger) -> None:
    at = make_postgres_ledger()
    order = held(at)
    assert isinstance(at.reader, PostgresReader)
    before = len(at.reader.audit())
    cause = Trigger(cause=Cause.STOP_LOSS, at=NOON, detail="bid=0.30")
    latched = rule_set(trigger=cause, high=price("0.45"))
    paid = settlement("60")
    run = told(
        at,
        paid,
        paid,
        rule_set(),
        rule_set(high=price("0.45")),
        latched,
        replace(latched, attempts=1),
        RuleRemoved(mode=Mode.PAPER, token_id=token(RAIN), at=NOON),
        order_bounds(order),
        RiskChanged(mode=Mode.PAPER, state=RiskState(tripped_at=NOON, detail="x"), at=NOON),
        RiskChanged(mode=Mode.PAPER, state=RiskState(reset_at=NOON), at=NOON),
    )
    rule = ("rule", token(RAIN))
    assert at.reader.audit()[before:] == [
        ("run_started", "run", run.run_id),
        ("ledger_entry", "entry", paid.key),
        ("rule_set", *rule),
        ("rule_triggered", *rule),
        ("exit_attempted", *rule),
        ("rule_removed", *rule),
        ("risk_tripped", "risk", "paper"),
        ("risk_reset", "risk", "paper"),
        ("run_completed", "run", run.run_id),
    ]
    told(at, rule_set(attempts=1), hours=2)
    told(at, rule_set(attempts=2), hours=3)
    changes = [event for event, kind, _ in at.reader.audit()[before + 9 :] if kind == "rule"]
    assert changes == ["rule_set", "exit_attempted"]


def test_facts_of_two_orders_are_told_apart(installation: Installation) -> None:
    first, second = held(installation), held(installation, plan="july")
    told(installation, order_bounds(first, optimistic="1"), order_bounds(second, optimistic="2"))
    told_apart = [fact.bounds for fact in installation.reader.facts() if isinstance(fact, OrderBounds)]
    assert {found.order_id: found.optimistic for found in told_apart} == {
        first.order_id: size("1"),
        second.order_id: size("2"),
    }
