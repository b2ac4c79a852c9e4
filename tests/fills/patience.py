"""Random worlds for patient orders: a few plans first, then book after book that they rest through.

They have the shape of `worlds.worlds`. Prices are few and orders many, so that several of ours wait at one
price, on both outcomes; books change a little at a time, and some come late, twice, or not at all.
"""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.fills.worlds import START_MS, flipped, one_in, text

TICK = Decimal("0.01")
PRICES = tuple(Decimal(cents) / 100 for cents in range(46, 55))
SIZES = st.sampled_from(("5", "5", "7.5", "10", "33.33"))
SHOWN = st.sampled_from(("19.999999", "0.000001", "3", "12.5", "40", "100", "100"))
LIFETIMES = st.sampled_from((None, None, None, 86_400, 86_400, 120, 299, 300, 301, 600))
PAUSES = st.sampled_from((1, 60, 120, 299, 300, 301, 3_600))
Ladder = dict[Decimal, str]


@st.composite
def patient(draw: st.DrawFn, *, middle: int) -> dict[str, Any]:
    """An order that rests, or takes a little and rests: bids below the middle, mostly, and asks above."""
    bids, outcome = draw(st.booleans()), draw(st.integers(0, 1))
    steps = range(middle + 1) if bids else range(middle, len(PRICES))
    price = PRICES[draw(st.sampled_from(steps))]
    lifetime = draw(LIFETIMES)
    gtd = lifetime is not None and draw(st.booleans())
    wish: dict[str, Any] = {
        "marketId": "rain",
        "outcome": ("YES", "NO")[outcome],
        "side": "BUY" if bids == (outcome == 0) else "SELL",
        "sizeUnit": "SHARES",
        "size": draw(SIZES),
        "price": text(price if outcome == 0 else 1 - price),
        "timeInForce": "GTD" if gtd else "GTC",
    }
    if lifetime is not None:
        wish["cancelAfterSec"] = lifetime
    return wish


@st.composite
def changed(draw: st.DrawFn, before: Ladder, *, middle: int) -> Ladder:
    """What is on display a little later: some levels came, went, grew or shrank."""
    shown = dict(before)
    for _ in range(draw(st.integers(0, 4))):
        price = draw(st.sampled_from(PRICES[middle - 2 : middle + 3]))
        shown[price] = draw(SHOWN)
        if draw(one_in(3)):
            del shown[price]
    return shown


@st.composite
def parted(draw: st.DrawFn, shown: Ladder, *, middle: int) -> tuple[Ladder, Ladder]:
    """Bids and asks: the book stands where it was, or has moved through prices at which orders rest."""
    where = PRICES[middle + draw(st.sampled_from((0, -2, 2, -3, 3, -1)))]
    bids = {price: size for price, size in shown.items() if price < where}
    asks = {price: size for price, size in shown.items() if price > where}
    if draw(one_in(15)):  # a crossed book, which nobody is to believe
        bids, asks = asks, bids
    return bids, asks


def parts(shown: Ladder, middle: int) -> tuple[Ladder, Ladder]:
    """Bids below the middle, asks above it."""
    bids, asks = PRICES[:middle], PRICES[middle + 1 :]
    return {price: shown[price] for price in bids}, {price: shown[price] for price in asks}


def as_levels(side: Ladder) -> list[tuple[str, str]]:
    return [(text(price), size) for price, size in side.items()]


@st.composite
def patient_worlds(
    draw: st.DrawFn, *, runs: int = 8, orders: int = 8, mirrored: bool = False
) -> dict[str, Any]:
    """One market whose orders rest through several books; `mirrored` shows both books, always in step."""
    middle = draw(st.sampled_from((3, 4, 5)))
    displayed: Ladder = dict.fromkeys(PRICES, "20")
    now, stamp, played = START_MS // 1000, START_MS, []
    for number in range(draw(st.integers(2, runs))):
        if number:
            now += draw(PAUSES)
            displayed = draw(changed(displayed, middle=middle))
        ladder = draw(parted(displayed, middle=middle)) if number else parts(displayed, middle)
        how = draw(st.sampled_from((*["newer"] * 6, "same", "older", "ahead")))
        ahead = 1000 * (now + draw(st.sampled_from((299, 300, 120, 600)))) - draw(st.integers(0, 1))
        seen = {"newer": now * 1000, "same": stamp, "older": stamp - 1, "ahead": ahead}[how]
        stamp = max(stamp, seen)
        bids, asks = as_levels(ladder[0]), as_levels(ladder[1])
        yes = {"stamp": seen, "bids": bids, "asks": asks}
        no = {"stamp": seen, "bids": flipped(asks), "asks": flipped(bids)}
        shown = "both" if mirrored else draw(st.sampled_from(("both", "both", "both", "yes", "no", "apart")))
        if shown == "apart":
            other = draw(parted(draw(changed(displayed, middle=middle)), middle=middle))
            no = {
                "stamp": seen + draw(st.sampled_from((-1, 0, 1))),
                "bids": flipped(as_levels(other[1])),
                "asks": flipped(as_levels(other[0])),
            }
        plan = (
            draw(
                st.lists(patient(middle=middle), min_size=orders // 2 if number == 0 else 0, max_size=orders)
            )
            if number < 3
            else []
        )
        played.append(
            {
                "books": {
                    ("rain", index): book
                    for index, book in enumerate((yes, no))
                    if shown in ("both", "apart", ("yes", "no")[index])
                },
                "plan": plan,
                "now": now,
                "closed": ["rain"] if draw(one_in(30)) else [],
            }
        )
    rules = {"tick": text(TICK), "steps": [], "minimum": "5", "rate": "0.05", "exponent": 1}
    return {
        "markets": {"rain": rules},
        "runs": played,
        "fraction": draw(st.sampled_from(("1", "1", "0.5", "0.333333", "0.1"))),
        "slippage": draw(st.sampled_from((0, 0, 2))),
    }
