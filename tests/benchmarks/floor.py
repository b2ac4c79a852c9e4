"""The floor: the rows a run wrote, written again by plain text `COPY` in one transaction.

The shape is fixed and printed (10,000 orders, at least 25,000 executions, 10,000 audit rows): the run's own
rows, under new ids, into the same tables of the same database, with all their indexes and checks. Nothing
is computed or formatted in the timed part.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import AUDIT_COLUMNS, EXECUTION_COLUMNS, ORDER_COLUMNS

ORDERS: Final = 10_000
EXECUTIONS_MIN: Final = 25_000
AUDIT_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Rows as `COPY` text, by table, and their numbers."""

    texts: dict[str, tuple[tuple[str, ...], bytes]]
    counts: dict[str, int]

    @property
    def shape(self) -> str:
        return ", ".join(f"{count:,} {table}" for table, count in self.counts.items())


def read_rows(connection: psycopg.Connection[Any]) -> Floor:
    """Take the shape's rows from a database that one benchmark run has filled."""
    some = f"SELECT order_id FROM orders ORDER BY line LIMIT {ORDERS}"
    wanted = {
        "orders": (ORDER_COLUMNS, f"SELECT {{}} FROM orders WHERE order_id IN ({some}) ORDER BY line"),
        "executions": (
            EXECUTION_COLUMNS,
            f"SELECT {{}} FROM executions WHERE order_id IN ({some}) ORDER BY sequence",
        ),
        "audit_logs": (
            AUDIT_COLUMNS,
            "SELECT {} FROM audit_logs WHERE event_type = 'order_filled' "
            f"ORDER BY sequence LIMIT {AUDIT_ROWS}",
        ),
    }
    texts: dict[str, tuple[tuple[str, ...], bytes]] = {}
    for table, (columns, query) in wanted.items():
        with connection.cursor() as cursor:
            names = ", ".join(columns)
            with cursor.copy(f"COPY ({query.format(names)}) TO STDOUT") as copy:
                texts[table] = (columns, b"".join(bytes(block) for block in copy))
    counts = {table: text.count(b"\n") for table, (_, text) in texts.items()}
    assert counts["orders"] == ORDERS
    assert counts["executions"] >= EXECUTIONS_MIN
    assert counts["audit_logs"] == AUDIT_ROWS
    return Floor(texts=texts, counts=counts)


def write_rows(connection: psycopg.Connection[Any], floor: Floor, *, repetition: int) -> float:
    """Write the shape once, durably; seconds taken. Each repetition has ids of its own."""
    renamed = {table: _renamed(text, repetition) for table, (_, text) in floor.texts.items()}
    started = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        for table, text in renamed.items():
            names = ", ".join(floor.texts[table][0])
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                copy.write(text)
    return time.perf_counter() - started


def _renamed(text: bytes, repetition: int) -> bytes:
    """The rows under other order ids, as scattered as the first: the last digit moves on by so many."""
    assert 0 < repetition < 16, "sixteen digits, one of them taken"
    digits = b"0123456789abcdef"
    moved = bytes.maketrans(digits, digits[repetition:] + digits[:repetition])
    lines = []
    for line in text.split(b"\n"):
        fields = line.split(b"\t")
        column = 4 if len(fields) == len(AUDIT_COLUMNS) else 0
        fields[column] = fields[column][:-1] + fields[column][-1:].translate(moved)
        lines.append(b"\t".join(fields))
    return b"\n".join(lines)
