"""The promise of every ledger that facts besides orders are read as they were told, field by field."""

from collections.abc import Iterable
from dataclasses import MISSING, fields, replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.domain.bounds import FillBounds
from betteroms.domain.intent import ExitRules
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.risk.history import RiskState
from betteroms.domain.rule import Cause, RuleOrigin, RuleSet, Trigger
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, OrderBounds, RiskChanged
from tests.contracts.builders import NOON, RAIN, a_run, begin, finish, market, token, whole_snapshot
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
from tests.contracts.ledgers import Installation
from tests.contracts.test_ledger_rows import LARGEST, RULES, TEXTS
from tests.domain.examples import price, size, usdc

TICK = timedelta(microseconds=1)
TRIGGER = Trigger(cause=Cause.TRAILING_STOP, at=NOON + 3 * TICK, detail=TEXTS[5])


def full_rules(order: Any) -> RuleSet:
    """Exit rules with something of their own in every field."""
    return rule_set(
        outcome_index=1,
        outcome=TEXTS[7],
        rules=RULES,
        origin=RuleOrigin.ORDER,
        order_id=order.order_id,
        line=17,
        set_at=NOON + TICK,
        opened_at=NOON + 2 * TICK,
        dust=True,
        high=price("0.999999"),
        trigger=TRIGGER,
        attempts=3,
        stopped_at=NOON - LATER,
    )


def rules_of_every_kind() -> Iterable[RuleSet]:
    """One set for each of several markets, since a token has only one."""
    for number, text in enumerate(TEXTS, start=10):
        detail = replace(TRIGGER, detail=text)
        yield rule_set(on=market(number), name=text, outcome=text, trigger=detail)
    for number, cause in enumerate(Cause, start=30):
        yield rule_set(on=market(number), name=cause, trigger=replace(TRIGGER, cause=cause))
    for number, field in enumerate(fields(ExitRules), start=40):
        only = ExitRules(**{field.name: getattr(RULES, field.name)})
        yield rule_set(on=market(number), name=field.name, rules=only)
    yield rule_set(on=market(60), name="nothing", rules=ExitRules())


def test_the_full_rules_say_something_in_every_field(installation: Installation) -> None:
    full, plain = full_rules(held(installation)), rule_set()
    alike = [f.name for f in fields(RuleSet) if getattr(full, f.name) == getattr(plain, f.name)]
    assert alike == ["rule_id", "mode", "market_id"]


def test_exit_rules_come_back_as_they_were_told(installation: Installation) -> None:
    found: list[RuleSet] = [full_rules(held(installation)), rule_set(), *rules_of_every_kind()]
    told(installation, *found)
    assert installation.reader.facts() == by_token(*found)
    markets = [rules.market_id for rules in found]
    read = installation.ledger.snapshot(Mode.PAPER, markets=markets, orders=[]).rules
    assert read == {rules.token_id: rules for rules in found}
    kept = read[token(RAIN, 1)]
    assert kept.trigger is not None
    kinds = [type(value) for value in (kept.high, kept.origin, kept.trigger.cause)]
    assert kinds == [int, RuleOrigin, Cause]


def entries_of_every_kind() -> Iterable[LedgerEntry]:
    yield LedgerEntry(key="out", mode=Mode.PAPER, kind=EntryKind.WITHDRAWAL, cash=usdc("-0.000001"), at=NOON)
    for number, text in enumerate(TEXTS):
        yield settlement("0.000001", "0.999999", key=f"{number} {text}", note=text, at=NOON + number * TICK)
    yield settlement("1", "0.000001", key="least")
    yield settlement("1", "0", key="nothing", paid_for=LARGEST)
    yield settlement("0", "1", key="anew", paid_for=size("99.5"), cash=usdc("99.5"))
    back = settlement("0", "1", key="back", cash=usdc("-99.5"), paid_for=size("99.5"))
    yield replace(back, kind=EntryKind.REVERSAL)


@pytest.mark.parametrize("told_as", ["a note", "an opening"])
def test_entries_of_every_kind_come_back_as_they_were_told(installation: Installation, told_as: str) -> None:
    held(installation)
    before = list(installation.reader.entries())
    found = list(entries_of_every_kind())
    if told_as == "a note":
        told(installation, *found)
    else:
        found = [entry for entry in found if entry.token_id is None]  # others move a position
        finish(installation.ledger, begin(installation.ledger, a_run(None), *found))
    assert installation.reader.entries() == [*before, *found]
    for entry in installation.reader.entries():
        assert [type(entry.cash), type(entry.size), type(entry.paid_for)] == [int, int, int]
        assert isinstance(entry.payout, int) is (entry.token_id is not None)
    settled = [entry for entry in found if entry.token_id is not None]
    assert list(whole_snapshot(installation.ledger).settlements.get(token(RAIN), ())) == settled
    said = {name for entry in entries_of_every_kind() for name in told_fields(entry)}
    assert said == {field.name for field in fields(LedgerEntry)}


def told_fields(entry: LedgerEntry) -> set[str]:
    """Fields that hold something of their own."""
    return {
        field.name
        for field in fields(LedgerEntry)
        if getattr(entry, field.name) not in (None, "", 0)
        and (field.default is MISSING or getattr(entry, field.name) != field.default)
    }


def test_bounds_come_back_as_they_were_told(installation: Installation) -> None:
    amounts = (
        ("0", "0", "0", "0"),
        ("0.000001", "0.000002", "0.000003", "0.000004"),
        ("1.5", "999999999999.999999", "2.25", "999999999999.999999"),
    )
    found = []
    for number, (at_once, ahead, worst, best) in enumerate(amounts):
        order = held(installation, plan=str(number))
        found.append(order_bounds(order, at_once=at_once, ahead=ahead, pessimistic=worst, optimistic=best))
    told(installation, *found)
    kept = installation.reader.facts()
    assert kept == sorted(found, key=lambda bounds: bounds.bounds.order_id)
    numbers = [
        getattr(fact.bounds, field.name)
        for fact in kept
        if isinstance(fact, OrderBounds)
        for field in fields(FillBounds)[1:]
    ]
    assert {type(number) for number in numbers} == {int}


def test_snapshots_come_back_as_they_were_told(installation: Installation) -> None:
    run = begin(installation.ledger, a_run(None))
    full = portfolio(
        run,
        at=NOON + TICK,
        positions=2**31 - 1,
        cost_basis=usdc("1.000001"),
        market_value=usdc("2.5"),
        realised=usdc("-3.000003"),
        unrealised=usdc("1.499999"),
        fees=usdc("0.00001"),
        cash=usdc("-7.1"),
        deposited=usdc("-0.000001"),
        net_liquidation=usdc("-4.6"),
        pessimistic=usdc("-999999999999.999999"),
        optimistic=usdc("999999999999.999999"),
    )
    plain = portfolio(run, at=NOON + 5 * LATER)
    assert [f.name for f in fields(PortfolioSnapshot) if getattr(full, f.name) == getattr(plain, f.name)] == [
        "mode",
        "run_id",
    ]
    installation.ledger.note([full, plain])
    finish(installation.ledger, run)
    kept = installation.reader.facts()
    assert kept == [full, plain]
    for field in fields(PortfolioSnapshot):
        assert type(getattr(kept[0], field.name)) is type(getattr(full, field.name)), field.name


@pytest.mark.parametrize(
    "state",
    [
        RiskState(),
        RiskState(tripped_at=NOON + TICK, detail=TEXTS[5]),
        RiskState(reset_at=NOON + TICK, reset_equity=usdc("-12.000001")),
        RiskState(tripped_at=NOON, detail=TEXTS[7], reset_at=NOON - LATER, reset_equity=usdc("5")),
    ],
)
def test_the_switch_comes_back_as_it_was_told(installation: Installation, state: RiskState) -> None:
    facts: list[Fact] = [RiskChanged(mode=Mode.PAPER, state=state, at=NOON)]
    before = RiskChanged(mode=Mode.PAPER, state=RiskState(tripped_at=NOON, detail="before"), at=NOON)
    told(installation, before)
    told(installation, *facts, hours=2)
    kept = installation.ledger.snapshot(Mode.PAPER, markets=[], orders=[], at=NOON).history.state
    assert kept == state
    assert type(kept.reset_equity) is int
