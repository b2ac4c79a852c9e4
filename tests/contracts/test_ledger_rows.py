"""The promise of every ledger that what is read is what was written, field by field."""

from collections.abc import Iterable
from dataclasses import MISSING, Field, fields, replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId, TokenId, key, order_id
from betteroms.domain.intent import ExitRules, Intent
from betteroms.domain.money import MICROS, Price
from betteroms.domain.order import Accepted, Adjustment, Filled, Order, OrderStatus, Rejected
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.terms import Dollars, Liquidity, Mode, OrderType, Shares, Side, TimeInForce
from betteroms.ports import PayloadKind, RunInputs
from tests.contracts.builders import (
    NOON,
    RAIN,
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
    payload,
    token,
    whole_snapshot,
)
from tests.contracts.ledgers import Installation
from tests.domain.examples import dollars, price, shares, size, usdc

RUN = a_run()
LARGEST = size("999999999999.999999")
"""The most that NUMERIC(18, 6) holds."""
TEXTS = (
    "",
    " ",
    "\\N",
    "\\",
    "\\.",
    "a\tb\nc\r\nd\be\ff\vg",
    "it's \"quoted\" \\'twice\\' and $$ %s %(x)s {} ; -- :name",
    "ünïcödé – Ελληνικά 日本語 🦉 e\u0301 \u200d \u2028 \ufeff",
    "NULL",
    "x" * 2_000,
)
RULES = ExitRules(
    stop_loss_pct=10 * MICROS,
    take_profit_pct=25 * MICROS + 1,
    trailing_stop_pct=5_500_000,
    stop_price=price("0.31"),
    take_profit_price=price("0.999999"),
    hold_max_hours=72 * MICROS,
    exit_before_close_seconds=900,
    cool_down_minutes=30,
    daily_trades_max=3,
)


def wished(order: Order, **changed: Any) -> Order:
    """The order with another intent, under the id that follows from it."""
    intent = replace(order.intent, **changed)
    return replace(order, intent=intent, order_id=order_id(intent.key))


FULL = replace(
    wished(
        order_of(RUN, line=1, outcome_index=1, side=Side.SELL),
        key=key("paper", "plan", "june", "ref", 'a "b" \\ ü'),
        ref="ref_1.a-B",
        source="rule",
        outcome="It's 100% “sure”",
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTD,
        post_only=True,
        wished_amount=shares("12.345678"),
        wished_price=price("0.123456"),
        slippage_ticks=7,
        price_ceil=price("0.75"),
        price_floor=price("0.000001"),
        lifetime_seconds=7_200,
        exit_rules=RULES,
        notes=TEXTS[5],
        replaces=order_id("another"),
    ),
    amount=shares("12.34"),
    limit_price=price("0.12"),
    expires_at=NOON + timedelta(hours=2),
    code="A_CODE",
    reason="a reason",
    filled_size=size("1.5"),
    filled_cash=usdc("0.18"),
    fills=2,
    adjustments=(
        Adjustment(code="PRICE_ROUNDED", detail="from=0.123456 to=0.12"),
        Adjustment(code="TICK_ASSUMED"),
        Adjustment(code="ODD", detail='tab\t "quote" \\ \n ü'),
    ),
    exempt=True,
    status=OrderStatus.CANCELED,
    placed_at=NOON + timedelta(microseconds=1),
    sending_at=NOON + timedelta(microseconds=2),
    external_order_id="0x" + "ab" * 32,
)
"""An order with something of its own in every field."""

BARE = wished(
    replace(order_of(RUN, line=2), amount=None, limit_price=None, status=OrderStatus.DENIED, code="NO_BOOK"),
    key="bare",
    plan_id=None,
    line=None,
    wished_amount=dollars("0.000001"),
    wished_price=None,
    time_in_force=TimeInForce.FAK,
    slippage_ticks=0,
)
"""An order with nothing in every field that allows it."""


def variants() -> Iterable[tuple[str, Order]]:
    yield "full", FULL
    yield "bare", BARE
    yield "no rules in the rules", wished(FULL, key="no rules", exit_rules=ExitRules())
    for name in (field.name for field in fields(ExitRules)):
        rules = ExitRules(**{name: getattr(RULES, name)})
        yield f"only {name}", wished(order_of(RUN), key=name, exit_rules=rules)
    for number, text in enumerate(TEXTS):
        texts = {"notes": text, "outcome": text, "key": f"text {number} {text}"}
        adjusted = (Adjustment(code="ODD", detail=text),)
        yield f"text {number}", replace(wished(FULL, **texts), reason=text, code=text, adjustments=adjusted)
    for status in OrderStatus:
        yield f"{status}", replace(wished(order_of(RUN), key=f"{status}"), status=status)
    for tif in TimeInForce:
        yield f"{tif}", wished(order_of(RUN), key=f"{tif}", time_in_force=tif)
    largest = wished(order_of(RUN), key="most", wished_amount=Shares(size=LARGEST), line=2**31 - 1)
    yield "most shares", replace(largest, amount=Shares(size=LARGEST), limit_price=price("0.999999"))
    least = wished(order_of(RUN), key="least", wished_amount=shares("0.000001"), line=0)
    yield "least shares", replace(least, amount=shares("0"), limit_price=price("0.000001"))
    spent = wished(order_of(RUN), key="dollars", wished_amount=dollars("50.123456"))
    yield "dollars", replace(spent, amount=dollars("50.12"))
    mixed = wished(order_of(RUN), key="mixed", wished_amount=dollars("50"))
    yield "dollars that became shares", replace(mixed, amount=shares("99.5"))
    tokens = ("0", str(2**256 - 1), "00071")
    for number, name in enumerate(tokens):
        yield f"token {name[:5]}", wished(order_of(RUN), key=f"token {number}", token_id=TokenId(name))


def unset(value: Any, kept: Iterable[Field[Any]]) -> list[str]:
    """Fields that hold nothing, or only what they hold anyway."""
    return [
        field.name
        for field in kept
        if getattr(value, field.name) in (None, "", 0)
        or (field.default is not MISSING and getattr(value, field.name) == field.default)
    ]


def test_the_full_order_says_something_in_every_field() -> None:
    assert unset(FULL, fields(Order)) == ["signed"]  # it has ended
    assert unset(FULL.intent, fields(Intent)) == []
    assert unset(RULES, fields(ExitRules)) == []
    alike = [f.name for f in fields(Intent) if getattr(FULL.intent, f.name) == getattr(BARE.intent, f.name)]
    assert alike == ["market_id"]


@pytest.mark.parametrize("sends_out", [False, True])
def test_orders_come_back_as_they_were_recorded(installation: Installation, sends_out: bool) -> None:
    run = begin(installation.ledger, RUN)
    # The venue's name for an order is its own; the variants of one order share it only in this test.
    written = [
        replace(order, external_order_id=f"{order.external_order_id}{number}" if order.fills else None)
        for number, (_, order) in enumerate(variants())
    ]
    denied = [order for order in written if order.status is OrderStatus.DENIED]
    taken_on = [order for order in written if order.status is not OrderStatus.DENIED]
    installation.ledger.record(taken_on, denied, sends_out=sends_out)
    finish(installation.ledger, run)
    assert installation.reader.orders() == sorted(written, key=lambda order: order.order_id)
    known = whole_snapshot(installation.ledger, orders=[order.order_id for order in written]).known
    for (name, _), order in zip(variants(), written, strict=True):
        for field in fields(Order):
            kept = known[order.order_id]
            assert getattr(kept, field.name) == getattr(order, field.name), f"{name}: {field.name}"
            assert type(getattr(kept, field.name)) is type(getattr(order, field.name)), (
                f"{name}: {field.name}"
            )


@pytest.mark.parametrize("sends_out", [False, True])
def test_every_field_that_an_event_moves_comes_back(installation: Installation, sends_out: bool) -> None:
    run = begin(installation.ledger, RUN)
    orders = [order_of(RUN, line=line) for line in range(3)]
    installation.ledger.record(orders, [], sends_out=sends_out)
    moved = installation.ledger.apply(
        [
            Accepted(order_id=orders[0].order_id, at=NOON + timedelta(microseconds=7)),
            filled(orders[0], fill(orders[0], "33.333333", "0.47"), fill(orders[0], "1", "0.5", number=2)),
            Rejected(order_id=orders[1].order_id, at=NOON, code="POST_ONLY_WOULD_CROSS", reason=TEXTS[6]),
            Accepted(order_id=orders[2].order_id, at=NOON),
            filled(orders[2], fill(orders[2], "100", "0.5"), complete=True),
        ]
    )
    finish(installation.ledger, run)
    assert installation.reader.orders() == sorted(moved, key=lambda order: order.order_id)
    statuses = [order.status for order in moved]
    assert statuses == [OrderStatus.OPEN, OrderStatus.REJECTED, OrderStatus.FILLED]


def test_events_of_a_later_run_move_every_field_too(installation: Installation) -> None:
    order = replace(order_of(RUN, line=1), external_order_id="0xabc", sending_at=NOON)
    run = begin(installation.ledger, RUN)
    installation.ledger.record([order], [], sends_out=True)
    finish(installation.ledger, run)
    later = begin(installation.ledger, a_run("later", at=NOON + timedelta(hours=1)))
    [moved] = installation.ledger.apply(
        [accepted(order, later.now), filled(order, fill(order, "100", "0.5"), complete=True)]
    )
    finish(installation.ledger, later)
    assert installation.reader.orders() == [moved]
    assert (moved.run_id, moved.placed_at, moved.status) == (run.run_id, later.now, OrderStatus.FILLED)
    assert (moved.external_order_id, moved.sending_at) == ("0xabc", NOON)


def test_refusals_keep_their_code_and_their_numbers(installation: Installation) -> None:
    run = begin(installation.ledger, RUN)
    codes = {"NO_BOOK": None, "NOTIONAL_EXCEEDS_LIMIT": "notional=52.00 max=50.00", "ODD": TEXTS[6]}
    denied = [
        replace(order_of(RUN, line=line), status=OrderStatus.DENIED, code=code, reason=reason)
        for line, (code, reason) in enumerate(codes.items())
    ]
    installation.ledger.record([], denied, sends_out=False)
    finish(installation.ledger, run)
    assert {order.code: order.reason for order in installation.reader.orders()} == codes
    assert installation.reader.events() == [(order.order_id, "Denied") for order in denied]


def test_executions_come_back_as_they_were_told(installation: Installation) -> None:
    run = begin(installation.ledger, RUN)
    order = order_of(RUN, amount=Shares(size=LARGEST))
    executions: list[Execution] = [
        fill(order, "12.345678", "0.123456", fee="0.00001", liquidity=Liquidity.MAKER),
        fill(order, "0.000001", "0.999999", number=2, external_execution_id="trade \\ 'ü'\t"),
        fill(order, "900000000000", "0.000001", number=3, fee="123456.78901"),
        fill(order, "5", "0.5", number=7, executed_at=NOON - timedelta(days=400, microseconds=1)),
    ]
    event: Filled = filled(order, *executions)
    installation.ledger.record([order], [], sends_out=False)
    installation.ledger.apply([accepted(order), event])
    finish(installation.ledger, run)
    assert installation.reader.executions() == executions
    assert list(whole_snapshot(installation.ledger, orders=[order.order_id]).executions[order.order_id]) == (
        executions
    )
    kept = installation.reader.executions()[0]
    assert (type(kept.price), type(kept.size), type(kept.cash), type(kept.fee)) == (int, int, int, int)


def test_entries_come_back_as_they_were_written(installation: Installation) -> None:
    entries = [
        LedgerEntry(
            key=f"key {number} {text}",
            mode=Mode.PAPER,
            kind=EntryKind.DEPOSIT,
            cash=usdc(f"{number}.000001"),
            at=NOON + timedelta(microseconds=number),
            note=text,
        )
        for number, text in enumerate(TEXTS)
    ]
    finish(installation.ledger, begin(installation.ledger, RUN, *entries))
    assert installation.reader.entries() == entries


def test_what_was_read_is_kept_once_and_byte_by_byte(installation: Installation) -> None:
    bodies = [b"", b"{}", bytes(range(256)) * 40, "ü 🦉".encode()]
    kept = [payload(body, subject=TEXTS[7]) for body in bodies]
    kept += [payload(b"row", kind=PayloadKind.MARKET), payload(b"plan", kind=PayloadKind.PLAN)]
    for plan in ("june", "july"):
        run = begin(installation.ledger, a_run(plan))
        installation.ledger.observe(inputs(book(asks="0.50x1")), [*kept, kept[0]])
        finish(installation.ledger, run)
    assert installation.reader.payloads() == sorted(kept, key=lambda one: one.payload_id)


def test_a_run_that_reads_and_wishes_nothing_is_a_run(installation: Installation) -> None:
    run = begin(installation.ledger, RUN)
    installation.ledger.observe(RunInputs(), [])
    installation.ledger.record([], [], sends_out=False)
    assert list(installation.ledger.apply([])) == []
    finish(installation.ledger, run)
    assert installation.reader.orders() == []
    assert installation.reader.runs()[0].summary is not None


def many(at: Installation, *, sends_out: bool) -> tuple[dict[OrderId, Order], list[Execution]]:
    """A run of more rows than a ledger holds back, told in batches that come back to earlier orders."""
    run = begin(at.ledger, replace(RUN, mode=Mode.LIVE if sends_out else Mode.PAPER))
    orders = [order_of(run, line=line, outcome_index=line % 2) for line in range(1_200)]
    at.ledger.record(orders, [], sends_out=sends_out)
    moved = {order.order_id: order for order in orders}
    booked: list[Execution] = []
    for batch in (orders[:500], orders[500:1_100]):
        bought = [(fill(o, "1.5", "0.41"), fill(o, "2", "0.42", number=2, fee="0.01")) for o in batch]
        events = [filled(o, *both, taken="0.41x1.5") for o, both in zip(batch, bought, strict=True)]
        news = [said for o, event in zip(batch, events, strict=True) for said in (accepted(o), event)]
        moved.update((order.order_id, order) for order in at.ledger.apply(news))
        booked.extend(execution for both in bought for execution in both)
    again = [fill(order, "1", "0.43", number=3) for order in orders[:600]]
    events = [filled(o, one, complete=True) for o, one in zip(orders[:600], again, strict=True)]
    moved.update((order.order_id, order) for order in at.ledger.apply(events))
    return moved, [*booked, *again]


@pytest.mark.parametrize("sends_out", [False, True])
def test_a_big_run_is_kept_whole(installation: Installation, sends_out: bool) -> None:
    moved, booked = many(installation, sends_out=sends_out)
    finish(installation.ledger, replace(RUN, mode=Mode.LIVE) if sends_out else RUN)
    assert {order.order_id: order for order in installation.reader.orders()} == moved
    assert installation.reader.executions() == booked
    assert len(installation.reader.events()) == 2 * 1_100 + 600
    assert sum(position.size for position in installation.reader.positions()) == sum(e.size for e in booked)


@pytest.mark.parametrize("end", ["fails", "dies"])
def test_a_big_run_that_ends_badly_leaves_nothing(installation: Installation, end: str) -> None:
    many(installation, sends_out=False)
    if end == "fails":
        give_up(installation.ledger, RUN)
    else:
        installation.die()
    reader = installation.reader
    assert [reader.orders(), reader.executions(), reader.positions(), reader.events()] == [[], [], [], []]
    moved, _ = many(installation, sends_out=False)
    finish(installation.ledger, RUN)
    assert {order.order_id: order for order in reader.orders()} == moved


def test_shares_and_dollars_stay_apart(installation: Installation) -> None:
    run = begin(installation.ledger, RUN)
    orders = [order_of(RUN, line=0, amount=shares("5")), order_of(RUN, line=1, amount=dollars("5"))]
    installation.ledger.record(orders, [], sends_out=False)
    finish(installation.ledger, run)
    found = sorted(installation.reader.orders(), key=lambda order: order.intent.line or 0)
    assert [type(order.amount) for order in found] == [Shares, Dollars]
    assert [type(order.intent.wished_amount) for order in found] == [Shares, Dollars]
    assert {order.intent.token_id for order in found} == {token(RAIN)}
    assert found[0].order_id == OrderId(order_id(found[0].intent.key))
    assert found[0].limit_price == Price(500_000)
