"""`positions verify`: it agrees with what was written, and names exactly what was tampered with."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.lives import lived
from tests.cli.test_trade import LINES
from tests.cli.worlds import RAIN, SNOW

ORDER = "f925abe0-2bdc-5165-bd74-89935fb7edd0"
RESTING = "5f8a227a-8749-5e05-8291-4303b9c41229"
TOKEN = RAIN.token_id(0)
BOUNDS = f"paper fill bounds of {SNOW.token_id(0)}"
"""Of what rests."""


@pytest.fixture(autouse=True)
def june(traded: Callable[..., Ran]) -> Ran:
    """The plan of six lines, carried out."""
    return traded(*LINES)


def test_what_a_run_wrote_agrees_with_itself(cli: Callable[..., Ran]) -> None:
    ran = cli("positions", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "3 executions, 1 position, 6 orders: all agree\n"
    told = cli("positions", "verify", "--json").document["result"]
    assert told == {"executions": 3, "positions": 1, "orders": 6, "differences": [], "payouts": 0}


@pytest.mark.parametrize(
    ("tampering", "differences"),
    [
        (
            "UPDATE positions SET size = size + 0.000001",
            [f"paper position {TOKEN}: size is 690.434091, its executions say 690.43409"],
        ),
        (
            "UPDATE positions SET realised = realised - 1, cost_basis = cost_basis - 1",
            [
                f"paper position {TOKEN}: cost_basis is 296.791, its executions say 297.791",
                f"paper position {TOKEN}: realised is -9.46413, its executions say -8.46413",
            ],
        ),
        (
            "UPDATE positions SET fees = 0, opened_at = '2026-01-01T00:00:00Z', realised = 0",
            [
                f"paper position {TOKEN}: realised is 0, its executions say -8.46413",
                f"paper position {TOKEN}: fees is 0, its executions say 8.46413",
                f"paper position {TOKEN}: opened_at is 2026-01-01T00:00:00Z, its executions say <then>",
                "paper cash: realised - cost_basis is -297.791, executions moved -306.25513",
            ],
        ),
        (
            "UPDATE positions SET market_id = '0x0'",
            [f"paper position {TOKEN}: market_id is 0x0, its executions say {RAIN.condition_id}"],
        ),
        (
            "DELETE FROM positions",
            [
                f"paper position {TOKEN}: missing, though 3 executions are booked for it",
                "paper cash: realised - cost_basis is 0, executions moved -306.25513",
            ],
        ),
        (
            "UPDATE positions SET token_id = '1'",
            [
                "paper position 1: stored, though no execution is booked for it",
                f"paper position {TOKEN}: missing, though 3 executions are booked for it",
            ],
        ),
        (
            f"UPDATE orders SET filled_size = 1, filled_cash = 0, fills = 1 WHERE order_id = '{ORDER}'",
            [
                f"order {ORDER}: filled_size is 1, its executions say 457.88409",
                f"order {ORDER}: filled_cash is 0, its executions say 200.12",
                f"order {ORDER}: fills is 1, it has 2 executions",
            ],
        ),
        (
            "UPDATE fill_bounds SET at_once = 0, pessimistic = 0.5, optimistic = 1",
            [
                f"order {RESTING}: filled_size is 0, its fill bounds go from 0.5 to 1",
                f"{BOUNDS}: the sum pessimistic is 0, its orders say 0.5",
                f"{BOUNDS}: the sum pessimistic_paid is 0, its orders say 0.195",
                f"{BOUNDS}: the sum optimistic is 0, its orders say 1",
                f"{BOUNDS}: the sum optimistic_paid is 0, its orders say 0.39",
            ],
        ),
        (
            f"INSERT INTO tilts VALUES ('paper', '{TOKEN}', '{RAIN.condition_id}', -0.5, -0.25, 1, 0)",
            [
                f"paper fill bounds of {TOKEN}: the sum pessimistic is -0.5, its orders say 0",
                f"paper fill bounds of {TOKEN}: the sum pessimistic_paid is -0.25, its orders say 0",
                f"paper fill bounds of {TOKEN}: the sum optimistic is 1, its orders say 0",
            ],
        ),
        (
            "ALTER TABLE executions DISABLE TRIGGER executions_append_only;"
            f"UPDATE executions SET number = 3 WHERE number = 2 AND order_id = '{ORDER}'",
            [f"order {ORDER}: its executions are numbered up to 3, there are 2"],
        ),
        (
            "ALTER TABLE executions DISABLE TRIGGER executions_append_only;"
            f"UPDATE executions SET fee = fee + 0.00001 WHERE number = 2 AND order_id = '{ORDER}'",
            [
                f"paper position {TOKEN}: realised is -8.46413, its executions say -8.46414",
                f"paper position {TOKEN}: fees is 8.46413, its executions say 8.46414",
                "paper cash: realised - cost_basis is -306.25513, executions moved -306.25514",
            ],
        ),
    ],
)
def test_each_difference_is_named_exactly(
    tampering: str, differences: list[str], cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    sql.execute(tampering)
    ran = cli("positions", "verify")
    assert (ran.code, ran.err) == (1, "")
    first, *rest = ran.out.splitlines()
    assert first.endswith(": 1 difference" if len(differences) == 1 else f": {len(differences)} differences")
    told = [line.strip() for line in rest]
    assert [re.sub(r"say 20\d\d-\S+Z$", "say <then>", line) for line in told] == differences
    ran = cli("positions", "verify", "--json")
    assert (ran.code, ran.document["result"]["differences"]) == (1, told)


def test_payouts_are_folded_in_their_place(
    cli: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    elsewhere = tmp_path / "life"
    elsewhere.mkdir()
    lived(cli, elsewhere)
    ran = cli("positions", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(r"\d+ executions, 1 payout, \d+ positions, \d+ orders: all agree\n", ran.out)
    sql.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_append_only")
    sql.execute("UPDATE ledger_entries SET cash = cash - 1 WHERE kind = 'SETTLEMENT'")
    ran = cli("positions", "verify")
    assert ran.code == 1
    position, cash = ran.out.splitlines()[1:]
    numbers = re.compile(r"-?\d+\.\d+")
    assert numbers.sub("<n>", position) == (
        f"  paper position {SNOW.token_id(0)}: realised is <n>, its executions say <n>"
    )
    assert numbers.sub("<n>", cash) == "  paper cash: realised - cost_basis is <n>, executions moved <n>"
    stored, folded = map(Decimal, numbers.findall(position))
    assert stored - folded == 1


def test_a_snapshot_that_does_not_add_up_is_named(
    cli: Callable[..., Ran], books: Path, sql: psycopg.Connection[Any]
) -> None:
    assert cli("maintain", "--books", str(books)).code == 0
    assert cli("positions", "verify").code == 0
    sql.execute("ALTER TABLE portfolio_snapshots DISABLE TRIGGER portfolio_snapshots_append_only")
    sql.execute("UPDATE portfolio_snapshots SET realised = realised - 1")
    ran = cli("positions", "verify")
    assert ran.code == 1
    assert re.search(
        r"  paper snapshot of \S+: cash is 9693.74487, deposited \+ realised - cost_basis is 9692.74487\n",
        ran.out,
    )


def test_a_token_that_was_booked_under_two_markets_is_named(
    cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    sql.execute("ALTER TABLE executions DISABLE TRIGGER executions_append_only")
    sql.execute("UPDATE executions SET market_id = '0x0' WHERE number = 2")
    ran = cli("positions", "verify")
    assert ran.code == 1
    assert ran.out.splitlines()[1:] == [
        f"  paper position {TOKEN}: market_id is {RAIN.condition_id}, its executions say 0x0"
    ]


def test_it_reads_one_moment_while_others_write(
    cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    with sql.transaction():
        sql.execute("UPDATE positions SET size = 1")
        assert cli("positions", "verify").code == 0
