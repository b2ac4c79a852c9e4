"""The frame around every command: help, exit codes, how faults are told, signals and pipes."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

from betteroms import __version__
from betteroms.cli import app, exits
from betteroms.cli.faults import clean
from betteroms.domain import errors
from tests.cli.conftest import ROOT, Ran
from tests.cli.worlds import instruction, write_plan

HEAVY = {"sqlmodel", "sqlalchemy", "alembic", "psycopg", "httpx", "eth_account", "polymarket", "pydantic"}
SANDBOX = {"starlette", "uvicorn", "coincurve", "websockets", "rlp", "Crypto", "eth_abi"}
KEY = "0x" + "4f" * 32


def commands() -> list[tuple[str, ...]]:
    """Every command there is, by its words."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not hasattr(command, "commands"):
            yield words
            return
        for name, inner in command.commands.items():
            yield from walk(inner, (*words, name))

    return list(walk(typer.main.get_command(app.app), ()))


COMMANDS = commands()


def named(words: tuple[str, ...]) -> str:
    return " ".join(words)


def test_there_are_as_many_commands_as_the_documents_say() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^## (.*)$", page, re.MULTILINE)) - {"Exit codes"}
    assert {named(words) for words in COMMANDS} == sections


@pytest.mark.parametrize("words", COMMANDS, ids=named)
def test_help_begins_with_an_example_that_calls_the_command(
    words: tuple[str, ...], cli: Callable[..., Ran]
) -> None:
    ran = cli(*words, "--help")
    assert ran.code == 0
    told = [line.strip() for line in ran.out.splitlines() if line.strip()]
    assert told[0].startswith(f"Usage: betteroms {named(words)}")
    assert told[1].startswith("Example: ")
    assert f"betteroms {named(words)}" in told[1]


@pytest.mark.parametrize("words", COMMANDS, ids=named)
def test_every_command_can_print_json(words: tuple[str, ...], cli: Callable[..., Ran]) -> None:
    assert "--json" in cli(*words, "--help").out


@pytest.mark.parametrize("words", COMMANDS, ids=named)
def test_every_command_is_documented_with_its_options(
    words: tuple[str, ...], cli: Callable[..., Ran]
) -> None:
    pages = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").split("\n## ")
    mine = next((page for page in pages if page.startswith(f"{named(words)}\n")), None)
    assert mine is not None, f"docs/commands.md has no section called {named(words)!r}"
    assert f"betteroms {named(words)}" in mine
    options = set(re.findall(r"--[a-z][a-z-]+", cli(*words, "--help", COLUMNS="200").out))
    assert {option for option in options - {"--help", "--json"} if f"`{option}" not in mine} == set()


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    ours = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert told == ours


def test_help_imports_nothing_heavy() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom betteroms.cli import app\ncode = app.run(['--help'])\n"
            "sys.stderr.write(' '.join(sys.modules))\nsys.exit(code)",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "Usage: betteroms" in told.stdout
    assert (HEAVY | SANDBOX).isdisjoint(told.stderr.split())


def test_the_version_is_told(command: Callable[..., Ran]) -> None:
    ran = command("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"betteroms {__version__}\n", "")


def test_without_words_help_is_shown_and_the_exit_says_usage(cli: Callable[..., Ran]) -> None:
    ran = cli()
    assert ran.code == 2
    assert "Usage: betteroms" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("trad",), "error: No such command 'trad'. Did you mean 'trade'?\nhint: betteroms --help\n"),
        (("preview",), "error: Missing argument 'PLAN.json'.\nhint: betteroms preview --help\n"),
        (("orders", "list", "--limit", "0"), "error: Invalid value for '--limit'"),
        (("orders", "list", "--status", "full"), "error: Invalid value for '--status': 'full' is not one of"),
        (("trade", "x.json", "--at", "noon"), "error: Invalid value for '--at': 'noon' is no time such as"),
        (("trade", "x.json", "--at", "2026-11-20T12:00"), "error: Invalid value for '--at'"),
        (("trade", "x.json", "--save", "y"), "error: No such option: --save"),
        (("positions", "report", "--mark", "ask"), "error: Invalid value for '--mark'"),
    ],
)
def test_words_that_are_no_command_are_told_on_stderr(
    words: tuple[str, ...], complaint: str, cli: Callable[..., Ran]
) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(complaint)


def test_wrong_words_are_one_line_of_json_where_json_is_wanted(cli: Callable[..., Ran]) -> None:
    ran = cli("orders", "show", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error == {
        "code": "USAGE",
        "exitCode": 2,
        "message": "Missing argument 'ORDER'.",
        "problems": [],
    }


def test_every_fault_of_ours_has_an_exit_code() -> None:
    faults = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.BetterOmsError)
    ]
    unexpected = {fault for fault in faults if exits.code_of(fault) == exits.UNEXPECTED}
    assert unexpected == {errors.BetterOmsError}


def test_the_gravest_of_several_codes_wins() -> None:
    assert exits.worst([]) == 0
    assert exits.worst([0, 8, 3]) == 3
    assert exits.worst([2, 5, 6, 9]) == 9
    assert exits.worst([5, 1]) == 1


@pytest.fixture
def broken_run(sql: psycopg.Connection[Any]) -> None:
    """A run whose summary no version of ours would have written."""
    sql.execute(
        "INSERT INTO runs (run_id, kind, mode, plan_id, status, attempt, now, scheduled_at, started_at, "
        "engine_version, settings, ledger_sequence, summary_json) VALUES (gen_random_uuid(), 'trade', "
        "'paper', 'odd', 'completed', 1, now(), now(), now(), '0', '{}', 0, '{}')"
    )


@pytest.mark.usefixtures("broken_run")
def test_a_mistake_of_the_program_is_one_line_and_no_traceback(cli: Callable[..., Ran]) -> None:
    ran = cli("runs", "show", "odd")
    assert ran.code == 1
    assert re.match(r"error: KeyError: '\w+'\nhint: this is a mistake of the program", ran.err)
    assert "Traceback" not in ran.err


@pytest.mark.usefixtures("broken_run")
def test_debug_shows_where_but_never_the_values(cli: Callable[..., Ran]) -> None:
    ran = cli("--debug", "runs", "show", "odd", POLYMARKET_PRIVATE_KEY=KEY)
    assert ran.code == 1
    assert "Traceback (most recent call last)" in ran.err
    assert "summary" in ran.err
    assert KEY[2:] not in ran.err


def test_no_command_ever_shows_the_key(cli: Callable[..., Ran], tmp_path: Path) -> None:
    secrets = {
        "POLYMARKET_PRIVATE_KEY": KEY,
        "POLYMARKET_API_SECRET": "c2VjcmV0LXNlY3JldA==",
        "DATABASE_URL": "postgresql://someone:hunter2@127.0.0.1:1/nowhere",
    }
    plan = write_plan(tmp_path / "plan.json", instruction())
    for words in (("--debug", "doctor", "--offline"), ("--debug", "trade", str(plan)), ("db", "status")):
        ran = cli(*words, **secrets)
        assert ran.code == 9
        for secret in (KEY[2:], "c2VjcmV0", "hunter2"):
            assert secret not in ran.out + ran.err


def test_a_key_of_a_wrong_shape_is_not_repeated(cli: Callable[..., Ran]) -> None:
    ran = cli("orders", "list", POLYMARKET_PRIVATE_KEY="4f" * 31)
    assert ran.code == 2
    assert ran.err.startswith("error: POLYMARKET_PRIVATE_KEY")
    assert "4f4f" not in ran.err


def test_every_wrong_setting_is_named_at_once(cli: Callable[..., Ran]) -> None:
    ran = cli("orders", "list", "--json", BETTEROMS_PAPER_CASH="much", BETTEROMS_PAPER_CASSH="1")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error["code"] == "SETTINGS_INVALID"
    assert len(ran.error["problems"]) == 2


def test_what_could_drive_a_terminal_is_made_harmless() -> None:
    assert clean("\x1b[2Jgone\x07\rhidden\u202e") == "\ufffd[2Jgone\ufffd\ufffdhidden\ufffd"


def test_a_closed_pipe_is_nothing_to_complain_about(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    process = start("--help")
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (exits.BROKEN_PIPE, "")


def test_output_that_cannot_be_written_is_a_failure(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "betteroms", "convert", "5", "USDC", "@", "0.5"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
        )
    assert ran.returncode == 1
    assert ran.stderr == "error: the output cannot be written: [Errno 28] No space left on device\n"


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_a_command_in_order(
    number: signal.Signals,
    code: int,
    word: str,
    start: Callable[..., "subprocess.Popen[str]"],
    sql: psycopg.Connection[Any],
    books: Path,
    tmp_path: Path,
) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    sql.execute("SELECT pg_advisory_lock(%s)", (0x6F6D7302,))
    process = start("trade", str(plan), "--books", str(books), "--wait", "60")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'betteroms % trade june'"
    deadline = time.monotonic() + 30
    while sql.execute(waiting).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, "", f"{word}\n")
    assert sql.execute("SELECT count(*) FROM runs").fetchone() == (0,)
