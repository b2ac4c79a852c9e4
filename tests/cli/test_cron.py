"""`cron`: own lines in and out of a crontab, which a bare environment can run."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from betteroms import wiring
from betteroms.adapters.crontab import python_path
from betteroms.jobs.schedule import command_line
from betteroms.settings import load
from tests.cli.conftest import ROOT, Ran
from tests.cli.crontabs import CrontabProgram, real, stand_in, throw_away_user, why_not_real, written
from tests.docs_blocks import blocks, new_user

Cli = Callable[..., Ran]

THEIRS: Final = (
    b"# m h dom mon dow command\nMAILTO=me@example.org\nSHELL=/bin/bash\r\n\n"
    b"5 4 * * * date +\\%H >'a b' 2>&1; tr -d \\\\r\n@daily caf\xc3\xa9 \xff\n# betteroms end\n"
)


@pytest.fixture(scope="session")
def user() -> Iterator[str]:
    """Somebody whose crontab nobody needs."""
    if reason := why_not_real():
        pytest.skip(reason)
    with throw_away_user() as name:
        yield name


@pytest.fixture(params=["stand-in", "real"])
def crontab(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CrontabProgram]:
    """The crontab program that commands find: both keep the same contract."""
    directory = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    if request.param == "stand-in":
        yield stand_in(directory)
        return
    with real(directory, request.getfixturevalue("user")) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with plans and settings, in which commands are typed."""
    place = tmp_path / "it's 100% mine"
    (place / "plans").mkdir(parents=True)
    local = place / ".env.local"
    local.write_text(f"DATABASE_URL={database_url}\n")
    local.chmod(0o600)
    monkeypatch.chdir(place)
    return place


def test_own_lines_go_in_and_out_and_all_others_stay_to_the_last_byte(
    cli: Cli, desk: Path, crontab: CrontabProgram
) -> None:
    crontab.put(THEIRS)
    ran = cli("cron", "install")
    assert (ran.code, ran.err) == (0, "")
    there = crontab.read()
    assert there is not None
    assert there.endswith(THEIRS)
    ours = there.removesuffix(THEIRS).decode().splitlines()
    assert ours[0::3] == ["# betteroms begin run", "# betteroms begin maintain"]
    assert ours[2::3] == ["# betteroms end"] * 2
    assert ours[1].startswith("0 * * * * ")
    assert ours[4].startswith("2-57/5 * * * * ")
    assert ran.out.splitlines() == ["installed:", *ours[1::3]]
    again = cli("cron", "install", "--json").document["result"]
    assert again == {"changed": False, "lines": ours[1::3]}
    assert crontab.read() == there
    assert cli("cron", "remove").out.splitlines() == ["removed:", *ours[1::3]]
    assert crontab.read() == THEIRS
    assert cli("cron", "remove").out == "nothing to do: no lines of ours are there\n"
    assert crontab.read() == THEIRS


def test_where_there_was_no_crontab_there_is_none_again(
    cli: Cli, desk: Path, crontab: CrontabProgram
) -> None:
    assert crontab.read() is None
    assert cli("cron", "install", "--json").document["result"]["changed"] is True
    assert crontab.read() is not None
    assert cli("cron", "remove", "--json").document["result"]["changed"] is True
    assert crontab.read() is None


def test_other_wishes_replace_own_lines(cli: Cli, desk: Path, crontab: CrontabProgram) -> None:
    crontab.put(THEIRS)
    cli("cron", "install")
    ran = cli("cron", "install", "--live", "--plans", "s3://bucket/plans", CRON_INTERVAL_MINUTES="15")
    assert (ran.code, ran.err) == (0, "note: live plans will be traded without asking\n")
    told = (crontab.read() or b"").decode(errors="replace")
    assert told.count("# betteroms begin ") == 2
    assert "\n*/15 * * * * " in told
    assert " run --plans s3://bucket/plans --quiet --yes\n" in told
    assert "different:\n\n*/15 * * * * " in cli("cron", "show").out
    cli("cron", "remove")
    assert crontab.read() == THEIRS


def test_a_line_runs_in_the_bare_environment_that_cron_gives(
    cli: Cli, desk: Path, crontab: CrontabProgram, home: Path, tmp_path: Path
) -> None:
    assert cli("cron", "install").code == 0
    surroundings = wiring.cron_surroundings(load())
    log = home / "logs" / "cron.log"
    log.unlink(missing_ok=True)
    command = command_line(surroundings, ["runs", "list", "--plan", "50% of 'it'"])
    nobodys = tmp_path / "nobody"
    nobodys.mkdir()
    bare = {"HOME": str(nobodys), "LOGNAME": "you", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    for handed in (command, command.replace("\\%", "%")):
        done = subprocess.run(
            ["/bin/sh", "-c", handed],
            env=bare,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), log.read_text()
    # It found this test's database through .env.local, and home and interpreter through the line.
    assert log.read_text() == "no runs\n" * 2
    assert list(nobodys.iterdir()) == []
    log.unlink()


def test_the_log_of_cron_lies_where_nobody_else_looks(
    cli: Cli, desk: Path, crontab: CrontabProgram, tmp_path: Path
) -> None:
    fresh = tmp_path / "new" / "home"
    cli("cron", "show", BETTEROMS_HOME=str(fresh))
    assert not fresh.exists()
    cli("cron", "install", BETTEROMS_HOME=str(fresh))
    assert stat.S_IMODE((fresh / "logs").stat().st_mode) == 0o700
    assert f" BETTEROMS_HOME={fresh} " in (crontab.read() or b"").decode()


def test_a_secret_of_the_environment_is_refused_and_named(
    cli: Cli, desk: Path, crontab: CrontabProgram
) -> None:
    (desk / ".env.local").unlink()
    ran = cli(
        "cron", "install", DATABASE_URL="postgresql://you:hunter2@db.example/oms", POLYMARKET_API_KEY="k-1"
    )
    assert (ran.code, ran.out) == (2, "")
    assert "DATABASE_URL: is set in the environment, which cron does not have" in ran.err
    assert "POLYMARKET_API_KEY: is set" in ran.err
    assert f"put it into {desk / '.env.local'}" in ran.err
    assert "hunter2" not in ran.err
    assert crontab.read() is None


def test_settings_of_the_environment_hold_under_cron_and_secrets_stay_in_the_file(
    cli: Cli, desk: Path, crontab: CrontabProgram, database_url: str
) -> None:
    ran = cli("cron", "install", BETTEROMS_MAX_ORDER_NOTIONAL_USD="50.5", BETTEROMS_HTTP_ATTEMPTS="2")
    assert ran.code == 0
    told = (crontab.read() or b"").decode()
    assert " BETTEROMS_HTTP_ATTEMPTS=2 BETTEROMS_MAX_ORDER_NOTIONAL_USD=50.5 " in told.replace(
        f" BETTEROMS_HOME={os.environ['BETTEROMS_HOME']}", ""
    )
    assert "DATABASE_URL" not in told
    assert database_url not in told
    assert "CRON_INTERVAL" not in told


def test_a_home_that_the_file_names_is_left_to_the_file(
    cli: Cli, desk: Path, crontab: CrontabProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BETTEROMS_HOME")
    with (desk / ".env.local").open("a") as file:
        file.write(f"BETTEROMS_HOME={tmp_path / 'other'}\n")
    cli("cron", "install")
    told = (crontab.read() or b"").decode()
    assert "BETTEROMS_HOME" not in told
    assert f">>{tmp_path / 'other'}/logs/cron.log" in told


def test_a_crontab_that_is_not_taken_stays_as_it_was(
    cli: Cli, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "#!/bin/sh\n[ \"$1\" = -l ] && { echo '1 1 * * * x'; exit 0; }\necho 'you may not' >&2\nexit 1\n"
    program = written(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", f"{program.directory}{os.pathsep}{os.environ['PATH']}")
    ran = cli("cron", "install")
    assert (ran.code, ran.out) == (5, "")
    assert ran.err.startswith("error: the crontab was not taken, the old one stays: you may not\nhint: ")


def test_a_crontab_that_cannot_be_read_is_not_taken_for_an_empty_one(
    cli: Cli, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = written(tmp_path / "bin", "#!/bin/sh\necho 'no room in /var/spool' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{program.directory}{os.pathsep}{os.environ['PATH']}")
    for verb in ("install", "remove"):
        ran = cli("cron", verb)
        assert ran.code == 5
        assert ran.err.startswith("error: the crontab cannot be read: no room in /var/spool\n")


def test_without_a_crontab_program_the_lines_are_shown_to_be_put_elsewhere(
    cli: Cli, desk: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    nothing = {"PATH": str(tmp_path / "empty")}
    ran = cli("cron", "install", **nothing)
    assert (ran.code, ran.out) == (5, "")
    assert ran.err == (
        "error: there is no program called crontab here\n"
        "hint: betteroms cron show prints the lines, to be put by hand where your scheduler keeps them\n"
    )
    shown = cli("cron", "show", **nothing)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.count("-m betteroms ") == 2
    assert shown.out.endswith("\nInstalled now: not known; there is no program called crontab here\n")
    told = cli("cron", "show", "--json", **nothing).document["result"]
    assert (len(told["lines"]), told["installed"], told["current"]) == (2, None, False)


def test_what_is_shown_is_what_is_installed(cli: Cli, desk: Path, crontab: CrontabProgram) -> None:
    assert cli("cron", "show").out.endswith("\nInstalled now: nothing\n")
    cli("cron", "install")
    assert cli("cron", "show").out.endswith("\nInstalled now: these\n")
    told = cli("cron", "show", "--json").document["result"]
    assert told["current"] is True
    assert told["installed"] == told["lines"]


def test_plans_that_are_not_there_are_refused_where_they_were_named(
    cli: Cli, desk: Path, crontab: CrontabProgram
) -> None:
    ran = cli("cron", "install", "--plans", "plnas")
    assert (ran.code, ran.err) == (3, f"error: {desk / 'plnas'} is no directory\n")
    assert crontab.read() is None
    (desk / "plans").rmdir()
    assert cli("cron", "install").err.startswith(f"note: there is no directory {desk / 'plans'} yet")
    assert " run --quiet\n" in (crontab.read() or b"").decode()


def test_a_crontab_without_a_last_line_break_is_written_all_the_same(
    cli: Cli, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{program.directory}{os.pathsep}{os.environ['PATH']}")
    (program.directory / "kept").write_bytes(b"1 1 * * * x")
    assert cli("cron", "install").code == 0
    assert cli("cron", "remove").code == 0
    assert program.read() == b"1 1 * * * x\n"


def test_the_page_about_cron_can_be_followed() -> None:
    with new_user() as user:
        stand_in(user.home / "bin")
        shells = [block for block in blocks("docs/cron.md") if block.language == "sh"]
        said = user.types([line for block in shells for line in block.commands], directory=user.home)
        told = {each.command: each for each in said}
        desk = user.home / "desk"
        assert told["betteroms cron show"].out.endswith("\nInstalled now: these\n")
        (shown,) = [block for block in blocks("docs/cron.md") if block.language == "text"]
        mine = told["betteroms cron install"].out.splitlines()[1]
        before, _, _ = shown.text.splitlines()[1].partition(" …")
        assert mine.startswith(before.replace("/home/you", str(user.home)))
        assert f"cd {desk} && " in mine
        assert told["betteroms cron remove"].out.startswith("removed:\n")
        assert told["betteroms logs"].err == "no lines\n"


def test_an_installed_program_needs_no_help_to_be_found(tmp_path: Path) -> None:
    assert str(ROOT) not in python_path(sys.executable, ROOT)
    assert str(ROOT) in [*python_path(sys.executable, tmp_path), *_site(tmp_path)]


def _site(directory: Path) -> list[str]:
    """Where that Python looks by itself."""
    words = [sys.executable, "-c", "import sys; print(*sys.path, sep='\\n')"]
    done = subprocess.run(words, cwd=directory, env={}, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
