"""Whether a position is to be left now, by its exit rules: exact, and with the numbers that say why.

Nothing is divided before it is compared. What the bids pay for the whole size is counted in two ways where
they are not deep enough: a fall is judged by what is displayed, since a thin book must not hold a stop up; a
rise is judged as if the missing shares brought nothing, since a few shares at a fine price are no reason to
sell all of them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from betteroms.domain.book import Book
from betteroms.domain.intent import ExitRules
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Price, to_text
from betteroms.domain.position import Position
from betteroms.domain.rule import Cause

_HUNDRED_PERCENT: Final = 100 * MICROS
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_PER_MICROHOUR: Final = 3_600
_PRICED: Final = ("stop_loss_pct", "stop_price", "trailing_stop_pct", "take_profit_pct", "take_profit_price")


class _Ratio(NamedTuple):
    """A price as a fraction, in millionths, not divided yet."""

    over: int
    under: int

    def __str__(self) -> str:
        return to_text(self.over // self.under)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the bids pay for `size` shares: `paid` is the sum of price times shares, in millionths squared.

    `shown` is how many of the shares they are deep enough for.
    """

    size: int
    shown: int
    paid: int

    @property
    def thin(self) -> bool:
        """Whether fewer shares are bid for than are held."""
        return self.shown < self.size

    @property
    def average(self) -> str:
        """The average price of what is displayed, for reading: cut at six decimals."""
        return str(_Ratio(self.paid, self.shown))

    @property
    def high(self) -> Price:
        """The average price of all shares, the missing ones bringing nothing; rounded down."""
        return Price(self.paid // self.size)

    def fell_to(self, price: _Ratio) -> bool:
        """Whether the displayed average is at this price or below."""
        return self.paid * price.under <= price.over * self.shown

    def rose_to(self, price: _Ratio) -> bool:
        """Whether the average of all shares is at this price or above."""
        return self.paid * price.under >= price.over * self.size


def sight(book: Book, size: int) -> Sight | None:
    """What the bids pay for `size` shares, best first; None where nobody bids."""
    left, paid = size, 0
    for level in book.bids:
        bite = min(level.size, left)
        paid += level.price * bite
        left -= bite
        if left == 0:
            break
    return Sight(size=size, shown=size - left, paid=paid) if left < size else None


def asks_for_price(rules: ExitRules) -> bool:
    """Whether any of the rules looks at the bids."""
    return any(getattr(rules, name) is not None for name in _PRICED)


def end_of(market: Market, opened_at: datetime) -> datetime | None:
    """When leaving becomes hard: the market's end, or the game's start, at which the venue empties the book.

    The earlier one counts, but not what had passed when the position was opened: it traded on all the same.
    """
    moments = [at for at in (market.ends_at, market.game_starts_at) if at is not None and at > opened_at]
    return min(moments, default=None)


def fired(
    rules: ExitRules,
    position: Position,
    market: Market,
    *,
    seen: Sight | None,
    high: Price | None,
    opened_at: datetime,
    now: datetime,
) -> tuple[Cause, str] | None:
    """The rule that asks to leave, and its numbers; the first of them where several do.

    First what stops a loss (stop-loss, trailing stop), then what time asks for (before close, max hold), then
    the profit. `seen` is what the bids pay for the whole position, None where that is not known: rules that
    look at prices do not trigger then.
    """
    falling = None if seen is None else _stop_loss(rules, position, seen) or _trailing(rules, seen, high)
    return (
        falling
        or _before_close(rules, end_of(market, opened_at), now)
        or _hold_max(rules, opened_at, now)
        or (None if seen is None else _take_profit(rules, position, seen))
    )


def _stop_loss(rules: ExitRules, position: Position, seen: Sight) -> tuple[Cause, str] | None:
    if rules.stop_loss_pct is not None:
        stop = _from_cost(position, _HUNDRED_PERCENT - rules.stop_loss_pct)
        if seen.fell_to(stop):
            return Cause.STOP_LOSS, _detail(seen, f"stop={stop} {_cost(position, rules.stop_loss_pct)}")
    if rules.stop_price is not None and seen.fell_to(_Ratio(rules.stop_price, 1)):
        return Cause.STOP_LOSS, _detail(seen, f"stop={to_text(rules.stop_price)}")
    return None


def _trailing(rules: ExitRules, seen: Sight, high: Price | None) -> tuple[Cause, str] | None:
    if rules.trailing_stop_pct is None or high is None:
        return None
    stop = _Ratio(high * (_HUNDRED_PERCENT - rules.trailing_stop_pct), _HUNDRED_PERCENT)
    if not seen.fell_to(stop):
        return None
    told = f"stop={stop} high={to_text(high)} pct={to_text(rules.trailing_stop_pct)}"
    return Cause.TRAILING_STOP, _detail(seen, told)


def _take_profit(rules: ExitRules, position: Position, seen: Sight) -> tuple[Cause, str] | None:
    if rules.take_profit_pct is not None:
        target = _from_cost(position, _HUNDRED_PERCENT + rules.take_profit_pct)
        if seen.rose_to(target):
            return Cause.TAKE_PROFIT, _detail(
                seen, f"target={target} {_cost(position, rules.take_profit_pct)}"
            )
    if rules.take_profit_price is not None and seen.rose_to(_Ratio(rules.take_profit_price, 1)):
        return Cause.TAKE_PROFIT, _detail(seen, f"target={to_text(rules.take_profit_price)}")
    return None


def _before_close(rules: ExitRules, end: datetime | None, now: datetime) -> tuple[Cause, str] | None:
    if rules.exit_before_close_seconds is None or end is None:
        return None
    if now < end - timedelta(seconds=rules.exit_before_close_seconds):
        return None
    left = (end - now) // timedelta(seconds=1)
    return Cause.BEFORE_CLOSE, f"end={_moment(end)} left={left}s exit={rules.exit_before_close_seconds}s"


def _hold_max(rules: ExitRules, opened_at: datetime, now: datetime) -> tuple[Cause, str] | None:
    if rules.hold_max_hours is None:
        return None
    held = (now - opened_at) // _MICROSECOND
    if held < rules.hold_max_hours * _MICROSECONDS_PER_MICROHOUR:
        return None
    hours = to_text(held // _MICROSECONDS_PER_MICROHOUR)
    return Cause.HOLD_MAX, f"held={hours}h max={to_text(rules.hold_max_hours)}h opened={_moment(opened_at)}"


def _from_cost(position: Position, percent: int) -> _Ratio:
    """So many percent (in millionths) of the average cost."""
    return _Ratio(position.cost_basis * MICROS * percent, position.size * _HUNDRED_PERCENT)


def _cost(position: Position, percent: int) -> str:
    return f"cost={_Ratio(position.cost_basis * MICROS, position.size)} pct={to_text(percent)}"


def _detail(seen: Sight, told: str) -> str:
    thin = f" shown={to_text(seen.shown)} size={to_text(seen.size)}" if seen.thin else ""
    return f"bid={seen.average} {told}{thin}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
