"""The auditor's look at portfolio snapshots: one for each hour, and each as the ledger then was."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from tests.simulation.audit_books import books_of
from tests.simulation.audit_money import Account, Held, accounts
from tests.simulation.audit_tables import MICROS, PAPER_LIKE, Row, Tables, Window

SPREAD_MAX = 100_000
Quote = tuple[int | None, int | None]
Hour = tuple[str, datetime]


def check_portfolio(tables: Tables) -> Iterator[str]:
    """Every hour with maintenance has one snapshot, by the first pass that was completed in it."""
    stored = {(row["mode"], row["hour"]): row for row in tables.portfolios}
    seen: set[Hour] = set()
    quotes: dict[tuple[str, str], Quote] = {}
    passes = [w for w in tables.windows if w.run["mode"] in PAPER_LIKE]
    for window, account in zip(passes, accounts(tables, (w.last for w in passes)), strict=True):
        mode, now = window.run["mode"], window.run["now"]
        for token, book in books_of(tables, window).items():
            if (mode, token) in account.held:
                bids, asks = (list(map(book.own, side)) for side in (book.bids, book.asks))
                quotes[mode, token] = (max(bids, default=None), min(asks, default=None))
        hour: Hour = (mode, now.replace(minute=0, second=0, microsecond=0))
        if window.run["kind"] != "maintain" or hour in seen:
            continue
        seen.add(hour)
        row = stored.get(hour)
        if row is None:
            yield f"portfolio {mode} {hour[1]:%d %H:%M}: is missing"
            continue
        for problem in _wrong(window, account, quotes, row):
            yield f"portfolio {mode} {hour[1]:%d %H:%M}: {problem}"
    for mode, at in stored.keys() - seen:
        yield f"portfolio {mode} {at:%d %H:%M}: no pass of that hour took it"


def _wrong(
    window: Window, account: Account, quotes: Mapping[tuple[str, str], Quote], row: Row
) -> Iterator[str]:
    mode = window.run["mode"]
    if (row["run_id"], row["taken_at"]) != (window.run["run_id"], window.run["now"]):
        yield f"was not taken by the hour's first pass, at {window.run['now']:%H:%M}"
    held = {token: found for (held_mode, token), found in account.held.items() if held_mode == mode}
    cost = sum(found.cost_basis for found in held.values())
    value = sum(_value(found, quotes.get((mode, token))) for token, found in held.items())
    cash, deposited = account.cash.get(mode, 0), account.deposited.get(mode, 0)
    made = {
        "positions": sum(found.size > 0 for found in held.values()),
        "cost_basis": cost,
        "market_value": value,
        "realised": sum(found.realised for found in held.values()),
        "unrealised": value - cost,
        "fees": sum(found.fees for found in held.values()),
        "cash": cash,
        "deposited": deposited,
        "net_liquidation": cash + value,
    }
    for field, number in made.items():
        if row[field] != number:
            yield f"{field} is {row[field]}, the ledger makes {number}"
    if row["realised"] + row["deposited"] != row["cash"] + row["cost_basis"]:
        yield "realised and deposited are not cash and cost basis"


def _value(held: Held, quote: Quote | None) -> int:
    """At the mid of a spread that can be trusted, else at the best bid, else nothing; rounded down."""
    bid, ask = quote or (None, None)
    if bid is None:
        return 0
    doubled = bid + ask if ask is not None and ask - bid <= SPREAD_MAX else 2 * bid
    return doubled * held.size // (2 * MICROS)
