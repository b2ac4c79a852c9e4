"""`export`: what is written is what the database holds, exactly, and a file is there whole or not at all."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from betteroms.adapters.exports import FORMATS, Csv, Parquet, guarded
from betteroms.adapters.whole_file import whole_file
from betteroms.domain.errors import OutputRefused
from betteroms.records import Cell, ExportColumn
from tests.cli.conftest import ROOT, Ran
from tests.cli.test_trade import LINES
from tests.cli.worlds import instruction

SUMS = {
    "executions": ("executions", ("price", "size", "cash", "fee")),
    "orders": ("orders", ("filled_size", "filled_cash", "limit_price")),
    "positions": ("positions", ("size", "cost_basis", "realised", "fees")),
    "entries": ("ledger_entries", ("cash", "size")),
    "snapshots": ("portfolio_snapshots", ("cash", "cost_basis", "pessimistic", "net_liquidation")),
}
HOSTILE = '=HYPERLINK("x"),\r\n-2'


@pytest.fixture
def june(traded: Callable[..., Ran], sql: psycopg.Connection[Any]) -> Ran:
    """The plan of six lines, one of them with notes that mean harm, and two snapshots."""
    ran = traded(*LINES, instruction(ref="h", size=10, notes=HOSTILE))
    sql.execute(
        """
        INSERT INTO portfolio_snapshots (mode, hour, taken_at, run_id, positions, cost_basis, market_value,
            realised, unrealised, fees, cash, deposited, net_liquidation, pessimistic, optimistic)
        SELECT 'paper', h, h + interval '5 minutes', run_id, 1, 300.000001, 290.5, -8.464136, -9.500001,
            8.464136, 9693.744863, 10000, 9984.244863, -18, -17.000001
        FROM runs, (VALUES ('2026-11-20 12:00Z'::timestamptz), ('2026-11-20 13:00Z')) v (h)
        """
    )
    return ran


def camel(column: str) -> str:
    """The name of a column in JSON."""
    head, *rest = column.split("_")
    return head + "".join(word.title() for word in rest)


def sums(sql: psycopg.Connection[Any], what: str) -> list[Decimal]:
    """The number of rows, and what the columns add up to."""
    table, columns = SUMS[what]
    row = sql.execute(f"SELECT count(*), {', '.join(f'sum({name})' for name in columns)} FROM {table}")
    return [Decimal(value) for value in row.fetchall()[0]]


def read_back(file: Path) -> list[dict[str, Any]]:
    """The rows of a file, by a reader that is not ours."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    if file.suffix == ".json":
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("what", SUMS)
def test_what_is_read_back_adds_up_to_what_the_database_holds(
    what: str, form: str, cli: Callable[..., Ran], sql: psycopg.Connection[Any], tmp_path: Path
) -> None:
    file = tmp_path / f"{what}.{form}"
    ran = cli("export", what, "--to", str(file))
    assert (ran.code, ran.err) == (0, "")
    rows = read_back(file)
    columns = [camel(name) for name in SUMS[what][1]]
    found = [sum((Decimal(row[name] or 0) for row in rows), Decimal(0)) for name in columns]
    assert [Decimal(len(rows)), *found] == sums(sql, what)
    assert len(rows) > 0
    assert ran.out.startswith(f"{file}: {len(rows)} ")
    assert ran.out.endswith(f", {file.stat().st_size:,} bytes\n")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("june")
def test_a_row_is_the_same_in_each_format(cli: Callable[..., Ran], tmp_path: Path) -> None:
    rows = []
    for form in ("csv", "json", "parquet"):
        cli("export", "executions", "--to", f"x.{form}")
        rows.append(read_back(tmp_path / f"x.{form}"))
    for plain, told, typed in zip(*rows, strict=True):
        assert told.pop("schemaVersion") == 1
        assert list(plain) == list(told) == list(typed)
        assert plain == {name: "" if value is None else str(value) for name, value in told.items()}
        for name in ("price", "size", "cash", "fee"):
            assert Decimal(told[name]) == typed[name]
        assert datetime.fromisoformat(told["at"]) == typed["at"]
        assert (told["planId"], told["marketId"]) == ("june", "will-it-rain-in-bregenz")


@pytest.mark.usefixtures("june")
def test_parquet_has_exact_types(cli: Callable[..., Ran], tmp_path: Path) -> None:
    cli("export", "executions", "--to", "x.parquet")
    schema = pq.read_schema(tmp_path / "x.parquet")
    assert schema.field("price").type == pa.decimal128(10, 6)
    assert schema.field("cash").type == pa.decimal128(18, 6)
    assert schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("side").type == pa.dictionary(pa.int32(), pa.string())
    assert schema.field("orderId").type == pa.string()
    cli("export", "orders", "--to", "orders.parquet")
    assert pq.read_schema(tmp_path / "orders.parquet").field("postOnly").type == pa.bool_()


@pytest.mark.usefixtures("june")
def test_notes_that_a_spreadsheet_would_calculate_are_text_in_csv_and_as_they_are_elsewhere(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    found = {}
    for form in ("csv", "json", "parquet"):
        cli("export", "orders", "--to", f"x.{form}")
        (found[form],) = (row["notes"] for row in read_back(tmp_path / f"x.{form}") if row["ref"] == "h")
    assert found == {"csv": f"'{HOSTILE}", "json": HOSTILE, "parquet": HOSTILE}
    rows = read_back(tmp_path / "x.csv")
    # A negative number is no formula.
    assert cli("export", "executions").out.splitlines()[1].split(",")[14].startswith("-")
    assert {row["outcome"] for row in rows} == {"Yes", "No"}


@pytest.mark.parametrize(
    ("text", "written"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
     ("'=1", "''=1"), ("＝1", "'＝1"), ("a=1", "a=1"), ("", "")],
)  # fmt: skip
def test_what_is_guarded_can_always_be_told_from_what_was_there(text: str, written: str) -> None:
    assert guarded(text) == written
    assert written.removeprefix("'") == text


@pytest.mark.usefixtures("june")
def test_stdout_gets_csv_or_json_and_nothing_else(cli: Callable[..., Ran]) -> None:
    plain, told = cli("export", "entries"), cli("export", "entries", "--json")
    assert (plain.code, plain.err, told.code, told.err) == (0, "", 0, "")
    (row,) = csv.DictReader(io.StringIO(plain.out, newline=""))
    (same,) = told.rows
    assert (row["kind"], row["cash"]) == ("DEPOSIT", same["cash"]) == (same["kind"], "10000")
    assert cli("export", "entries", "--to", "-", "--format", "json").out == told.out


@pytest.mark.usefixtures("june")
def test_a_file_is_told_as_one_document(cli: Callable[..., Ran], tmp_path: Path) -> None:
    ran = cli("export", "snapshots", "--to", "s.csv", "--json", "--mode", "paper", "--since", "2026-11-20")
    result = ran.document["result"]
    assert ran.document["command"] == "export"
    assert (result["file"], result["format"], result["rows"]) == ("s.csv", "csv", 2)
    assert (result["mode"], result["since"], result["until"]) == ("paper", "2026-11-20T00:00:00Z", None)
    assert result["sizeBytes"] == (tmp_path / "s.csv").stat().st_size
    with (tmp_path / "s.csv").open(newline="") as stream:
        assert result["columns"] == next(csv.reader(stream))


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ((), 2),
        (("--since", "2026-11-20T12:05:00Z"), 2),
        (("--since", "2026-11-20T13:05:00.000001+00:00"), 0),
        (("--until", "2026-11-20T13:05:00Z"), 1),
        (("--until", "2026-11-20T14:05:00+01:00"), 1),
        (("--since", "2026-11-20", "--until", "2026-11-21"), 2),
        (("--since", "2026-11-21"), 0),
        (("--mode", "live"), 0),
    ],
)
def test_the_bounds_hold_the_first_time_and_not_the_last(
    words: Sequence[str], rows: int, cli: Callable[..., Ran]
) -> None:
    assert len(cli("export", "snapshots", "--json", *words).rows) == rows


def test_nothing_is_a_header_and_no_row(cli: Callable[..., Ran], tmp_path: Path) -> None:
    for form in ("csv", "json", "parquet"):
        assert cli("export", "executions", "--to", f"x.{form}").code == 0
        assert read_back(tmp_path / f"x.{form}") == []
    assert (tmp_path / "x.csv").read_text().startswith("sequence,orderId,number,mode,")
    assert "price" in pq.read_schema(tmp_path / "x.parquet").names


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("executions", "--to", "x.txt"), "'x.txt' does not end in .csv, .json"),
        (("executions", "--format", "parquet"), "Parquet is no text: name a file with --to"),
        (("executions", "--format", "csv", "--json"), "--json and --format csv exclude each other"),
        (("positions", "--since", "2026-11-20"), "positions are as they stand now"),
        (("executions", "--since", "2026-11-20T12:00"), "is no time such as 2026-11-20 or"),
        (("executions", "--until", "soon"), "is no time such as 2026-11-20 or"),
        (("orders", "--since", "2026-11-21", "--until", "2026-11-20"), "--since must lie before --until"),
        (("trades",), "'trades' is not one of"),
    ],
)
def test_words_that_make_no_export_are_told(
    words: Sequence[str], complaint: str, cli: Callable[..., Ran]
) -> None:
    ran = cli("export", *words)
    assert (ran.code, ran.out) == (2, "")
    assert complaint in ran.err


def test_a_file_that_is_there_is_kept_unless_force_says_otherwise(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("mine")
    (tmp_path / "linked.csv").symlink_to("x.csv")
    ran = cli("export", "orders", "--to", "linked.csv", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "OUTPUT_REFUSED")
    assert (tmp_path / "x.csv").read_text() == "mine"
    assert cli("export", "orders", "--to", "linked.csv", "--force").code == 0
    assert (tmp_path / "x.csv").read_text().startswith("orderId,")
    assert (tmp_path / "linked.csv").is_symlink()


def test_a_directory_that_is_not_there_is_told_by_the_name_that_was_asked_for(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = cli("export", "orders", "--to", "nowhere/orders.csv")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"error: [Errno 2] No such file or directory: '{tmp_path}/nowhere/orders.csv'\n"


def test_what_is_no_file_is_never_replaced(cli: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    ran = cli("export", "orders", "--to", "d.csv", "--force")
    assert (ran.code, ran.out) == (2, "")
    assert "is no plain file" in ran.err
    ran = cli("export", "orders", "--to", "nowhere/x.csv")
    assert (ran.code, ran.out) == (1, "")
    assert "No such file or directory" in ran.err


def test_an_export_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Any:
        yield [("a",)]
        raise KeyboardInterrupt

    columns = [ExportColumn(name="x", cell=Cell.TEXT)]
    (tmp_path / "old.csv").write_text("old")
    for name, form in (
        ("new.csv", "csv"),
        ("new.json", "json"),
        ("new.parquet", "parquet"),
        ("old.csv", "csv"),
    ):
        with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / name, force=True) as stream:
            FORMATS[form](stream).write(columns, broken())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.csv", "old")]


def test_a_file_made_meanwhile_by_another_is_kept(tmp_path: Path) -> None:
    def write(target: Path) -> None:
        with whole_file(target, force=False) as stream:
            stream.write(b"ours")
            target.write_text("theirs")

    with pytest.raises(OutputRefused):
        write(tmp_path / "x.csv")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_blocks_of_any_size_come_out_whole_and_in_order(tmp_path: Path) -> None:
    columns = [ExportColumn(name="n", cell=Cell.WHOLE), ExportColumn(name="price", cell=Cell.PRICE)]
    blocks = [
        [(n, None if n % 7 == 0 else -n) for n in range(start, start + 9_000)]
        for start in range(0, 117_000, 9_000)
    ]
    with (tmp_path / "x.parquet").open("wb") as stream:
        Parquet(stream).write(columns, blocks)
    read = pq.ParquetFile(tmp_path / "x.parquet")
    assert [read.metadata.row_group(n).num_rows for n in range(read.num_row_groups)] == [
        50_000,
        50_000,
        17_000,
    ]
    table = read.read().to_pydict()
    assert table["n"] == list(range(117_000))
    expected = [None if n % 7 == 0 else Decimal(-n).scaleb(-6) for n in range(117_000)]
    assert table["price"] == expected


def test_every_kind_of_value_is_written_as_it_should_be() -> None:
    at = datetime(2026, 11, 20, 12, 0, 0, 5, tzinfo=UTC)
    row = ("BUY", 'x,"y"\n', 420_000, -1, 7, True, at)
    columns = [ExportColumn(name=cell.value, cell=cell) for cell in Cell]
    stream = io.BytesIO()
    Csv(stream).write(columns, [[row, (None,) * 7]])
    assert stream.getvalue().decode() == (
        "WORD,TEXT,PRICE,AMOUNT,WHOLE,FLAG,TIME\r\n"
        'BUY,"x,""y""\n",0.42,-0.000001,7,true,2026-11-20T12:00:00.000005Z\r\n'
        ",,,,,,\r\n"
    )


@pytest.mark.parametrize(
    ("module", "words", "extra"),
    [
        ("pyarrow", ("export", "orders", "--to", "x.parquet"), "parquet"),
        ("apprise", ("notify", "test"), "notify"),
    ],
)
def test_an_extra_that_is_missing_is_told_with_how_to_get_it(
    module: str, words: Sequence[str], extra: str, surroundings: Any, tmp_path: Path
) -> None:
    script = (
        f"import sys\nsys.modules[{module!r}] = None\nfrom betteroms.cli import app\n"
        f"sys.exit(app.run({list(words)!r}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            **dict(surroundings),
            "PYTHONPATH": str(ROOT),
            "PATH": "",
            "BETTEROMS_NOTIFY_URLS": "json://127.0.0.1:9",
        },
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"pip install 'betteroms[{extra}]'" in ran.stderr
    assert list(tmp_path.iterdir()) == []
