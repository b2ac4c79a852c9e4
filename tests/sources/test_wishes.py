"""A plan and its markets become intents; names that nothing has are all told at once."""

from collections.abc import Mapping
from typing import Any

import pytest

from betteroms.domain.errors import NotFound
from betteroms.domain.ids import TokenId, plan_key
from betteroms.domain.intent import ExitRules, Intent
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Price
from betteroms.domain.terms import Mode, OrderType, Side, TimeInForce
from betteroms.sources.plan import intents
from tests.domain.examples import MARKET_ID, NO, YES, a_market, dollars, price, shares
from tests.sources.writing import a_plan, a_sale, an_instruction, read

SLUG = "will-x-happen"


def labelled(*labels: str) -> Market:
    tokens = (YES, NO)
    pairs = zip(tokens, labels, strict=True)
    return a_market(slug=SLUG, outcomes=tuple(Outcome(token_id=token, label=label) for token, label in pairs))


BINARY: Mapping[str, Market] = {SLUG: labelled("Yes", "No"), YES: labelled("Yes", "No")}


def wishes(*items: dict[str, Any], markets: Mapping[str, Market] = BINARY, **changed: Any) -> list[Intent]:
    return intents(read(a_plan(*items, **changed)), plan_id="dip-13", mode=Mode.PAPER, markets=markets)


def wish(item: dict[str, Any], *, markets: Mapping[str, Market] = BINARY, **changed: Any) -> Intent:
    [made] = wishes(item, markets=markets, **changed)
    return made


def not_found(*items: dict[str, Any], markets: Mapping[str, Market] = BINARY) -> list[str]:
    with pytest.raises(NotFound) as raised:
        wishes(*items, markets=markets)
    return [problem.removeprefix("x.json tradeInstructions") for problem in raised.value.problems]


def test_a_plain_line_becomes_a_whole_wish() -> None:
    assert wish(an_instruction()) == Intent(
        key='["paper","plan","dip-13","line",0]',
        source="plan",
        plan_id="dip-13",
        line=0,
        ref=None,
        market_id=MARKET_ID,
        token_id=YES,
        outcome="Yes",
        outcome_index=0,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        post_only=False,
        wished_amount=dollars("500"),
        wished_price=price("0.42"),
        slippage_ticks=2,
        price_ceil=None,
        price_floor=None,
        lifetime_seconds=None,
        exit_rules=None,
        notes=None,
    )


def test_a_line_with_everything_becomes_a_wish_with_everything() -> None:
    item = a_sale(
        outcome="no",
        size="7.25",
        price="0.5601",
        timeInForce="GTD",
        cancelAfterSec=7_200,
        goodForSeconds=600,
        postOnly=True,
        priceFloor=0.5,
        slippageTicksSell=9,
        ref="half",
        notes="off",
    )
    made = wish(item)
    assert made.key == '["paper","plan","dip-13","ref","half"]'
    assert (made.ref, made.notes, made.post_only, made.lifetime_seconds) == ("half", "off", True, 7_200)
    assert (made.token_id, made.outcome, made.outcome_index, made.side) == (NO, "No", 1, Side.SELL)
    assert (made.wished_amount, made.wished_price) == (shares("7.25"), price("0.5601"))
    assert (made.price_floor, made.slippage_ticks, made.time_in_force) == (500_000, 9, TimeInForce.GTD)


def test_wishes_keep_the_order_of_the_plan_and_are_named_by_ref_or_line() -> None:
    items = [an_instruction(ref="r" if line == 5 else ...) for line in range(12)]
    made = wishes(*items)
    assert [wished.line for wished in made] == list(range(12))
    assert [wished.key for wished in made] == [
        plan_key(Mode.PAPER, "dip-13", line=line, ref="r" if line == 5 else None) for line in range(12)
    ]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("plan_id", ["dip", 'a"b', "é-0]", "line,0"])
def test_a_key_says_mode_and_plan(mode: Mode, plan_id: str) -> None:
    plan = read(a_plan(an_instruction(), an_instruction()))
    made = intents(plan, plan_id=plan_id, mode=mode, markets=BINARY)
    assert made[1].key == plan_key(mode, plan_id, line=1, ref=None)


@pytest.mark.parametrize(
    ("item", "amount"),
    [
        (an_instruction(size=10), dollars("10")),
        (an_instruction(size=10, sizeUnit="USDC"), dollars("10")),
        (an_instruction(size="10.5", sizeUnit="SHARES"), shares("10.5")),
        (a_sale(size=10), shares("10")),
        (a_sale(size=10, sizeUnit="SHARES"), shares("10")),
    ],
)
def test_a_size_is_dollars_for_a_buy_and_shares_for_a_sell_unless_it_says(
    item: dict[str, Any], amount: object
) -> None:
    assert wish(item).wished_amount == amount


MARKET = {"type": "MARKET", "price": ...}


@pytest.mark.parametrize(
    ("changed", "defaults", "time", "lifetime"),
    [
        ({}, {}, "GTC", None),
        ({}, {"goodForSeconds": 600}, "GTC", 600),
        ({"goodForSeconds": 300}, {"goodForSeconds": 600}, "GTC", 300),
        ({"goodForSeconds": 300, "cancelAfterSec": 200}, {"goodForSeconds": 600}, "GTC", 200),
        ({"timeInForce": "GTT"}, {"goodForSeconds": 600}, "GTD", 600),
        ({}, {"timeInForce": "GTD", "goodForSeconds": 600}, "GTD", 600),
        ({}, {"timeInForce": "FOK", "goodForSeconds": 600}, "FOK", None),
        ({"timeInForce": "GTC"}, {"timeInForce": "FOK"}, "GTC", None),
        ({"timeInForce": "IOC"}, {"goodForSeconds": 600}, "FAK", None),
        (MARKET, {}, "FAK", None),
        (MARKET | {"timeInForce": "FOK"}, {}, "FOK", None),
        (MARKET | {"timeInForce": "FAK"}, {"timeInForce": "FOK"}, "FAK", None),
        (MARKET, {"timeInForce": "FOK"}, "FOK", None),
        (MARKET, {"timeInForce": "GTD", "goodForSeconds": 600}, "FAK", None),
    ],
)
def test_how_long_an_order_lives(
    changed: dict[str, Any], defaults: dict[str, Any], time: str, lifetime: int | None
) -> None:
    made = wish(an_instruction(**changed), defaults=defaults)
    assert (made.time_in_force, made.lifetime_seconds) == (TimeInForce(time), lifetime)


def test_a_market_order_has_no_price_and_is_bounded_by_ticks() -> None:
    made = wish(an_instruction(**MARKET, priceCeil=0.5))
    assert (made.order_type, made.wished_price) == (OrderType.MARKET, None)
    assert (made.slippage_ticks, made.price_ceil) == (2, 500_000)


@pytest.mark.parametrize(
    ("item", "defaults", "ticks"),
    [
        (an_instruction(), {"slippageTicksBuy": 0, "slippageTicksSell": 7}, 0),
        (an_instruction(slippageTicksBuy=0, slippageTicksSell=5), {"slippageTicksBuy": 3}, 0),
        (an_instruction(slippageTicksSell=5), {}, 2),
        (a_sale(), {"slippageTicksBuy": 0, "slippageTicksSell": 7}, 7),
        (a_sale(slippageTicksSell=0), {"slippageTicksSell": 7}, 0),
        (a_sale(slippageTicksBuy=5), {}, 2),
    ],
)
def test_slippage_is_the_side_s_own(item: dict[str, Any], defaults: dict[str, Any], ticks: int) -> None:
    assert wish(item, defaults=defaults).slippage_ticks == ticks


RULES = {
    "stopLossPct": 10,
    "takeProfitPct": "20.5",
    "trailingStopPct": 5,
    "stopPrice": 0.2,
    "takeProfitPrice": 0.8,
    "maxHoldHours": 1.5,
    "exitBeforeCloseSec": 3_600,
    "coolDownMinutes": 15,
    "maxDailyTrades": 4,
}
ALL_RULES = ExitRules(
    stop_loss_pct=10_000_000,
    take_profit_pct=20_500_000,
    trailing_stop_pct=5_000_000,
    stop_price=Price(200_000),
    take_profit_price=Price(800_000),
    hold_max_hours=1_500_000,
    exit_before_close_seconds=3_600,
    cool_down_minutes=15,
    daily_trades_max=4,
)


def test_exit_rules_are_the_line_s_own_or_the_default_ones() -> None:
    assert wish(an_instruction(**RULES)).exit_rules == ALL_RULES
    assert wish(an_instruction(), defaults=RULES).exit_rules == ALL_RULES
    made = wish(an_instruction(stopLossPct=30), defaults={"stopLossPct": 10, "coolDownMinutes": 15})
    assert made.exit_rules == ExitRules(stop_loss_pct=30_000_000, cool_down_minutes=15)


def test_a_sell_has_the_exit_rules_it_states_and_takes_none_by_default() -> None:
    assert wish(a_sale(), defaults=RULES).exit_rules is None
    assert wish(a_sale(stopLossPct=30), defaults=RULES).exit_rules == ExitRules(stop_loss_pct=30_000_000)


@pytest.mark.parametrize(
    ("labels", "outcome", "index"),
    [
        (("Yes", "No"), "YES", 0),
        (("Yes", "No"), "no", 1),
        (("Up", "Down"), "YES", 0),
        (("Up", "Down"), "No", 1),
        (("Up", "Down"), "DOWN", 1),
        (("Up", "Down"), "up", 0),
        (("No", "Yes"), "YES", 1),
        (("No", "Yes"), "NO", 0),
        (("Yes", "Never"), "NO", 1),
        (("Maybe", "Yes"), "YES", 1),
        (("Straße", "Weg"), "STRASSE", 0),
        (("Yes", "Yes"), "YES", 0),
        (("Team A", "Team B"), "team b", 1),
    ],
)
def test_an_outcome_is_named_by_its_label_or_by_its_place(
    labels: tuple[str, str], outcome: str, index: int
) -> None:
    made = wish(an_instruction(outcome=outcome), markets={SLUG: labelled(*labels)})
    assert (made.outcome_index, made.token_id) == (index, (YES, NO)[index])
    assert made.outcome == labels[index]


@pytest.mark.parametrize(
    ("labels", "outcome"),
    [
        (("Yes", "No"), "Maybe"),
        (("Up", "Down"), "Sideways"),
        (("Maybe", "Yes"), "NO"),
        (("No", "Maybe"), "YES"),
        (("Same", "Same"), "same"),
    ],
)
def test_an_outcome_that_no_label_or_place_answers_is_unknown(labels: tuple[str, str], outcome: str) -> None:
    found = not_found(an_instruction(outcome=outcome), markets={SLUG: labelled(*labels)})
    assert found == [f'[0].outcome: unknown outcome "{outcome}"; {SLUG} has "{labels[0]}" and "{labels[1]}"']


def test_a_place_beyond_the_outcomes_is_unknown() -> None:
    market = a_market(slug=SLUG, outcomes=(Outcome(token_id=YES, label="Only"),))
    assert not_found(an_instruction(outcome="NO"), markets={SLUG: market}) == [
        f'[0].outcome: unknown outcome "NO"; {SLUG} has "Only"'
    ]


def test_every_unknown_name_is_told_at_once() -> None:
    found = not_found(
        an_instruction(),
        an_instruction(marketId="will-y-happen"),
        an_instruction(outcome="Maybe"),
        an_instruction(marketId="will-z-happen", outcome="NO"),
        an_instruction(marketId="will-y-happen", outcome="NO"),
        an_instruction(marketId="will-y-happen"),
        a_sale(outcome="Maybe"),
    )
    assert found == [
        "[1].marketId: unknown market will-y-happen (and 2 more)",
        '[2].outcome: unknown outcome "Maybe"; will-x-happen has "Yes" and "No" (and 1 more)',
        "[3].marketId: unknown market will-z-happen",
    ]


def test_a_token_id_names_its_outcome() -> None:
    item = an_instruction(marketId=YES, outcome=...)
    assert wish(item).outcome == "Yes"
    assert wish(an_instruction(marketId=YES, outcome="YES")).token_id == YES
    market = labelled("Up", "Down")
    made = wish(an_instruction(marketId=NO, outcome=...), markets={NO: market})
    assert (made.outcome, made.outcome_index, made.token_id) == ("Down", 1, NO)


def test_an_outcome_that_contradicts_the_token_id_is_refused() -> None:
    assert not_found(an_instruction(marketId=YES, outcome="NO")) == [
        '[0].outcome: "NO" contradicts the token id, which is "Yes"'
    ]


def test_a_token_id_with_an_unknown_outcome_is_refused() -> None:
    assert not_found(an_instruction(marketId=YES, outcome="Maybe")) == [
        '[0].outcome: unknown outcome "Maybe"; will-x-happen has "Yes" and "No"'
    ]


def test_a_token_id_that_the_market_found_does_not_have_is_refused() -> None:
    token = TokenId("9" * 77)
    assert not_found(an_instruction(marketId=token, outcome=...), markets={token: BINARY[SLUG]}) == [
        f"[0].marketId: unknown token {'9' * 59}… of will-x-happen"
    ]


def test_a_plan_with_nothing_to_do_has_no_wishes() -> None:
    assert wishes(tradeInstructions=[]) == []
