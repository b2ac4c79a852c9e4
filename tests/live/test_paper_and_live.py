"""Paper and live agree: the same wishes over the same books come to the same, up to the end of submitting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betteroms.adapters.memory import MemoryLedger
from betteroms.domain.book import Book, Level, mirror
from betteroms.domain.ids import TokenId, plan_key
from betteroms.domain.intent import Intent
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import LOT, MICROS, Price, Size
from betteroms.domain.order import Order
from betteroms.domain.position import Position
from betteroms.domain.risk import Account, Limits
from betteroms.domain.terms import Amount, Dollars, Mode, Side, TimeInForce
from betteroms.pipeline import Outcome, Pipeline, World, see
from betteroms.ports import Executor, RunInputs, Snapshot
from tests.contracts.at_the_sandbox import Stopped, member, venue_with
from tests.domain.examples import (
    CRYPTO_FEES,
    NO,
    NOW,
    YES,
    a_book,
    a_market,
    an_intent,
    dollars,
    shares,
    usdc,
)
from tests.pipeline.runs import a_run, on_paper

TICK: Final = 10_000
HELD: Final = {YES: Size(10_000 * 1_000_000), NO: Size(10_000 * 1_000_000)}
PRICES: Final = st.integers(2, 98).map(lambda cents: f"0.{cents:02d}")
LEVEL_SIZES: Final = st.integers(500, 60_000).map(lambda hundredths: Size(hundredths * LOT))


@st.composite
def books(draw: st.DrawFn) -> Book:
    """A book on the tick and on the lot that is not crossed; either side may be empty."""
    middle = draw(st.integers(5, 95))
    below = draw(st.lists(st.integers(2, middle - 1), max_size=4, unique=True))
    above = draw(st.lists(st.integers(middle, 98), max_size=4, unique=True))
    bids, asks = (
        tuple(Level(price=Price(cents * TICK), size=draw(LEVEL_SIZES)) for cents in cents_of)
        for cents_of in (sorted(below, reverse=True), sorted(above))
    )
    return replace(a_book(), bids=bids, asks=asks)


@st.composite
def wishes(draw: st.DrawFn, *, others_dollars: bool = False) -> list[Intent]:
    """A few wishes of every kind that may take or rest; or one BUY in dollars of the other outcome.

    Such a BUY meets bids, which give whole millionths of a dollar: what it leaves of them differs by a
    sliver, which whoever comes next may meet.
    """
    if others_dollars:
        amount = dollars(f"{draw(st.integers(100, 30_000)) / 100:.2f}")
        tif = TimeInForce(draw(st.sampled_from(["FAK", "FOK"])))
        return [an_intent(at=draw(PRICES), tif=tif, amount=amount, outcome_index=1)]
    found = []
    for line in range(draw(st.integers(1, 6))):
        side = draw(st.sampled_from(Side))
        tif = draw(st.sampled_from([TimeInForce.GTC, TimeInForce.FAK, TimeInForce.FOK]))
        at_once = side is Side.BUY and not tif.rests
        wished: Amount = (
            dollars(f"{draw(st.integers(100, 30_000)) / 100:.2f}")
            if at_once
            else shares(f"{draw(st.integers(500, 50_000)) / 100:.2f}")
        )
        found.append(
            an_intent(
                line=line,
                side=side,
                at=draw(PRICES),
                tif=tif,
                amount=wished,
                outcome_index=0 if at_once else draw(st.integers(0, 1)),
                post_only=tif is TimeInForce.GTC and draw(st.booleans()),
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What a run came to: its orders with their fills, and the positions after it."""

    outcome: Outcome
    positions: Mapping[TokenId, Position]


def carried_out(mode: Mode, world: World, executor: Executor, wanted: Sequence[Intent]) -> Came:
    """Walk the corridor on a ledger of its own, with money and shares of both outcomes."""
    (market,) = world.markets.values()
    ledger = MemoryLedger.seeded(
        Snapshot(
            mode=mode,
            account=Account(cash=usdc("100000"), held=HELD, reserved_shares={}),
            positions={
                token: Position(mode=mode, market_id=market.market_id, token_id=token, size=size)
                for token, size in HELD.items()
            },
            open_orders=[],
            taken=[],
            known={},
            executions={},
        )
    )
    run = ledger.open_run(replace(a_run(), mode=mode))
    snapshot = ledger.snapshot(mode, markets=list(world.markets), orders=[])
    ledger.observe(RunInputs(books=world.books, markets=world.markets), [])
    pipeline = Pipeline(
        run=run, world=world, snapshot=snapshot, ledger=ledger, executor=executor, limits=Limits()
    )
    mine = [replace(wish, key=plan_key(mode, "a-plan", line=wish.line or 0, ref=None)) for wish in wanted]
    outcome = pipeline.run(mine)
    ledger.close_run(run, {}, completed_at=NOW)
    after = ledger.snapshot(mode, markets=list(world.markets), orders=[])
    return Came(outcome=outcome, positions=after.positions)


def by_price(came: Came, order: Order) -> dict[int, tuple[int, int]]:
    """What the order was filled with at each price: shares, and the fee for them."""
    found: dict[int, tuple[int, int]] = {}
    for fill in came.outcome.executions.get(order.order_id, ()):
        size, fee = found.get(fill.price, (0, 0))
        found[fill.price] = (size + fill.size, fee + fill.fee)
    return found


def agree(paper: Came, live: Came, here: Order, there: Order) -> None:
    """An order on paper and live: the same to the micro, but for what the chain rounds of a dollar BUY."""
    terms = [(each.status, each.code, each.amount, each.limit_price) for each in (here, there)]
    assert terms[0] == terms[1]
    fills, filled = by_price(paper, here), by_price(live, there)
    assert fills.keys() == filled.keys()
    slack = len(fills) if isinstance(here.amount, Dollars) else 0
    if slack and here.intent.outcome_index == 1:
        # It meets bids for the other outcome, which give whole millionths of a dollar for their shares.
        for price, (size, fee) in fills.items():
            assert 0 <= size - filled[price][0] <= MICROS // (MICROS - price)
            assert 0 <= fee - filled[price][1] <= 10
        slack *= 2
    else:
        assert fills == filled
    # Paper rounds a cost up, the chain down: a millionth for each level (DECISIONS 2.6).
    assert 0 <= here.filled_cash - there.filled_cash <= slack


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(books(), st.one_of(wishes(), wishes(), wishes(others_dollars=True)))
def test_the_same_plan_on_the_same_books_comes_to_the_same_on_paper_and_live(
    book: Book, wanted: list[Intent]
) -> None:
    market = a_market(fees=CRYPTO_FEES)
    both = {YES: book, NO: mirror(book, NO)}
    world = see([market], both)
    paper = carried_out(Mode.PAPER, world, on_paper(world, LiquidityMemory(), NOW), wanted)
    live = at_the_venue(market, book, both, world, wanted)
    for here, there in zip(paper.outcome.orders, live.outcome.orders, strict=True):
        agree(paper, live, here, there)
    for came in (paper, live):
        for token, position in came.positions.items():
            fills = [
                fill for each in came.outcome.executions.values() for fill in each if fill.token_id == token
            ]
            bought = sum(fill.size if fill.side is Side.BUY else -fill.size for fill in fills)
            assert position.size == HELD[token] + bought


def at_the_venue(
    market: Market, book: Book, both: Mapping[TokenId, Book], world: World, wanted: Sequence[Intent]
) -> Came:
    with venue_with(market, book) as running, member(running) as access:
        executor = access.executor(market, both, Stopped(NOW))
        return carried_out(Mode.LIVE, world, executor, wanted)
