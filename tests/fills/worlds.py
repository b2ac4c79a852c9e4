"""Random small worlds: markets, the books of a few runs, and a plan for each, as plain text numbers."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

TICKS = ("0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001")
MARKETS = ("rain", "snow")
START_MS = 1_795_176_000_000
SIDES = st.sampled_from(("BUY", "SELL"))
LOTS = st.integers(500, 6_000).map(lambda lots: Decimal(lots) / 100)
ODD = st.integers(5_000_000, 60_000_000).map(lambda micros: Decimal(micros) / 1_000_000)
ROUND = st.sampled_from((50, 20, 10, 5)).map(Decimal)
LITTLE = st.integers(1, 6_000_000).map(lambda micros: Decimal(micros) / 1_000_000)
Levels = list[tuple[str, str]]


def text(number: Decimal) -> str:
    return f"{number.normalize():f}"


def one_in(number: int) -> st.SearchStrategy[bool]:
    """True once in so many times; not the first thing to be tried, as it would be next to a bound."""
    return st.integers(0, number - 1).map(lambda drawn: drawn == number // 2)


@st.composite
def markets(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """One or two markets, by slug; `steps` are the ticks around which their prices move."""
    found = {}
    for name in MARKETS[: draw(st.integers(1, len(MARKETS)))]:
        tick = draw(st.sampled_from(TICKS))
        count = int(1 / Decimal(tick))
        around = draw(st.one_of(st.integers(1, count - 1), st.sampled_from((1, count // 2, count - 1))))
        found[name] = {
            "tick": tick,
            "steps": [step for step in range(around - 4, around + 5) if 0 < step < count],
            "minimum": draw(st.sampled_from(("5", "5", "1", "0", "14.96"))),
            "rate": draw(st.sampled_from(("0", "0.02", "0.05", "0.07"))),
            "exponent": draw(st.sampled_from((1, 1, 2))),
        }
    return found


def steps(market: dict[str, Any]) -> st.SearchStrategy[Decimal]:
    """A price on the market's tick, near the others."""
    return st.sampled_from(market["steps"]).map(lambda step: step * Decimal(market["tick"]))


@st.composite
def ladders(draw: st.DrawFn, market: dict[str, Any]) -> tuple[Levels, Levels]:
    """Bids and asks in no order; a few worlds in a hundred are crossed, or have a side missing."""
    most = len(market["steps"])
    least = min(draw(st.sampled_from((5, 4, 3, 0))), most)
    prices = sorted(draw(st.lists(st.sampled_from(market["steps"]), unique=True, min_size=least)))
    split = draw(st.one_of(st.just(len(prices) // 2), st.integers(0, len(prices))))
    sides = [prices[:split], prices[split:]]
    if draw(one_in(30)):
        sides.reverse()
    tick = Decimal(market["tick"])
    bids, asks = (
        [(text(step * tick), text(draw(st.one_of(LOTS, ODD, LITTLE)))) for step in side] for side in sides
    )
    return draw(st.permutations(bids)), draw(st.permutations(asks))


def flipped(levels: Levels) -> Levels:
    return [(text(1 - Decimal(price)), size) for price, size in levels]


@st.composite
def books(draw: st.DrawFn, shown: dict[str, dict[str, Any]], at_ms: int) -> dict[tuple[str, int], Any]:
    """What a run sees: both books of a market as mirrors, as it should be; or apart, or only one."""
    seen: dict[tuple[str, int], Any] = {}
    for name, market in shown.items():
        how = draw(st.sampled_from((*["mirrored"] * 8, "apart", "apart", "first", "second", "none")))
        bids, asks = draw(ladders(market))
        stamp = at_ms + draw(st.sampled_from((0, 0, 1, 500, -3_600_000, -7_200_001)))
        if how in ("mirrored", "apart", "first"):
            seen[name, 0] = {"stamp": stamp, "bids": bids, "asks": asks}
        if how in ("mirrored", "second"):
            seen[name, 1] = {"stamp": stamp, "bids": flipped(asks), "asks": flipped(bids)}
        if how == "apart":
            other = draw(ladders(market))
            stamp += draw(st.sampled_from((-1, 0, 1)))
            seen[name, 1] = {"stamp": stamp, "bids": flipped(other[1]), "asks": flipped(other[0])}
    return seen


@st.composite
def instructions(draw: st.DrawFn, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One line of a plan; prices and sizes mostly on the grid, sometimes off it."""
    name = draw(st.sampled_from(sorted(known)))
    outcome, side = draw(st.sampled_from((0, 1))), draw(SIDES)
    wish: dict[str, Any] = {"marketId": name, "outcome": ("YES", "NO")[outcome], "side": side}
    near = steps(known[name]).map(lambda price: price if outcome == 0 else 1 - price)
    off = st.sampled_from(("0", "0", "0", "0", "0.000001", "0.0049", "-0.0013", "0.0500")).map(Decimal)
    prices = st.builds(
        lambda price, by: min(max(price + by, Decimal("0.000001")), Decimal("0.999999")), near, off
    )
    in_dollars = side == "BUY" and draw(st.booleans())
    wish["sizeUnit"] = "USDC" if in_dollars else "SHARES"
    wish["size"] = text(draw(LITTLE if draw(one_in(12)) else st.one_of(LOTS, ODD, ROUND)))
    if draw(one_in(5)):
        wish["type"] = "MARKET"
        wish[f"slippageTicks{side.capitalize()}"] = draw(st.integers(0, 6))
        tif = draw(st.sampled_from(("FAK", "FOK", None)))
    else:
        wish["price"] = text(draw(prices))
        tif = draw(st.sampled_from(("GTC", "GTC", "GTD", "FOK", "FAK", None)))
        if tif in ("GTC", "GTD", None):
            if draw(one_in(7)):
                wish["postOnly"] = True
            if tif == "GTD" or draw(st.booleans()):
                wish["cancelAfterSec"] = draw(st.sampled_from((120, 3_599, 3_600, 3_601, 7_200, 999_999)))
    if tif is not None:
        wish["timeInForce"] = tif
    if draw(one_in(6)):
        wish["priceCeil" if side == "BUY" else "priceFloor"] = text(draw(prices))
    return wish


@st.composite
def worlds(draw: st.DrawFn, *, runs: int = 3, lines: int = 6) -> dict[str, Any]:
    """Markets, settings, and runs an hour apart with their books and plans."""
    shown = draw(markets())
    played = []
    for number in range(draw(st.sampled_from(range(runs, 0, -1)))):
        at_ms = START_MS + 3_600_000 * number
        played.append(
            {
                "books": draw(books(shown, at_ms)),
                "plan": draw(st.lists(instructions(shown), min_size=lines // 3, max_size=lines)),
                "now": at_ms // 1000,
                "closed": sorted(name for name in shown if draw(one_in(25))),
            }
        )
    return {
        "markets": shown,
        "runs": played,
        "fraction": draw(st.sampled_from(("1", "1", "1", "0.5", "0.333333", "0.000001"))),
        "slippage": draw(st.sampled_from((0, 0, 1, 3))),
    }
