"""What the fields of a plan must not say together, though each of them is right alone."""

from collections.abc import Iterable, Set
from typing import Final

from betteroms.domain.money import to_text
from betteroms.domain.terms import OrderType, Side, TimeInForce
from betteroms.sources.plan_fields import SizeUnit
from betteroms.sources.plan_model import Defaults, ExitRuleKeys, Instruction
from betteroms.sources.plan_problems import Path, Problem, quoted

GTD_SECONDS_MIN: Final = 120
"""A shorter life is refused in every mode (DECISIONS 4.5)."""
TOKEN_ID_DIGITS_MIN: Final = 21
"""Outcome token ids are decimal numbers of up to 78 digits; Gamma's own ids have at most eight."""
EXIT_RULE_KEYS: Final = frozenset(ExitRuleKeys.__annotations__)
IMMEDIATE: Final = (TimeInForce.FOK, TimeInForce.FAK)


def is_token_id(name: str) -> bool:
    """Whether a marketId names an outcome token, and so the outcome too."""
    return len(name) >= TOKEN_ID_DIGITS_MIN and name.isascii() and name.isdecimal()


def time_in_force(item: Instruction, defaults: Defaults) -> TimeInForce:
    """The instruction's own, else the default's, else GTC; a MARKET instruction is FAK unless FOK."""
    wished = item.get("timeInForce") or defaults.get("timeInForce", TimeInForce.GTC)
    if item.get("type") is OrderType.MARKET and wished is not TimeInForce.FOK:
        return TimeInForce.FAK
    return wished


def plain_keys(defaults: Defaults) -> Set[tuple[str, ...]]:
    """The keys of the plainest instructions, in their order: with these there is nothing to contradict.

    Most lines of most plans are so, and to know it at once saves a tenth of reading them.
    """
    if defaults.get("timeInForce") is TimeInForce.GTD:
        return frozenset()
    plain = ("marketId", "outcome", "side", "price", "size")
    return frozenset({plain, (*plain, "notes")})


def contradictions(line: int, item: Instruction, defaults: Defaults, found: list[Problem]) -> None:
    """Add to `found` what this instruction says against itself or against the defaults."""
    at: Path = ("tradeInstructions", line)
    if "outcome" not in item and not is_token_id(item["marketId"]):
        found.append(Problem((*at, "outcome"), "is missing; only a token id as marketId goes without it"))
    if item.get("type") is OrderType.MARKET:
        _market(at, item, found)
    elif "price" not in item:
        found.append(Problem((*at, "price"), "is missing; a LIMIT instruction needs it"))
    if item["side"] is Side.BUY:
        _buy(at, item, defaults, found)
    else:
        _sell(at, item, found)
    time = time_in_force(item, defaults)
    if time is TimeInForce.GTD:
        _good_till_date(at, item, defaults, found)
    elif time is not TimeInForce.GTC:
        _immediate(at, item, time, found)


def default_contradictions(defaults: Defaults, found: list[Problem]) -> None:
    """Add to `found` what the defaults say against themselves."""
    _exit_prices(("defaults",), defaults, defaults, found)


def repeated_refs(refs: Iterable[tuple[int, str]], found: list[Problem]) -> None:
    """Add to `found` each ref that an earlier line has too."""
    first: dict[str, int] = {}
    for line, ref in refs:
        if first.setdefault(ref, line) != line:
            what = f"{quoted(ref)} is already the ref of tradeInstructions[{first[ref]}]"
            found.append(Problem(("tradeInstructions", line, "ref"), what))


def _market(at: Path, item: Instruction, found: list[Problem]) -> None:
    if "price" in item:
        what = (
            f"{to_text(item['price'])} is given, but a MARKET instruction has none; priceCeil or priceFloor"
        )
        found.append(Problem((*at, "price"), f"{what} bounds it"))
    time = item.get("timeInForce", TimeInForce.FAK)
    if time not in IMMEDIATE:
        found.append(
            Problem((*at, "timeInForce"), f"{time} is given, but a MARKET instruction is FAK or FOK")
        )


def _buy(at: Path, item: Instruction, defaults: Defaults, found: list[Problem]) -> None:
    if "priceFloor" in item:
        found.append(Problem((*at, "priceFloor"), "is given, but it guards a SELL; a BUY has priceCeil"))
    if "stopPrice" in item or "takeProfitPrice" in item:
        _exit_prices(at, item, defaults, found)


def _exit_prices(at: Path, own: ExitRuleKeys, defaults: Defaults, found: list[Problem]) -> None:
    stop = own.get("stopPrice") or defaults.get("stopPrice")
    gain = own.get("takeProfitPrice") or defaults.get("takeProfitPrice")
    if stop and gain and stop >= gain:
        key = "stopPrice" if "stopPrice" in own else "takeProfitPrice"
        what = f"stopPrice {to_text(stop)} is not below takeProfitPrice {to_text(gain)}"
        found.append(Problem((*at, key), what))


def _sell(at: Path, item: Instruction, found: list[Problem]) -> None:
    if item.get("sizeUnit") is SizeUnit.USDC:
        found.append(Problem((*at, "sizeUnit"), "USDC is given, but a SELL is in SHARES"))
    if "priceCeil" in item:
        found.append(Problem((*at, "priceCeil"), "is given, but it guards a BUY; a SELL has priceFloor"))
    if "stopPrice" in item or "takeProfitPrice" in item:
        _exit_prices(at, item, Defaults(), found)


def _good_till_date(at: Path, item: Instruction, defaults: Defaults, found: list[Problem]) -> None:
    for key, path, seconds in (
        ("cancelAfterSec", at, item.get("cancelAfterSec")),
        ("goodForSeconds", at, item.get("goodForSeconds")),
        ("goodForSeconds", ("defaults",), defaults.get("goodForSeconds")),
    ):
        if seconds is not None:
            if seconds < GTD_SECONDS_MIN:
                what = f"{seconds} is below {GTD_SECONDS_MIN}, the least for GTD"
                found.append(Problem((*path, key), what))
            return
    found.append(Problem((*at, "timeInForce"), "GTD needs cancelAfterSec or goodForSeconds"))


def _immediate(at: Path, item: Instruction, time: TimeInForce, found: list[Problem]) -> None:
    for key in ("cancelAfterSec", "goodForSeconds"):
        if key in item:
            found.append(Problem((*at, key), f"is given, but {time} never rests"))
    if item.get("postOnly"):
        found.append(Problem((*at, "postOnly"), f"is true, but {time} only takes"))
