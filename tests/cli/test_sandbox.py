"""`betteroms sandbox`: a venue is started, found, looked into and stopped; what cannot be is told."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from py_clob_client_v2 import ClobClient, OrderArgs

from betteroms.settings import load
from tests.cli.conftest import ROOT, Ran
from tests.cli.worlds import instruction, write_plan
from tests.sandbox.running import Venue, sandbox_process

SANDBOX = {
    "starlette",
    "uvicorn",
    "coincurve",
    "websockets",
    "rlp",
    "Crypto",
    "eth_abi",
    "httptools",
    "uvloop",
}
KEYLESS = dict.fromkeys(("POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE"), "")
Start = Callable[..., "subprocess.Popen[str]"]


def first_line(process: "subprocess.Popen[str]") -> str:
    """What it says once it listens."""
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_venue_says_where_it_listens_and_ends_in_order(number: signal.Signals, start: Start) -> None:
    process = start("sandbox", "serve", "--port", "0", "--seed", "7")
    said = re.fullmatch(
        r"the sandbox listens on (http://127\.0\.0\.1:\d+): 7 markets, seed 7\n", first_line(process)
    )
    assert said
    assert httpx.get(f"{said[1]}/ok").json() == "OK"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert err.splitlines() == [
        "Ctrl-C stops it; betteroms sandbox env prints the settings that lead to it",
        "stopped",
    ]


def test_a_venue_is_there_in_two_seconds_of_one_core(surroundings: Mapping[str, str]) -> None:
    with sandbox_process() as venue:
        assert venue.process is not None
        ticks = Path(f"/proc/{venue.process.pid}/stat")
        if not ticks.exists():
            pytest.skip("the system does not tell what a process used")
        used = sum(int(field) for field in ticks.read_text().rpartition(")")[2].split()[11:13])
    assert used / os.sysconf("SC_CLK_TCK") < 2


def test_two_venues_run_side_by_side(surroundings: Mapping[str, str]) -> None:
    with sandbox_process("--seed", "1") as one, sandbox_process("--seed", "2") as other:
        assert one.port != other.port
        assert [each.get("/sandbox/health")["seed"] for each in (one, other)] == [1, 2]


def test_a_port_that_is_taken_is_told(cli: Callable[..., Ran]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = cli("sandbox", "serve", "--port", str(port))
    assert (ran.code, ran.out) == (2, "")
    assert f"error: port {port} is in use, perhaps by another sandbox" in ran.err


def test_it_listens_to_strangers_only_if_told_to(cli: Callable[..., Ran]) -> None:
    ran = cli("sandbox", "serve", "--port", "0", "--host", "0.0.0.0")
    assert (ran.code, ran.out) == (2, "")
    assert "error: Invalid value: 0.0.0.0 can be reached by others" in ran.err
    assert "--allow-remote" in ran.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--faults", "none.json"), "none.json: No such file or directory"),
        (("--faults", "list.json"), "list.json: rules[0]: a rule is an object"),
        (("--script", "list.json"), "list.json: a script is an object with a list of steps"),
        (("--script", "text.txt"), "text.txt: no JSON"),
        (("--books", "nowhere"), "nowhere is not a directory"),
        (("--books", "empty"), "empty: no market is recorded there"),
        (("--state", "text.txt"), "text.txt is no JSON"),
        (("--state", "list.json"), "list.json is not the state of a sandbox venue"),
        (("--state", "nowhere/state"), "nowhere/state: cannot be written: No such file or directory"),
        (("--transcript", "text.txt"), "text.txt: is there already; name another file"),
        (("--transcript", "nowhere/x"), "nowhere/x: No such file or directory"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    words: tuple[str, str], complaint: str, cli: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no JSON")
    (tmp_path / "list.json").write_text("[[]]")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    ran = cli("sandbox", "serve", "--port", "0", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {complaint}")
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_every_complaint_about_a_script_is_told_at_once(cli: Callable[..., Ran], tmp_path: Path) -> None:
    rules = [{"on": "POST /order", "fault": "earthquake"}, {"on": "GET /nowhere", "fault": "latency"}]
    (tmp_path / "faults.json").write_text(json.dumps({"rules": rules}))
    ran = cli("sandbox", "serve", "--port", "0", "--faults", "faults.json", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "SANDBOX_UNUSABLE")
    assert [problem.partition(": ")[2].partition(":")[0] for problem in ran.error["problems"]] == [
        "rules[0].fault",
        "rules[1].on",
    ]


def test_a_beginning_is_for_a_clock_that_is_moved_by_hand(cli: Callable[..., Ran]) -> None:
    ran = cli("sandbox", "serve", "--start-at", "2026-11-20T12:00:00Z")
    assert ran.code == 2
    assert "add --hand-clock" in ran.err


def test_a_clock_moved_by_hand_stands_still(surroundings: Mapping[str, str]) -> None:
    words = ("--hand-clock", "--start-at", "2026-11-20T12:00:00Z")
    with sandbox_process(*words) as venue:
        begun = venue.get("/sandbox/clock")
        assert begun == {"now_ms": 1_795_176_000_000, "by_hand": True}
        assert venue.told("clock", advance="40s")["now_ms"] == begun["now_ms"] + 40_000


def test_a_venue_goes_on_from_its_file(surroundings: Mapping[str, str], tmp_path: Path) -> None:
    wallet = "0x" + "ab" * 20
    with sandbox_process("--state", "state.json") as venue:
        venue.told("fund", wallet=wallet, dollars="12.5")
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    with sandbox_process("--state", "state.json") as venue:
        assert dollars(venue, wallet) == 12_500_000
    other_seed = sandbox_process("--state", "state.json", "--seed", "3")
    with pytest.raises(AssertionError, match="holds a venue of seed 0, not 3"), other_seed:
        pass


def dollars(venue: Venue, wallet: str) -> int:
    """What the auditor says that a wallet holds."""
    rows = venue.get("/sandbox/audit")["balances"]
    (amount,) = [row["amount"] for row in rows if row["owner"] == wallet and row["token_id"] is None]
    return int(amount)


def test_what_is_asked_and_done_is_written_down(surroundings: Mapping[str, str], tmp_path: Path) -> None:
    with sandbox_process("--transcript", "told.jsonl") as venue:
        venue.get("/version")
    lines = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines if line["what"] == "request"] == ["/version"]
    assert {"MarketAdded", "OrderPlaced"} <= {line["name"] for line in lines if line["what"] == "event"}


def test_recorded_markets_stand_in_for_the_invented_ones(surroundings: Mapping[str, str]) -> None:
    with sandbox_process("--books", str(ROOT / "plans" / "books")) as venue:
        slug = "will-lake-constance-freeze-over-before-2036"
        assert venue.get(f"/gamma/markets/slug/{slug}")["slug"] == slug


def test_a_life_goes_on_and_follows_its_script(surroundings: Mapping[str, str], tmp_path: Path) -> None:
    market = "will-it-snow-in-zurich-this-month"
    step = {"at": "+0s", "do": "quote", "market": market, "side": "BUY", "price": "0.01", "size": "77"}
    (tmp_path / "script.json").write_text(json.dumps({"steps": [step]}))
    with sandbox_process("--life", "--script", "script.json") as venue:
        deadline = time.monotonic() + 20
        while venue.get("/sandbox/audit")["counts"]["trades"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (row,) = [
            row for row in venue.get("/sandbox/audit?section=orders")["rows"] if row["size"] == 77_000_000
        ]
        assert row["price"] == 10_000


@pytest.mark.parametrize("wallet", ["eoa", "proxy", "safe", "deposit"])
def test_the_settings_lead_to_the_venue(wallet: str, cli: Callable[..., Ran], tmp_path: Path) -> None:
    ran = cli("sandbox", "env", "--wallet", wallet, "--port", "9999", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    (tmp_path / ".env.local").write_text(ran.out)
    (tmp_path / ".env.local").chmod(0o600)
    settings = load({}, cwd=tmp_path)
    assert settings.clob_url == "http://127.0.0.1:9999"
    assert settings.gamma_url == "http://127.0.0.1:9999/gamma"
    assert settings.ws_url == "ws://127.0.0.1:9999/ws"
    assert settings.private_key is not None
    as_json = cli("sandbox", "env", "--wallet", wallet, "--port", "9999", "--seed", "3", "--json").document
    assert as_json["result"]["POLYMARKET_FUNDER"] == settings.funder
    assert [f"{name}={value}" for name, value in as_json["result"].items()] == ran.out.splitlines()


def take(venue: Venue, settings: Mapping[str, str]) -> None:
    """Buy something with the key that the settings name, as somebody else's client does."""
    market = venue.get("/gamma/markets/slug/will-it-snow-in-zurich-this-month")
    client = ClobClient(
        settings["BETTEROMS_CLOB_URL"],
        137,
        key=settings["POLYMARKET_PRIVATE_KEY"],
        signature_type=3,
        funder=settings["POLYMARKET_FUNDER"],
    )
    client.set_api_creds(client.create_or_derive_api_key())
    token = json.loads(market["clobTokenIds"])[0]
    order = client.create_order(OrderArgs(token_id=token, price=0.5, size=10, side="BUY"))
    assert client.post_order(order, defer_exec=True)["success"]


def test_the_audit_tells_what_happened(cli: Callable[..., Ran]) -> None:
    with sandbox_process() as venue:
        settings = cli("sandbox", "env", "--port", str(venue.port), "--json").document["result"]
        take(venue, settings)
        ran = cli("sandbox", "audit", "--port", str(venue.port))
        as_json = cli("sandbox", "audit", "--port", str(venue.port), "--json").document
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("7 markets, ")
    for heading in ("\nOrders\n", "\nFills\n", "\nDollars\n", "\nWhat must hold\n  ok "):
        assert heading in ran.out
    assert "BROKEN" not in ran.out
    assert as_json["command"] == "sandbox audit"
    assert as_json["result"]["counts"]["trades"] == 1


def test_an_audit_needs_a_venue(cli: Callable[..., Ran]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ran = cli("sandbox", "audit", "--port", str(port))
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith(f"error: no sandbox answers on port {port}: ")


def in_a_process(code: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a few lines of Python beside the checkout."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.mark.parametrize(
    ("words", "package"),
    [
        (["serve", "--port", "0"], "coincurve"),
        (["serve", "--port", "0"], "starlette"),
        (["env"], "coincurve"),
    ],
)
def test_without_the_extra_the_user_is_told_how_to_get_it(
    words: list[str], package: str, tmp_path: Path, surroundings: Mapping[str, str]
) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\nfrom betteroms.cli import app\n"
        f"sys.exit(app.run(['sandbox', *{words!r}]))"
    )
    ran = in_a_process(code, tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"error: the sandbox needs {package}, which is not installed: pip install ")
    assert "pip install 'betteroms[sandbox]'" in ran.stderr


def test_trading_needs_nothing_of_the_sandbox(
    surroundings: Mapping[str, str], books: Path, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    code = (
        "import sys\nfrom betteroms.cli import app\n"
        f"code = app.run(['trade', {str(plan)!r}, '--books', {str(books)!r}])\n"
        "sys.stderr.write(' '.join(sys.modules))\nsys.exit(code)"
    )
    ran = in_a_process(code, tmp_path)
    assert ran.returncode == 0, ran.stderr[-2000:]
    loaded = set(ran.stderr.split())
    assert "betteroms.pipeline" in loaded
    assert not {name for name in loaded if name.startswith("betteroms.sandbox")}
    assert SANDBOX.isdisjoint(loaded)
