"""The auditor is silent where all is well and names every kind of damage; else its silence says nothing."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.simulation import auditor
from tests.simulation.audit_tables import load
from tests.simulation.auditor import digest_of, problems_of, state_digest
from tests.simulation.conftest import Copies, MakeDatabase
from tests.simulation.damage import DAMAGE
from tests.simulation.stage import Rewindable, carry_out, inspect
from tests.simulation.worlds import Act

HERE = Path(__file__).parent
LINES = range(15)


@pytest.fixture(scope="module")
def night(copies: Copies, evening: Act) -> Iterator[Rewindable]:
    """A database after the evening, in which all is well."""
    with copies() as url:
        carry_out(evening, url)
        database = Rewindable(url)
        yield database
        database.close()


def damaged(template: str) -> str:
    """The statement, its names filled in."""
    order = "(SELECT order_id FROM orders WHERE plan_id = '{plan}' AND line = {line})"
    evening = {f"e{line}": order.format(plan="evening", line=line) for line in LINES}
    morning = {f"m{line}": order.format(plan="morning", line=line) for line in LINES}
    run = "(SELECT run_id FROM runs WHERE plan_id = 'evening')"
    return template.format(run=run, new="nextval('ledger_sequence')", **evening, **morning)


def break_(url: str, statements: str) -> None:
    """Do to a database what no program may do: past the triggers and the foreign keys."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements.split(";"):
            done = connection.execute(statement)
            assert done.rowcount != 0, f"nothing was damaged by {statement}"


def test_a_ledger_in_which_all_is_well_is_met_with_silence(night: Rewindable) -> None:
    night.rewind()
    complaints, _ = night.inspect()
    assert complaints == []


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_kind_of_damage_is_named(night: Rewindable, kind: str) -> None:
    statement, pattern = DAMAGE[kind]
    night.rewind()
    break_(night.url, damaged(statement))
    complaints, _ = night.inspect()
    assert any(re.search(pattern, complaint) for complaint in complaints), complaints


def test_a_run_that_is_there_twice_is_named(make_database: MakeDatabase) -> None:
    url = make_database()
    break_(url, "DROP INDEX runs_one_per_plan; UPDATE runs SET attempt = attempt")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TEMP TABLE twin AS SELECT * FROM runs")
        connection.execute("UPDATE twin SET run_id = gen_random_uuid()")
        connection.execute("INSERT INTO runs SELECT * FROM twin")
    complaints, _ = inspect(url)
    assert any("is there twice" in complaint for complaint in complaints)


def test_the_digest_is_that_of_the_same_things_done_elsewhere_at_another_time(
    night: Rewindable, undisturbed: str
) -> None:
    night.rewind()
    _, digest = night.inspect()
    assert digest == undisturbed


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET notes = 'x' WHERE order_id = {e0}",
        "UPDATE orders SET placed_at = NULL WHERE order_id = {e0}",
        "UPDATE executions SET fee = fee + 0.000001 WHERE order_id = {e0}",
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{taken,0,1}}', '1')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "DELETE FROM audit_logs WHERE entity_id = {e6}::text AND event_type = 'order_canceled'",
        "UPDATE positions SET realised = realised + 0.000001",
        "UPDATE ledger_entries SET cash = 9999",
        "UPDATE liquidity_taken SET size = size + 0.000001",
        "DELETE FROM orders WHERE order_id = {e9}",
    ],
)
def test_the_digest_moves_with_every_part_of_the_state(
    night: Rewindable, undisturbed: str, statement: str
) -> None:
    night.rewind()
    break_(night.url, damaged(statement))
    _, digest = night.inspect()
    assert digest != undisturbed


def test_the_digest_forgets_attempts_run_ids_sequences_and_wall_times(
    night: Rewindable, undisturbed: str
) -> None:
    night.rewind()
    break_(
        night.url,
        "UPDATE runs SET attempt = 7, run_id = gen_random_uuid();"
        "UPDATE audit_logs SET sequence = sequence + 1000, at = at + interval '1 day', run_id = NULL;"
        "UPDATE executions SET sequence = sequence + 1000, executed_at = executed_at + interval '1 day';"
        "UPDATE orders SET created_at = created_at - interval '1 day', run_id = gen_random_uuid()",
    )
    _, digest = night.inspect()
    assert digest == undisturbed


def test_as_a_script_it_prints_complaints_and_ends_with_1(night: Rewindable) -> None:
    night.rewind()
    script = [sys.executable, str(HERE / "auditor.py"), night.url]
    well = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (well.returncode, well.stderr) == (0, "0 complaints\n")
    break_(night.url, damaged("DELETE FROM orders WHERE order_id = {e9}"))
    ill = subprocess.run(script, capture_output=True, text=True, check=False)
    assert ill.returncode == 1
    assert "instruction 9 has 0 orders" in ill.stdout


def test_it_knows_nothing_of_the_product() -> None:
    for path in (*HERE.glob("audit_*.py"), HERE / "auditor.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            assert not [name for name in names if name.startswith("betteroms")], path.name
            ours = [name for name in names if name.startswith("tests")]
            known = ("tests.simulation.audit_", "tests.simulation.auditor")
            assert all(name.startswith(known) for name in ours), path.name


def test_all_its_entrances_agree(night: Rewindable) -> None:
    night.rewind()
    with psycopg.connect(night.url) as connection:
        tables = load(connection)
        assert auditor.audit(connection) == problems_of(tables) == []
        assert state_digest(connection) == digest_of(tables)
