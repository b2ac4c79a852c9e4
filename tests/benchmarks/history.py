"""A long history, up to a million executions over two thousand tokens, loaded by `COPY`.

The rows are such as runs would have left them, and the same every time: sizes, cash and fees by the rules,
positions by the fold.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import EXECUTION_COLUMNS
from betteroms.domain.execution import Execution
from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.ids import MarketId, TokenId, order_id, plan_key, run_id
from betteroms.domain.money import Price, Size, Usdc, cost, proceeds, to_text
from betteroms.domain.position import Holding, Position
from betteroms.domain.terms import Liquidity, Mode, Side
from tests.benchmarks.worlds import condition_id, token_id

TOKENS: Final = 2_000
RUNS: Final = 100
ORDERS: Final = 1_000
"""Of one run."""
FILLS: Final = 10
"""Of one order."""
START: Final = datetime(2026, 10, 1, tzinfo=UTC)
STEP: Final = timedelta(hours=7)
"""From one run to the next: a hundred of them take a month."""
_FEES: Final = FeeSchedule(rate=50_000)
_CASH: Final = 100_000_000
_ORDER: Final = (
    "order_id", "mode", "run_id", "source", "intent_key", "plan_id", "line", "market_id", "token_id",
    "outcome", "outcome_index", "side", "order_type", "time_in_force", "post_only", "wished_unit",
    "wished_amount", "wished_price", "slippage_ticks", "amount_unit", "amount", "limit_price", "status",
    "filled_size", "filled_cash", "fills", "exempt", "created_at", "placed_at",
)  # fmt: skip


def load(connection: psycopg.Connection[Any], *, runs: int = RUNS) -> None:
    """Fill an empty, migrated database with so many runs of ten thousand executions each."""
    holdings: dict[str, Holding] = {}
    with connection.transaction(), connection.cursor() as cursor:
        _copy(cursor, "runs", _RUN, (_run_line(number) for number in range(runs)))
        _copy(cursor, "markets", _MARKET, (_market_line(number) for number in range(TOKENS // 2)))
        entry = f"bench\tpaper\tDEPOSIT\t{_CASH}\t{START.isoformat()}"
        _copy(cursor, "ledger_entries", ("key", "mode", "kind", "cash", "at"), [entry])
        orders: list[str] = []
        _copy(cursor, "executions", EXECUTION_COLUMNS, _execution_lines(runs, holdings, orders), after=orders)
        _copy(cursor, "positions", _POSITION, (_position_line(h) for h in holdings.values()))
    connection.execute("VACUUM ANALYZE")


_RUN: Final = (
    "run_id", "kind", "mode", "plan_id", "status", "attempt", "now", "scheduled_at", "started_at",
    "completed_at", "engine_version", "settings", "ledger_sequence", "summary_json",
)  # fmt: skip
_MARKET: Final = (
    "market_id", "slug", "outcomes", "minimum_size", "fee_rate", "fee_exponent", "fee_assumed", "neg_risk",
    "closed", "accepting_orders", "recorded", "seen_at",
)  # fmt: skip
_POSITION: Final = (
    "mode", "token_id", "market_id", "size", "cost_basis", "realised", "fees", "opened_at", "best_bid",
    "best_ask", "marked_at",
)  # fmt: skip


def _copy(
    cursor: psycopg.Cursor[Any],
    table: str,
    columns: tuple[str, ...],
    lines: Any,
    *,
    after: list[str] | None = None,
) -> None:
    """Write the lines; `after` are orders, which must be there before the executions that are their own."""
    names = ", ".join(columns)
    if after is None:
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            copy.write("".join(f"{line}\n" for line in lines))
        return
    for block in lines:
        with cursor.copy(f"COPY orders ({', '.join(_ORDER)}) FROM STDIN") as copy:
            copy.write("".join(f"{line}\n" for line in after))
        after.clear()
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            copy.write("".join(f"{line}\n" for line in block))


def _execution_lines(runs: int, holdings: dict[str, Holding], orders: list[str]) -> Iterator[list[str]]:
    """The executions of each run as one block; `orders` holds its orders when the block comes."""
    for number in range(runs):
        at = START + number * STEP
        block: list[str] = []
        for line in range(ORDERS):
            _order(number, line, at, holdings, orders, block)
        yield block


def _order(
    run: int, line: int, at: datetime, holdings: dict[str, Holding], orders: list[str], block: list[str]
) -> None:
    """One filled order: two buys, then a sale of half of what one of them bought."""
    index = run * ORDERS + line
    market, outcome = divmod(index % TOKENS, 2)
    token, condition = TokenId(token_id(market, outcome)), MarketId(condition_id(market))
    side = Side.SELL if index // TOKENS % 3 == 2 else Side.BUY
    size = Size((10 + index % 7) * 1_000_000 // (2 if side is Side.SELL else 1))
    plan = f"bench-{run % 20}-{run // 20}"
    key = plan_key(Mode.PAPER, plan, line=line, ref=None)
    name = order_id(key)
    holding = holdings.get(token)
    if holding is None:
        holding = Holding(Position(mode=Mode.PAPER, market_id=condition, token_id=token))
        holdings[token] = holding
    filled_cash = 0
    for fill in range(FILLS):
        price = Price(400_000 + 100 * (index % 997) + 100 * fill)
        cash = Usdc(-cost(price, size)) if side is Side.BUY else proceeds(price, size)
        charged = fee(_FEES, price=price, size=size, liquidity=Liquidity.TAKER)
        holding.book(
            Execution(
                order_id=name,
                number=fill + 1,
                mode=Mode.PAPER,
                market_id=condition,
                token_id=token,
                side=side,
                price=price,
                size=size,
                cash=cash,
                fee=charged,
                liquidity=Liquidity.TAKER,
                executed_at=at,
            )
        )
        filled_cash += abs(cash)
        block.append(
            f"{name}\t{fill + 1}\tpaper\t{condition}\t{token}\t{side}\t{price}e-6\t{size}e-6\t{cash}e-6\t"
            f"{charged}e-6\tTAKER\t{at.isoformat()}\t\\N"
        )
    amount, limit = f"{size * FILLS}e-6", "0.9" if side is Side.BUY else "0.1"
    fields = (
        *(name, "paper", run_id(Mode.PAPER, "trade", plan), "plan", _escaped(key), plan, str(line)),
        *(condition, token, "No" if outcome else "Yes", str(outcome), side, "LIMIT", "GTC", "f"),
        *("SHARES", amount, limit, "0", "SHARES", amount, limit),
        *("FILLED", amount, f"{filled_cash}e-6", str(FILLS), "f", at.isoformat(), at.isoformat()),
    )
    orders.append("\t".join(fields))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


def _run_line(number: int) -> str:
    plan, at = f"bench-{number % 20}-{number // 20}", (START + number * STEP).isoformat()
    name = run_id(Mode.PAPER, "trade", plan)
    return f"{name}\ttrade\tpaper\t{plan}\tcompleted\t1\t{at}\t{at}\t{at}\t{at}\tbench\t{{}}\t0\t{{}}"


def _market_line(number: int) -> str:
    outcomes = ", ".join(
        f'{{"tokenId": "{token_id(number, outcome)}", "label": "{label}"}}'
        for outcome, label in enumerate(("Yes", "No"))
    )
    return (
        f"{condition_id(number)}\tbench-market-{number}\t[{outcomes}]\t5\t0.05\t1\tf\tf\tf\tt\tt\t"
        f"{START.isoformat()}"
    )


def _position_line(holding: Holding) -> str:
    position = holding.position()
    opened = "\\N" if position.opened_at is None else position.opened_at.isoformat()
    seen = (START + RUNS * STEP).isoformat()
    return (
        f"paper\t{position.token_id}\t{position.market_id}\t{to_text(position.size)}\t"
        f"{to_text(position.cost_basis)}\t{to_text(position.realised)}\t{to_text(position.fees)}\t{opened}\t"
        f"0.42\t0.44\t{seen}"
    )
