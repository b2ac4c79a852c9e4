"""Looks for damage in a database: whatever was lost, doubled or cannot be explained.

It reads the tables by SQL and imports nothing of the product, so that the two agree only where both are
right. Run it with `python tests/simulation/auditor.py DATABASE_URL`; it prints each complaint on a line
and ends with 1 if there were any.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

if not __package__:  # started as a script: its siblings are found from the project's directory
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.simulation.audit_books import check_liquidity, check_payloads
from tests.simulation.audit_endings import check_endings, check_expiry, check_payouts
from tests.simulation.audit_exits import check_exits, check_persistence
from tests.simulation.audit_money import check_cash, check_entries, check_executions, check_positions
from tests.simulation.audit_orders import check_ends, check_lives, check_plans
from tests.simulation.audit_portfolio import check_portfolio
from tests.simulation.audit_runs import check_modes, check_runs, check_sequence, check_summaries, check_sweeps
from tests.simulation.audit_settlement import check_settlements, check_signed
from tests.simulation.audit_tables import Row, Tables, load
from tests.simulation.audit_turns import check_bounds, check_turns

CHECKS: tuple[Callable[[Tables], Iterator[str]], ...] = (
    check_runs,
    check_sweeps,
    check_sequence,
    check_modes,
    check_plans,
    check_lives,
    check_ends,
    check_executions,
    check_positions,
    check_entries,
    check_cash,
    check_payloads,
    check_liquidity,
    check_turns,
    check_bounds,
    check_payouts,
    check_endings,
    check_expiry,
    check_exits,
    check_persistence,
    check_portfolio,
    check_settlements,
    check_signed,
    check_summaries,
)
_TIMES = {
    "created_at",
    "placed_at",
    "expires_at",
    "sending_at",
    "executed_at",
    "opened_at",
    "marked_at",
    "set_at",
    "trigger_at",
    "stopped_at",
    "hour",
    "taken_at",
    "changed_at",
    "at",
}
_NAMES = {"run_id", "sequence"}
_EVENTS = ("order", "entry", "rule", "risk")


def audit(connection: psycopg.Connection[Any]) -> list[str]:
    """Every complaint about the database; empty where all is well."""
    return problems_of(load(connection))


def problems_of(tables: Tables) -> list[str]:
    """Every complaint about what was read."""
    complaints: list[str] = []
    for check in CHECKS:
        try:
            complaints += check(tables)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Damage can be worse than a check expects, and that is a finding too.
            complaints.append(f"{check.__name__} could not go on: {error!r}")
    return complaints


def state_digest(connection: psycopg.Connection[Any]) -> str:
    """SHA-256 of the state: the same for two ledgers to which the same things happened.

    Orders, their events, executions, positions, ledger entries, liquidity memory, exit rules, fill bounds and
    portfolio snapshots, ordered by key; without run ids, attempts, sequences and wall times, of which only
    their presence counts (DECISIONS 1.4).
    """
    return digest_of(load(connection))


def digest_of(tables: Tables, *, scripted: bool = False) -> str:
    """See `state_digest`. Where the clock was `scripted`, every time counts, too."""
    ranks: dict[object, int] = {}
    strip = partial(_stripped, scripted=scripted)
    state = {
        "orders": [strip(row) for row in tables.orders],
        "events": sorted(
            [row["entity_id"], _next(ranks, row["entity_id"]), row["event_type"], strip(row)]
            for row in tables.audit
            if row["entity_type"] in _EVENTS
        ),
        # The order of what moved a position decides its cost, so its rank in it belongs to the state.
        "moves": sorted(
            [row.get("order_id") or row["key"], row.get("number", 0), _next(ranks, _place(row)), strip(row)]
            for row in tables.moves
        ),
        "positions": [strip(row) for row in tables.positions],
        "liquidity": [strip(row) for row in tables.taken],
        "rules": [strip(row) for row in tables.rules],
        "bounds": [strip(row) for row in tables.bounds],
        "portfolios": [strip(row) for row in tables.portfolios],
        "settings": [strip(row) for row in tables.settings],
    }
    return sha256(json.dumps(state, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _place(move: Row) -> object:
    return move["mode"], move["token_id"]


def _next(ranks: dict[object, int], key: object) -> int:
    ranks[key] = ranks.get(key, 0) + 1
    return ranks[key]


def _stripped(row: Row, *, scripted: bool) -> Row:
    return {
        name: _time(value, scripted=scripted) if name in _TIMES else value
        for name, value in row.items()
        if name not in _NAMES
    }


def _time(value: datetime | None, *, scripted: bool) -> object:
    return value and value.isoformat() if scripted else value is not None


def main(arguments: list[str]) -> int:
    """Audit the database named on the command line."""
    if len(arguments) != 1:
        print("usage: python tests/simulation/auditor.py DATABASE_URL", file=sys.stderr)
        return 2
    with psycopg.connect(arguments[0]) as connection:
        complaints = audit(connection)
        print("\n".join((*complaints, f"state {state_digest(connection)}")))
    print(f"{len(complaints)} complaints", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
