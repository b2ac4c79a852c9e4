"""What README.md and docs/*.md tell people to type, and what they say comes of it, is so."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from betteroms.adapters.postgres.bundled.binaries import program
from betteroms.cli import app
from betteroms.sandbox.addresses import CONDITIONAL_TOKENS, EXCHANGES, POSITION_MANAGER
from betteroms.sandbox.seeding import test_wallets
from betteroms.sandbox.seeding.wallets import admit_test_wallets
from betteroms.sandbox.world import World
from tests.cli.crontabs import CrontabProgram, stand_in
from tests.cli.members import hosts as venue_hosts
from tests.docs_blocks import PAGES, ROOT, SETTINGS, SHELL_LANGUAGES, Block, NewUser, blocks, new_user, page
from tests.sandbox.running import sandbox_venue
from tests.simulation.worlds import MORNING_MS, Market
from tests.venue_server import VenueServer

LANGUAGES: Final = {*SHELL_LANGUAGES, "json", "ini", "text", "console"}
SHOWN_ONLY: Final = {
    "cli        words in, words out, an exit code": "a drawing; its names are looked up",
    "DATABASE_URL=postgresql://betteroms:secret@db.example.org:5432/betteroms": "somebody else's server",
    "docker compose up -d": "needs Docker",
    "# betteroms begin run": "compared in tests/cli/test_cron.py",
    "plans/x.json limits.maxOrders: is an unknown key; did you mean maxOrdersPerRun?": "compared below",
}
"""The blocks marked `text`, by their first lines: why they are not typed."""
TYPED: Final = {
    "README.md",
    "docs/bad-days.md",
    "docs/commands.md",
    "docs/credentials.md",
    "docs/cron.md",
    "docs/database.md",
    "docs/preview.md",
    "docs/sandbox.md",
    "docs/scheduled-runs.md",
}
"""The pages whose commands are typed: here, in tests/cli/test_{cron,plans_command,preview}.py, in
tests/sandbox/test_page.py, or in tests/live/test_bad_days.py."""
SCRIPTS: Final = {"rules", "steps"}
"""JSON with such a field is no plan, but a script of the sandbox: tests/sandbox/test_page.py reads those."""
EDITORS_OWN: Final = "my-plan.json"
DEMO: Final = f"betteroms trade '{ROOT}/plans/demo.json' --books '{ROOT}/plans/books' || [ $? -eq 5 ]"
SCHEMA: Final = ROOT / "schemas" / "trade-plan-v1.schema.json"
X: Final = Market(slug="will-x-happen")

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """Runs a command line in this process: its exit code, and what it said on stdout and on stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BETTEROMS_HOME", str(home))

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run(words)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def x_is_open() -> Iterator[VenueServer]:
    """The venue, with the market that the README trades: 100 shares on offer at 42 cents or better."""
    asks = [("0.41", "60"), ("0.42", "40"), ("0.45", "500")]
    book = X.book(0, bids=[("0.40", "200")], asks=asks, stamp=MORNING_MS)
    with VenueServer(books=[book], markets=[X.row()]) as server:
        yield server


def counts(url: str) -> dict[str, int]:
    """How many rows each table has."""
    tables = sql.SQL("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    with psycopg.connect(url) as connection:
        return {
            name: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchall()[0][0]
            for (name,) in connection.execute(tables).fetchall()
        }


def typed_blocks(name: str) -> list[Block]:
    """A page's blocks that are typed."""
    return [block for block in blocks(name) if block.language in SHELL_LANGUAGES]


def squeezed(text: str) -> str:
    """The text with single blanks."""
    return re.sub(r" +", " ", text)


def test_every_code_block_is_of_a_kind_that_is_tried() -> None:
    assert {block.name for block in blocks() if block.language not in LANGUAGES} == set()


def test_nothing_is_only_shown_but_what_cannot_be_typed_here() -> None:
    assert {block.first_line for block in blocks() if block.language == "text"} == set(SHOWN_ONLY)


def test_the_commands_of_every_page_are_typed() -> None:
    assert {block.page for block in blocks() if block.language in SHELL_LANGUAGES} == TYPED


def test_screens_are_shown_where_a_test_compares_them() -> None:
    """tests/cli/test_docs.py, test_preview.py and test_replay.py do, and tests/live/test_bad_days.py."""
    pages = {block.page for block in blocks() if block.language == "console"}
    assert pages == {"docs/bad-days.md", "docs/commands.md", "docs/preview.md", "docs/replay.md"}


def type_the_readme(user: NewUser, directory: Path) -> dict[str, str]:
    """Type the commands of the README in one shell; what each one printed.

    The plan is saved, and carried out, outside of the checkout, which stays as it is.
    """
    commands: list[str] = []
    for block in blocks("README.md"):
        if block.language == "json":
            (directory / EDITORS_OWN).write_text(block.text, encoding="utf-8")
            commands.append(f"cd '{directory}'")
        elif block.commands == ["scripts/demo"]:
            # It says that it reads nothing of yours; these would make every command fail.
            yours = ("DATABASE_URL", "BETTEROMS_X", "CRON_INTERVAL_MINUTES", "POLYMARKET_PRIVATE_KEY")
            commands += [f"export {name}=x" for name in yours]
            commands += [*block.commands, f"unset {' '.join(yours)}"]
        elif block.commands != ["scripts/test"]:
            commands += block.commands
    told = user.types(commands, directory=ROOT)
    assert {said.command: said.err for said in told if said.err} == {}
    return {said.command: said.out for said in told}


def make_the_environment_ready() -> None:
    """What scripts/demo does first, here with this user's settings of pip, which an empty home has not."""
    with new_user(HOME=str(Path.home())) as user:
        done = user.run(["python3", "scripts/environment.py", "run"], directory=ROOT)
        assert done.returncode == 0, done.stderr


def test_the_readme_leads_a_new_user_from_the_demo_to_a_plan_of_their_own(
    x_is_open: VenueServer, tmp_path: Path
) -> None:
    make_the_environment_ready()
    with new_user(BETTEROMS_CLOB_URL=x_is_open.url, BETTEROMS_GAMMA_URL=x_is_open.url) as user:
        crontab = stand_in(user.home / "bin")
        told = type_the_readme(user, tmp_path)

        demo = re.findall(r"^\$ (betteroms \w+)", told["scripts/demo"], re.MULTILINE)
        assert demo == ["betteroms trade", "betteroms positions", "betteroms orders", "betteroms explain"]
        assert "\ndemo · paper · completed\n" in told["scripts/demo"]
        assert list((user.home / "tmp").iterdir()) == [], "the demo leaves something behind"

        assert told["betteroms validate my-plan.json"] == (
            "my-plan.json: valid; planId my-first-plan, mode paper, 1 instruction\n"
        )
        assert told["betteroms preview my-plan.json"].startswith("my-first-plan · paper · previewed\n")
        screen = squeezed(told["betteroms trade my-plan.json"])
        assert screen.startswith("my-first-plan · paper · completed\n")
        row = r"^0 (\w{8}) BUY Yes 0.42 119.04 100 0.414 1.2129 partly filled$"
        traded = re.search(row, screen, re.MULTILINE)
        assert traded, screen
        listed = squeezed(told["betteroms orders list"])
        row = rf"^{traded[1]} \S+ \S+ BUY Yes 0.42 119.04 100 partly filled$"
        assert re.search(row, listed, re.MULTILINE), listed
        assert "will-x-happen Yes" in told["betteroms positions report"]

        refuse_repetition(user, tmp_path)
        let_cron_call(crontab, user)
        report = user.run(["betteroms", "report", "--period", "day"], directory=tmp_path)
        assert (report.returncode, report.stderr) == (0, "")
        assert "will-x-happen" in report.stdout
        assert user.run(["betteroms", "cron", "remove"], directory=tmp_path).returncode == 0
        assert not crontab.read()
        story = user.run(["betteroms", "explain", traded[1]], directory=tmp_path)
        assert (story.returncode, story.stderr) == (0, "")
        assert "What happened" in story.stdout


def refuse_repetition(user: NewUser, directory: Path) -> None:
    """Carry the plan out once more, as the README says nothing comes of."""
    url = user.run(["betteroms", "db", "url"], directory=directory).stdout.strip()
    before = counts(url)
    assert (before["runs"], before["orders"]) == (1, 1)
    again = user.run(["betteroms", "trade", EDITORS_OWN], directory=directory)
    assert (again.returncode, again.stdout) == (8, "")
    assert again.stderr.startswith("error: planId already exists: my-first-plan was completed in mode paper")
    assert counts(url) == before


def let_cron_call(crontab: CrontabProgram, user: NewUser) -> None:
    """Call what was put into the crontab as cron does: without a terminal, in a bare environment."""
    lines = [line for line in (crontab.read() or b"").decode().splitlines() if not line.startswith("#")]
    assert [line.split()[:5] for line in lines] == [["0", "*", "*", "*", "*"], ["2-57/5", "*", "*", "*", "*"]]
    bare = {"HOME": str(user.home), "LOGNAME": "you", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    for line in lines:
        command = line.split(maxsplit=5)[5].replace("\\%", "%")
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=bare, cwd="/", stdin=subprocess.DEVNULL, check=False
        )
        (log,) = user.home.rglob("cron.log")
        assert (done.returncode, log.read_text(encoding="utf-8")) == (0, "")
    kinds = user.run(["betteroms", "runs", "list", "--json"], directory=user.home).stdout
    assert [json.loads(row)["kind"] for row in kinds.splitlines()] == ["maintain", "maintain", "run", "trade"]


def test_the_command_for_the_tests_is_the_one_that_continuous_integration_runs() -> None:
    (second,) = [block for block in blocks("README.md") if block.commands == ["scripts/test"]]
    assert second.commands[0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_command_for_the_tests_runs_tests() -> None:
    with new_user(HOME=str(Path.home())) as user:
        words = ["scripts/test", "--quiet", "--numprocesses=0", "tests/domain/test_money.py"]
        done = user.run(words, directory=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^\d+ passed in ", done.stdout, re.M)


def test_the_pages_about_database_and_commands_can_be_typed_after_the_demo() -> None:
    with new_user() as user:
        commands = [command for block in typed_blocks("docs/database.md") for command in block.commands]
        last = "betteroms positions verify"
        bundled = f"PATH='{program('psql').parent}:{user.environment['PATH']}'"
        told = user.types([bundled, DEMO, *commands, last], directory=user.home)
        said = {each.command: each.out for each in told}
        assert said["betteroms db start"] == "it was running already\n"
        assert "running    yes" in said["betteroms db status"]
        assert said["betteroms db url"].startswith("postgresql://betteroms@/betteroms?host=")
        named = said["betteroms db backup betteroms.dump"].splitlines()[-1]
        (restore,) = [command for command in commands if command.startswith("pg_restore")]
        assert named == f"{program('pg_restore').parent}/{restore}"
        assert said[last] == "6 executions, 4 positions, 7 orders: all agree\n"
        data = user.home / ".local" / "share" / "betteroms"
        for path in re.findall(r"^\| `(postgres/[\w./]+)` \|", page("docs/database.md"), re.MULTILINE):
            assert (data / path).exists(), path

        commands = [command for block in typed_blocks("docs/commands.md") for command in block.commands]
        said = {each.command: each.out for each in user.types([bundled, *commands], directory=user.home)}
        assert said["betteroms runs show demo"].startswith("demo · paper · completed\n")
        assert said["betteroms db stop"] == "stopped\n"
        assert (user.home / "trade-plan-v1.schema.json").read_bytes() == SCHEMA.read_bytes()


def test_the_page_about_credentials_can_be_followed() -> None:
    copied, filled, *later = blocks("docs/credentials.md")
    typed = [line for block in later for line in block.commands]
    asked = "betteroms keys import"  # it asks, and nobody is there: test_terminal types the answers
    assert {"betteroms keys show-address", "betteroms doctor", asked} < set(typed)
    with sandbox_venue(_ready) as venue, new_user() as user:
        (user.home / ".env.local.example").write_bytes((ROOT / ".env.local.example").read_bytes())
        user.types(copied.commands, directory=user.home)
        secrets = user.home / ".env.local"
        assert secrets.stat().st_mode & 0o777 == 0o600
        secrets.write_text(secrets.read_text() + filled.text)
        user.types(["betteroms db status"], directory=user.home)
        wallet = test_wallets(0)[-1]
        mine = {"POLYMARKET_PRIVATE_KEY": wallet.private_key, "POLYMARKET_FUNDER": wallet.address}
        for line in filled.text.splitlines():
            assert f"\n# {line}" in secrets.read_text()
            secrets.write_text(secrets.read_text().replace(f"\n{line}\n", f"\n{line}{mine[line[:-1]]}\n"))
        hosts = "".join(f"{name}={url}\n" for name, url in venue_hosts(venue).items())
        secrets.write_text(secrets.read_text() + hosts)
        user.types([line for line in typed if line != asked], directory=user.home)
        assert "POLYMARKET_API_SECRET=" in secrets.read_text()
        assert secrets.stat().st_mode & 0o777 == 0o600


def _ready(world: World) -> None:
    """The venue's test wallets, with every approval that trading needs."""
    for wallet in admit_test_wallets(world):
        for shares in (CONDITIONAL_TOKENS, POSITION_MANAGER):
            for exchange in EXCHANGES:
                world.bank.set_operator(wallet.address, shares, exchange, allowed=True)


def test_every_json_block_is_a_plan_or_an_instruction_that_is_valid(cli: Cli, tmp_path: Path) -> None:
    names = []
    for block in blocks():
        if block.language != "json" or "schemaVersion" in (document := json.loads(block.text)):
            continue
        if SCRIPTS & document.keys():
            continue
        text = block.text
        if "marketId" in document:
            text = f'{{"planId": "minimal", "mode": "paper", "tradeInstructions": [{text}]}}'
        names.append(f"{block.page.replace('/', '-')}-{block.line}.json")
        (tmp_path / names[-1]).write_text(text, encoding="utf-8")
    code, out, err = cli("validate", *names)
    assert (code, err) == (0, "")
    assert [line.partition(":")[0] for line in out.splitlines()] == names


def shape(sample: Any, real: Any) -> bool:
    """Whether all that the sample has is in the real thing, of the same kind; `{}` stands for any object."""
    if isinstance(sample, dict):
        return isinstance(real, dict) and all(
            name in real and shape(value, real[name]) for name, value in sample.items()
        )
    if isinstance(sample, list):
        return isinstance(real, list) and all(shape(sample[0], each) for each in real)
    return type(sample) is type(real)


def test_json_that_is_shown_has_the_shape_of_what_comes_out(
    cli: Cli, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [json.loads(block.text) for block in blocks() if '"schemaVersion"' in block.text]
    fine, wrong = sorted(samples, key=lambda sample: "error" in sample)
    _, out, err = cli(*f"{fine['command']} 500 USDC @ 0.42 --json".split())
    assert err == ""
    assert shape(fine, json.loads(out))
    monkeypatch.setenv("DATABASE_URL", database_url)
    code, out, err = cli("orders", "show", "00000000", "--json")
    told = json.loads(err)
    assert (code, out) == (3, "")
    assert shape(wrong, told)
    assert (wrong["error"]["code"], wrong["error"]["exitCode"]) == (told["error"]["code"], code)


def test_the_complaints_about_a_plan_read_as_the_page_says(
    cli: Cli, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = [block for block in blocks("docs/plans.md") if block.language == "text"]
    *wrong, unknown = block.text.splitlines()
    (tmp_path / "plans").mkdir()
    good = {"marketId": X.slug, "outcome": "YES", "side": "BUY", "price": 0.42, "size": 50}

    def write(lines: list[dict[str, Any]], **more: Any) -> None:
        plan = {"planId": "x", "mode": "paper", "tradeInstructions": lines, **more}
        (tmp_path / "plans" / "x.json").write_text(json.dumps(plan))

    bad = [{**good, "price": 1.2}, good, {**good, "size": "12.3456789"}, {**good, "timeInForce": "GTD"}]
    write(bad, limits={"maxOrders": 5})
    _, _, told = cli("validate", "plans/x.json")
    assert [line.strip() for line in told.splitlines()[1:]] == wrong

    write([good] * 7 + [{**good, "marketId": "will-z-happen"}] * 5)
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "x.json").write_text(json.dumps(X.row()))
    monkeypatch.setenv("DATABASE_URL", database_url)
    code, _, told = cli("preview", "plans/x.json", "--books", "books")
    assert (code, told) == (3, f"error: {unknown}\n")


def test_pages_are_all_there() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/plans.md", "docs/commands.md"} <= set(PAGES)
