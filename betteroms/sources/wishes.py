"""From a plan and its markets to intents: names become tokens, and silence becomes the default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from betteroms.domain.errors import NotFound
from betteroms.domain.ids import MarketId, TokenId, plan_key
from betteroms.domain.intent import ExitRules, Intent
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.terms import Dollars, Mode, OrderType, Shares, Side, TimeInForce
from betteroms.sources.plan_fields import SizeUnit
from betteroms.sources.plan_model import SLIPPAGE_TICKS_DEFAULT, Defaults, ExitRuleKeys, Instruction, Plan
from betteroms.sources.plan_problems import Problem, cut, quoted, told
from betteroms.sources.plan_rules import EXIT_RULE_KEYS, is_token_id, time_in_force

_POSITIONS: Final = {"yes": 0, "no": 1}
"""The outcomes that YES and NO mean where no label says so."""
_OPPOSITES: Final = {"yes": "no", "no": "yes"}
_SILENT_KEYS: Final = frozenset({"marketId", "outcome", "side", "price", "size", "ref", "notes"})
"""Instructions with only these are all carried out alike, so that a large plan works it out once."""
_Name = tuple[str, str | None]
"""marketId and outcome, as written."""
_Trouble = tuple[str, str]
"""The key to blame, and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What an instruction trades: one outcome of one market."""

    market_id: MarketId
    token_id: TokenId
    label: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """How an instruction is to be carried out, the defaults taken in."""

    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    in_dollars: bool
    slippage_ticks: int
    price_ceil: Price | None
    price_floor: Price | None
    lifetime_seconds: int | None
    exit_rules: ExitRules | None


def market_names(plan: Plan) -> frozenset[str]:
    """Every marketId of the plan, as written."""
    return frozenset(item["marketId"] for item in plan.instructions)


def intents(plan: Plan, *, plan_id: str, mode: Mode, markets: Mapping[str, Market]) -> list[Intent]:
    """The plan's wishes, in its order; `markets` is keyed by marketId as written.

    `plan_id` is the resolved one. Amounts and prices stay as written: rounding them to what the venue
    takes comes later, the same for every source.

    Raises:
        NotFound: markets or outcomes that do not exist; all of them named.
    """
    claims = _claims(plan, markets)
    usual: dict[tuple[Side, tuple[str, ...]], _Terms] = {}
    # Keys that end in a line's number differ in nothing else: the rest is made once.
    key_head = plan_key(mode, plan_id, line=0, ref=None).removesuffix("0]")
    wishes: list[Intent] = []
    for line, item in enumerate(plan.instructions):
        claim = claims[item["marketId"], item.get("outcome")]
        ref, size = item.get("ref"), item["size"]
        alike = item["side"], tuple(item)
        terms = usual.get(alike)
        if terms is None:
            terms = _terms(item, plan.defaults)
            if _SILENT_KEYS.issuperset(item):
                usual[alike] = terms
        wishes.append(
            Intent(
                key=plan_key(mode, plan_id, line=line, ref=ref) if ref else f"{key_head}{line}]",
                source="plan",
                plan_id=plan_id,
                line=line,
                ref=ref,
                market_id=claim.market_id,
                token_id=claim.token_id,
                outcome=claim.label,
                outcome_index=claim.index,
                side=item["side"],
                order_type=terms.order_type,
                time_in_force=terms.time_in_force,
                post_only=terms.post_only,
                wished_amount=Dollars(usdc=Usdc(size)) if terms.in_dollars else Shares(size=Size(size)),
                wished_price=item.get("price"),
                slippage_ticks=terms.slippage_ticks,
                price_ceil=terms.price_ceil,
                price_floor=terms.price_floor,
                lifetime_seconds=terms.lifetime_seconds,
                exit_rules=terms.exit_rules,
                notes=item.get("notes"),
            )
        )
    return wishes


def _terms(item: Instruction, defaults: Defaults) -> _Terms:
    buying = item["side"] is Side.BUY
    time = time_in_force(item, defaults)
    lifetime = item.get("cancelAfterSec") or item.get("goodForSeconds") or defaults.get("goodForSeconds")
    # Default rules are for positions that the plan opens; a SELL has only those it states itself.
    inherited = cast(ExitRuleKeys, {**defaults, **item}) if buying else item
    return _Terms(
        order_type=item.get("type", OrderType.LIMIT),
        time_in_force=time,
        post_only=item.get("postOnly", False),
        in_dollars=buying and item.get("sizeUnit") is not SizeUnit.SHARES,
        slippage_ticks=_slippage_ticks(item, defaults),
        price_ceil=item.get("priceCeil"),
        price_floor=item.get("priceFloor"),
        lifetime_seconds=lifetime if time.rests else None,
        exit_rules=exit_rules_of(inherited),
    )


def _slippage_ticks(item: Instruction, defaults: Defaults) -> int:
    if item["side"] is Side.BUY:
        default = defaults.get("slippageTicksBuy", SLIPPAGE_TICKS_DEFAULT)
        return item.get("slippageTicksBuy", default)
    default = defaults.get("slippageTicksSell", SLIPPAGE_TICKS_DEFAULT)
    return item.get("slippageTicksSell", default)


def exit_rules_of(keys: ExitRuleKeys) -> ExitRules | None:
    """The exit rules that these keys state; None where they state none."""
    if EXIT_RULE_KEYS.isdisjoint(keys):
        return None
    return ExitRules(
        stop_loss_pct=keys.get("stopLossPct"),
        take_profit_pct=keys.get("takeProfitPct"),
        trailing_stop_pct=keys.get("trailingStopPct"),
        stop_price=keys.get("stopPrice"),
        take_profit_price=keys.get("takeProfitPrice"),
        hold_max_hours=keys.get("maxHoldHours"),
        exit_before_close_seconds=keys.get("exitBeforeCloseSec"),
        cool_down_minutes=keys.get("coolDownMinutes"),
        daily_trades_max=keys.get("maxDailyTrades"),
    )


def _claims(plan: Plan, markets: Mapping[str, Market]) -> dict[_Name, _Claim]:
    claims: dict[_Name, _Claim] = {}
    troubles: dict[_Name, _Trouble] = {}
    for name in dict.fromkeys((item["marketId"], item.get("outcome")) for item in plan.instructions):
        found = _claim(*name, markets)
        if isinstance(found, _Claim):
            claims[name] = found
        else:
            troubles[name] = found
    if troubles:
        raise _not_found(plan, troubles)
    return claims


def _claim(market_id: str, outcome: str | None, markets: Mapping[str, Market]) -> _Claim | _Trouble:
    market = markets.get(market_id)
    if market is None:
        return "marketId", f"unknown market {cut(market_id)}"
    named = None if outcome is None else outcome_meant(outcome, market.outcomes)
    if outcome is not None and named is None:
        labels = " and ".join(quoted(known.label) for known in market.outcomes)
        return "outcome", f"unknown outcome {quoted(outcome)}; {cut(market.name)} has {labels}"
    if is_token_id(market_id):
        try:
            index = market.outcome_index(TokenId(market_id))
        except KeyError:
            return "marketId", f"unknown token {cut(market_id)} of {cut(market.name)}"
        if named not in (None, index):
            label = quoted(market.outcomes[index].label)
            return "outcome", f"{quoted(outcome or '')} contradicts the token id, which is {label}"
    else:
        assert named is not None, "only a token id goes without an outcome"
        index = named
    chosen = market.outcomes[index]
    return _Claim(market_id=market.market_id, token_id=chosen.token_id, label=chosen.label, index=index)


def outcome_meant(outcome: str, outcomes: Sequence[Outcome]) -> int | None:
    """Which outcome is meant: the one with that label, else the first or second for YES or NO.

    A position never beats a label: where the second outcome is called Yes, NO does not mean it.
    """
    labels = [known.label.casefold() for known in outcomes]
    wished = outcome.casefold()
    if labels.count(wished) == 1:
        return labels.index(wished)
    position = _POSITIONS.get(wished, len(labels))
    if position < len(labels) and labels[position] != _OPPOSITES[wished]:
        return position
    return None


def _not_found(plan: Plan, troubles: Mapping[_Name, _Trouble]) -> NotFound:
    """Each trouble once, at its first line: a plan may name one wrong market thousands of times."""
    lines: dict[_Trouble, list[int]] = {}
    for line, item in enumerate(plan.instructions):
        trouble = troubles.get((item["marketId"], item.get("outcome")))
        if trouble:
            lines.setdefault(trouble, []).append(line)
    problems = [
        Problem(("tradeInstructions", at[0], key), f"{what} (and {len(at) - 1:,} more)" if at[1:] else what)
        for (key, what), at in lines.items()
    ]
    return NotFound(told(plan.name, problems))
