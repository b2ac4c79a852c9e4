"""The log file: whole lines from several processes, rotation that loses none, and no run that it breaks."""

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from betteroms.adapters.logs import (
    CRON_LOG,
    CRON_LOG_BYTES_MAX,
    FILES_KEPT,
    HELD_LINES_MAX,
    JOURNAL,
    LOCK,
    JournalFile,
    log_directory,
    read,
)
from betteroms.domain.ids import OrderId, RunId
from betteroms.domain.secret import Secret

RUN = RunId("8e8d28d0-0000-5000-8000-000000000000")
ORDER = OrderId("f52b1f2f-0000-5000-8000-000000000000")
ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from betteroms.adapters.logs import JournalFile
class Noon:
    def now(self):
        return datetime(2026, 11, 20, 12, tzinfo=UTC)
place, name, count, most = sys.argv[1:]
log = JournalFile(Path(place), clock=Noon(), complain=sys.exit, bytes_max=int(most))
for number in range(int(count)):
    log.note("counted", writer=name, number=number)
"""


class Ticking:
    """A clock that moves a second at each look."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def journal(tmp_path: Path, complaints: list[str]) -> Callable[..., JournalFile]:
    """Opens the log of a home."""

    def opened(**more: Any) -> JournalFile:
        place = log_directory(tmp_path / "home")
        return JournalFile(place, clock=Ticking(), complain=complaints.append, **more)

    return opened


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return log_directory(tmp_path / "home")


def test_a_line_tells_when_how_grave_what_and_whose(journal: Callable[..., JournalFile], place: Path) -> None:
    log = journal()
    log.note("order_filled", run_id=RUN, order_id=ORDER, level="warning", filled="1.5", line=3, code=None)
    assert not (place / JOURNAL).exists()
    log.flush()
    assert (place / JOURNAL).read_text() == (
        '{"at":"2026-11-20T12:00:01.000Z","level":"warning","event":"order_filled",'
        f'"runId":"{RUN}","orderId":"{ORDER}","filled":"1.5","line":3}}\n'
    )
    log.note("run_completed", run_id=RUN, plan_id="june")
    assert json.loads((place / JOURNAL).read_text().splitlines()[1])["planId"] == "june"


def test_only_the_owner_can_read_it(journal: Callable[..., JournalFile], place: Path) -> None:
    umask = os.umask(0)
    try:
        journal().note("x")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((place / JOURNAL).stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_lines_about_orders_are_written_together(journal: Callable[..., JournalFile], place: Path) -> None:
    log = journal()
    for _ in range(HELD_LINES_MAX - 1):
        log.note("order_placed", order_id=ORDER)
    assert not (place / JOURNAL).exists()
    log.note("order_placed", order_id=ORDER)
    assert len((place / JOURNAL).read_text().splitlines()) == HELD_LINES_MAX


def test_each_line_can_be_listened_to(journal: Callable[..., JournalFile]) -> None:
    heard: list[Any] = []
    journal(echo=heard.append).note("order_placed", order_id=ORDER)
    assert [row["event"] for row in heard] == ["order_placed"]


def test_no_secret_gets_in(journal: Callable[..., JournalFile], place: Path) -> None:
    url = "postgresql://you:hunter22@db.example/oms"
    log = journal(secrets=[url, "hunter22", 'qu"ote\\d', "x"])
    log.note("a", text=f"cannot reach {url}", password="hunter22", other='say qu"ote\\d')
    log.note("b", key=Secret("4f4f4f"))  # type: ignore[arg-type]
    told = (place / JOURNAL).read_text()
    assert [json.loads(line) for line in told.splitlines()] == [
        {
            "at": "2026-11-20T12:00:01.000Z",
            "level": "info",
            "event": "a",
            "text": "cannot reach ***",
            "password": "***",
            "other": "say ***",
        },
        {"at": "2026-11-20T12:00:02.000Z", "level": "info", "event": "b", "key": "***"},
    ]


def test_whatever_is_told_is_one_line(journal: Callable[..., JournalFile], place: Path) -> None:
    text = "two\nlines\u2028 and \x1b[2J \udcff"
    journal().note("x", text=text)
    (line,) = (place / JOURNAL).read_bytes().splitlines()
    assert json.loads(line)["text"] == text
    assert line.isascii()


def test_a_full_file_is_put_aside_and_the_oldest_goes(
    journal: Callable[..., JournalFile], place: Path
) -> None:
    log = journal(bytes_max=100)
    for number in range(10):
        log.note("counted", number=number)
    names = {path.name for path in place.iterdir()} - {LOCK}
    assert names == {JOURNAL, *(f"{JOURNAL}.{number}" for number in range(1, FILES_KEPT + 1))}
    assert [row["number"] for row in read(place) if row] == [4, 5, 6, 7, 8, 9]


def test_two_processes_lose_no_line_while_files_are_put_aside(tmp_path: Path) -> None:
    place, count, most = log_directory(tmp_path / "home"), 400, 20_000
    words = [sys.executable, "-W", "error", "-c", WRITER, str(place)]
    writers = [
        subprocess.Popen([*words, name, str(count), str(most)], cwd=ROOT, stderr=subprocess.PIPE)
        for name in ("run", "maintain")
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=60)
        assert (writer.returncode, err) == (0, b"")
    assert 2 < len(list(place.iterdir())) <= FILES_KEPT + 2
    rows = list(read(place))
    assert None not in rows
    for name in ("run", "maintain"):
        assert [row["number"] for row in rows if row and row["writer"] == name] == list(range(count))


def test_a_home_that_cannot_be_written_to_is_told_once(
    journal: Callable[..., JournalFile], tmp_path: Path, complaints: list[str], place: Path
) -> None:
    (tmp_path / "home").write_text("a file")
    log = journal()
    for _ in range(3):
        log.note("x")
    assert len(complaints) == 1
    assert complaints[0].startswith(f"the log in {place} cannot be written: ")


def test_a_full_disk_is_told_once(
    journal: Callable[..., JournalFile], complaints: list[str], place: Path
) -> None:
    place.mkdir(parents=True)
    (place / JOURNAL).symlink_to("/dev/full")
    log = journal()
    for _ in range(3):
        log.note("x")
    assert complaints == [f"the log in {place} cannot be written: No space left on device"]


def test_a_disk_that_fills_within_a_line_keeps_none_of_it(tmp_path: Path) -> None:
    place = log_directory(tmp_path / "home")
    limit = 400

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-B", "-c", WRITER, str(place), "run", "100", "1000000"],
        cwd=ROOT,
        preexec_fn=small_files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be written: " in done.stderr
    told = (place / JOURNAL).read_text()
    assert told.endswith("}\n")
    assert [row["number"] for row in read(place) if row] == list(range(told.count("\n")))


def test_half_a_line_spoils_only_itself(journal: Callable[..., JournalFile], place: Path) -> None:
    place.mkdir(parents=True)
    (place / JOURNAL).write_bytes(b'{"at":"2026-11-20T12:00:00Z","lev')
    journal().note("x")
    assert [row["event"] if row else None for row in read(place)] == [None, "x"]


def test_lines_that_are_none_of_ours_are_known_for_what_they_are(place: Path) -> None:
    place.mkdir(parents=True)
    (place / JOURNAL).write_bytes(b'nonsense\n[]\n{"at":1}\n\xff\n')
    assert list(read(place)) == [None] * 4


def test_a_process_that_hangs_makes_no_other_one_hang(tmp_path: Path) -> None:
    place = log_directory(tmp_path / "home")
    place.mkdir(parents=True)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import fcntl\nf = open({str(place / LOCK)!r}, 'w')\nfcntl.flock(f, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\ninput()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        JournalFile(place, clock=Ticking(), complain=pytest.fail, bytes_max=1).note("x")
        holder.kill()
    assert [row["event"] for row in read(place) if row] == ["x"]


def test_what_cron_printed_is_put_aside_once_it_is_long(
    journal: Callable[..., JournalFile], place: Path
) -> None:
    place.mkdir(parents=True)
    log = place / CRON_LOG
    log.write_bytes(b"x" * CRON_LOG_BYTES_MAX)
    journal().bound_cron_log()
    assert log.exists()
    log.write_bytes(b"x" * (CRON_LOG_BYTES_MAX + 1))
    journal().bound_cron_log()
    assert not log.exists()
    assert log.with_name("cron.log.1").stat().st_size == CRON_LOG_BYTES_MAX + 1
