"""Looks for damage in a database: whatever was lost, doubled or cannot be explained.

It reads the tables by SQL and imports nothing of the product, so that the two agree only where both are
right. Run it with `python tests/simulation/auditor.py DATABASE_URL`; it prints each complaint on a line
and ends with 1 if there were any.
"""

import json
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

if not __package__:  # started as a script: its siblings are found from the project's directory
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.simulation.audit_books import check_liquidity, check_payloads
from tests.simulation.audit_money import check_cash, check_entries, check_executions, check_positions
from tests.simulation.audit_orders import check_ends, check_lives, check_plans
from tests.simulation.audit_runs import check_modes, check_runs, check_sequence, check_summaries
from tests.simulation.audit_tables import Row, Tables, load

CHECKS: tuple[Callable[[Tables], Iterator[str]], ...] = (
    check_runs,
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
    "at",
}
_NAMES = {"run_id", "sequence"}


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

    Orders, their events, executions, positions, ledger entries and liquidity memory, ordered by key;
    without run ids, attempts, sequences and wall times, of which only their presence counts (DECISIONS 1.4).
    """
    return digest_of(load(connection))


def digest_of(tables: Tables) -> str:
    """See `state_digest`."""
    ranks: dict[object, int] = {}
    state = {
        "orders": [_stripped(row) for row in tables.orders],
        "events": sorted(
            [row["entity_id"], _next(ranks, row["entity_id"]), row["event_type"], _stripped(row)]
            for row in tables.audit
            if row["entity_type"] in ("order", "entry")
        ),
        # The order of fills within a position decides its cost, so their rank in it belongs to the state.
        "executions": sorted(
            [row["order_id"], row["number"], _next(ranks, (row["mode"], row["token_id"])), _stripped(row)]
            for row in tables.executions
        ),
        "positions": [_stripped(row) for row in tables.positions],
        "entries": sorted((_stripped(row) for row in tables.entries), key=lambda row: str(row["key"])),
        "liquidity": [_stripped(row) for row in tables.taken],
    }
    return sha256(json.dumps(state, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _next(ranks: dict[object, int], key: object) -> int:
    ranks[key] = ranks.get(key, 0) + 1
    return ranks[key]


def _stripped(row: Row) -> Row:
    return {
        name: value is not None if name in _TIMES else value
        for name, value in row.items()
        if name not in _NAMES
    }


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
