"""What a market row says of how its market ended: whether it is resolved, and what a share pays.

Sources: VENUE 8, data/QUIRKS 19, DECISIONS 5.4. What contradicts itself never pays: it is waited for.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from betteroms.adapters.polymarket import wire
from betteroms.domain.errors import InexactAmount
from betteroms.domain.market import Outcome
from betteroms.domain.money import MICROS

RESOLVED: Final = "resolved"
WINNERS: Final = "winners"
"""Our own field of a kept Gamma row: `told_winners` of the CLOB's row; null where that was not to be had."""
_STATUS_FIELDS: Final = ("umaResolutionStatus", "resolutionStatus")
_DECIDED: Final = ((MICROS, 0), (0, MICROS))


def gamma_resolved(raw: Mapping[str, Any]) -> bool:
    """Whether a Gamma row says so, of either protocol. Prices alone never do: every open market has some."""
    return any(raw.get(field) == RESOLVED for field in _STATUS_FIELDS)


def clob_resolved(raw: Mapping[str, Any], tokens: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row of the CLOB says so: closed, and somebody won. A 50:50 end has no word of its own."""
    return raw.get("closed") is True and any(token.get("winner") is True for token in tokens)


def gamma_payouts(raw: Mapping[str, Any], outcomes: Sequence[Outcome]) -> tuple[int, ...] | None:
    """Millionths of a dollar a share, by outcome; None until they are final.

    A final price of 1 and 0 speaks for itself. Of any other, `winners` is heard first where the row has
    it, for it may be the last quote and not what is paid.
    """
    if not gamma_resolved(raw) or raw.get("closed") is not True or _statuses_differ(raw):
        return None
    prices = _prices(raw.get("outcomePrices"))
    paid = _exact(prices)
    if WINNERS not in raw:
        return paid
    if raw[WINNERS] is None:
        return paid if paid in _DECIDED else None
    return _decided(raw[WINNERS], outcomes, prices, otherwise=paid)


def clob_payouts(
    raw: Mapping[str, Any], tokens: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]
) -> tuple[int, ...] | None:
    """As `gamma_payouts`, by the winner that a closed row of the CLOB names among its tokens."""
    if raw.get("closed") is not True or raw.get("is_50_50_outcome") is True:
        return None
    return _decided(tokens, outcomes, [token.get("price") for token in tokens], otherwise=None)


def needs_winners(raw: Mapping[str, Any]) -> bool:
    """Whether a Gamma row says that it is resolved, but not beyond doubt who won."""
    ended = gamma_resolved(raw) and raw.get("closed") is True
    return ended and _exact(_prices(raw.get("outcomePrices"))) not in _DECIDED


def told_winners(raw: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Who won by the CLOB's row of a closed market, as kept in `winners`; None where it cannot be told."""
    tokens = _objects(raw.get("tokens"))
    if tokens is None or raw.get("closed") is not True:
        return None
    return [{"token_id": token.get("token_id"), "winner": token.get("winner")} for token in tokens]


def _decided(
    told: object, outcomes: Sequence[Outcome], prices: Sequence[Any], *, otherwise: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    """What the one winner takes; `otherwise` where nobody is said to have won, None if it makes no sense."""
    tokens = _objects(told)
    if tokens is None:
        return None
    won = {str(token.get("token_id")): token.get("winner") for token in tokens}
    flags = [won.get(outcome.token_id) for outcome in outcomes]
    if len(tokens) != len(outcomes) or not all(isinstance(flag, bool) for flag in flags):
        return None
    if not any(flags):
        return otherwise
    if flags.count(True) > 1 or not _favours(prices, flags.index(True)):
        return None
    return tuple(MICROS if flag else 0 for flag in flags)


def _favours(prices: Sequence[Any], winner: int) -> bool:
    """Whether the winner has the higher price, if there are prices at all: 0 and 0 are none."""
    try:
        numbers = [Decimal(str(price)) for price in prices]
        others = [number for index, number in enumerate(numbers) if index != winner]
        return not any(numbers) or all(numbers[winner] > other for other in others)
    except (InvalidOperation, IndexError):
        return True  # no prices: nothing contradicts


def _exact(prices: Sequence[Any]) -> tuple[int, ...] | None:
    """The prices in millionths where they can be what is paid: two in [0, 1] that sum to exactly 1."""
    try:
        shares = tuple(wire.micros(price) for price in prices)
    except (InexactAmount, TypeError):
        return None
    final = len(shares) == 2 and all(share >= 0 for share in shares) and sum(shares) == MICROS
    return shares if final else None


def _prices(value: object) -> Sequence[Any]:
    try:
        return wire.items(value, "outcomePrices")
    except wire.Unparsable:
        return ()


def _statuses_differ(raw: Mapping[str, Any]) -> bool:
    return len({raw[field] for field in _STATUS_FIELDS if isinstance(raw.get(field), str) and raw[field]}) > 1


def _objects(value: object) -> list[Mapping[str, Any]] | None:
    """A list of objects as such; None for everything else."""
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return value
    return None
