"""What must not be missed is told whole: numbers on narrow screens, and which files were left out."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.worlds import instruction, write_books, write_plan


@pytest.mark.parametrize("width", ["20", "60", "80"])
def test_no_number_is_cut_however_narrow_the_screen(
    width: str, traded: Callable[..., Ran], cli: Callable[..., Ran]
) -> None:
    traded(instruction(size=4000, price=0.44))
    (held,) = cli("positions", "list", "--json").rows
    told = cli("positions", "list", COLUMNS=width).out.splitlines()[2]
    assert told.split()[-6:-3] == ["1,300", "0.4354", "566.00"]
    assert (held["size"], held["averagePrice"], held["costBasis"]) == ("1300", "0.435385", "566")


def test_runs_with_long_names_fit_eighty_columns(traded: Callable[..., Ran], cli: Callable[..., Ran]) -> None:
    traded(instruction(), planId="a-plan-with-quite-a-name-2026-11-20")
    line = cli("runs", "list").out.splitlines()[2]
    assert len(line.rstrip()) <= 80
    assert line.split()[3:] == ["a-pl…1-20", "paper", "completed", "1", "1", "0", "2.83"]


def test_a_file_that_was_left_out_is_told_when_its_market_is_missed(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    books = write_books(tmp_path / "books")
    (books / "markets.json").write_text("{")
    plan = str(write_plan(tmp_path / "plan.json", instruction()))
    ran = cli("trade", plan, "--books", str(books))
    note, *_, error = ran.err.splitlines()
    assert ran.code == 3
    assert note.startswith("note: ignored markets.json: ")
    assert error.startswith("error: ")
    as_json = cli("trade", plan, "--books", str(books), "--json")
    assert json.loads(as_json.err)["error"]["code"] == "NOT_FOUND"


def test_whether_a_file_can_be_read_is_told_by_what_reads_it(
    cli: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked beforehand, Typer would call it a wrong word, and leave the other files unlooked at."""
    plan = str(write_plan(tmp_path / "plan.json", instruction()))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert cli("validate", plan, plan).out.count(": valid; ") == 2
    assert cli("preview", plan, "--books", str(write_books(tmp_path / "books"))).code == 0
