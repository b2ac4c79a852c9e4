"""A crontab's text with our lines in it and out of it again: nobody else's are touched."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from betteroms.domain.errors import CrontabUnusable
from betteroms.jobs.schedule import (
    BEGIN,
    END,
    Entry,
    Surroundings,
    command_line,
    entries,
    every,
    install,
    installed,
    remove,
)

RUN = Entry(name="run", when="0 * * * *", command="run it")
MAINTAIN = Entry(name="maintain", when="2-57/5 * * * *", command="maintain it")
BOTH = [RUN, MAINTAIN]
HERE = Surroundings(
    python="/opt/py/bin/python",
    directory=Path("/home/you/desk"),
    log=Path("/home/you/oms/logs/cron.log"),
    environment={"BETTEROMS_HOME": "/home/you/oms"},
)

LINES = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "MAILTO=me@example.org",
            "SHELL=/usr/bin/fish",
            "# a note",
            END,
            "# betteroms beginning",
            "\t",
            "@daily x",
        ]
    ),
    st.builds("{} * * * * {}".format, st.integers(0, 59), st.text()),
)
FOREIGN = (
    st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\n\n", ""])))
    .map(lambda lines: "".join(line + end for line, end in lines))
    .filter(lambda text: f"\n{BEGIN}" not in f"\n{text}")
)
ENTRIES = st.lists(
    st.sampled_from([RUN, MAINTAIN, Entry(name="run", when="*/5 * * * *", command="run more")]),
    unique_by=lambda entry: entry.name,
    min_size=1,
)


@given(FOREIGN, ENTRIES)
@example("5 4 * * * no line break at the end", BOTH)
@example("", BOTH)
@example("\r\n\r\n5 4 * * * date +\\%H \r\n", BOTH)
def test_what_was_installed_and_removed_leaves_every_byte_as_it_was(text: str, wanted: list[Entry]) -> None:
    assert remove(install(text, wanted)) == text


@given(FOREIGN, ENTRIES, ENTRIES)
def test_installing_again_changes_nothing_and_other_lines_replace_ours(
    text: str, first: list[Entry], second: list[Entry]
) -> None:
    once = install(text, first)
    assert install(once, first) == once
    other = install(once, second)
    assert sorted(installed(other)) == sorted(entry.line for entry in second)
    assert remove(other) == text


@given(FOREIGN)
def test_removing_where_nothing_is_ours_changes_nothing(text: str) -> None:
    assert remove(text) == text
    assert installed(text) == []


def test_a_block_that_was_moved_stays_where_it_is() -> None:
    text = f"MAILTO=me\n{RUN.block}1 1 * * * mine\n"
    changed = Entry(name="run", when="*/15 * * * *", command="run it")
    assert install(text, [changed]) == f"MAILTO=me\n{changed.block}1 1 * * * mine\n"


def test_our_lines_are_ours_also_after_an_editor_that_writes_other_line_ends() -> None:
    text = f"x\n{RUN.block}".replace("\n", "\r\n")
    assert installed(text) == [RUN.line]
    assert remove(text) == "x\r\n"
    assert remove(f"x\n{RUN.block}".rstrip("\n")) == "x\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}run\n",
        f"{BEGIN}run\n0 * * * * run it\n",
        f"{BEGIN}run\n{END}\n",
        f"{BEGIN}run\n0 * * * * run it\n5 5 * * * somebody else's\n{END}\n",
        f"{BEGIN}run\n{RUN.block}",
    ],
)
def test_a_block_that_somebody_wrote_into_is_not_touched(text: str) -> None:
    whole = f"MAILTO=me\n{text}"
    for change in (lambda: install(whole, BOTH), lambda: remove(whole), lambda: installed(whole)):
        with pytest.raises(CrontabUnusable, match=r"^line 2 of the crontab is '# betteroms begin run'"):
            change()


@pytest.mark.parametrize("minutes", [m for m in range(1, 1441) if not 60 % m or not (m % 60 or 1440 % m)])
def test_each_interval_comes_as_often_as_it_says(minutes: int) -> None:
    minute, hour, *rest = every(minutes).split()
    assert rest == ["*", "*", "*"]

    def times(field: str, count: int) -> list[int]:
        if field == "*" or field.startswith("*/"):
            return list(range(0, count, int(field[2:] or 1)))
        return [int(field)]

    called = [60 * h + m for h in times(hour, 24) for m in times(minute, 60)]
    assert called == list(range(0, 1440, minutes))


def test_the_lines_name_everything_in_full_and_ask_for_no_lock() -> None:
    run, maintain = entries(HERE, interval=60, plans=["/home/you/desk/plans"], live=False)
    start = (
        "exec >>/home/you/oms/logs/cron.log 2>&1; cd /home/you/desk && "
        "BETTEROMS_HOME=/home/you/oms /opt/py/bin/python -m betteroms"
    )
    assert run.line == f"0 * * * * {start} run --plans /home/you/desk/plans --quiet"
    assert maintain.line == f"2-57/5 * * * * {start} maintain --quiet"


def test_only_live_lets_cron_say_yes() -> None:
    for live in (False, True):
        run, maintain = entries(HERE, interval=5, plans=["s3://bucket/plans", "/b"], live=live)
        assert ("--yes" in run.line.split()) is live
        assert "--yes" not in maintain.line
        assert " run --plans s3://bucket/plans --plans /b --quiet" in run.line
        assert " run --quiet" in entries(HERE, interval=5, plans=[], live=live)[0].line


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\\"), max_size=30
)


@given(WORDS)
@example('it\'s 100% "mine" & $(yours) `x` ; # ~')
@example("%%'%")
@example("")
def test_a_word_comes_through_cron_and_its_shell(word: str) -> None:
    command = command_line(HERE, [word]).rpartition(" -m betteroms ")[2]
    assert not re.search(r"(?<!\\)%", command), "cron would end the command there"
    # Most crons take the backslash before a per cent sign away, some leave it to the shell.
    for handed in (command, command.replace("\\%", "%")):
        done = subprocess.run(["sh", "-c", f"printf %s {handed}"], capture_output=True, check=True)
        assert done.stdout.decode() == word


@pytest.mark.parametrize("word", ["a\\b", "a\nb", "a\x00b", "\x7f"])
def test_what_no_crontab_can_hold_is_refused(word: str) -> None:
    with pytest.raises(CrontabUnusable, match="cannot hold"):
        command_line(HERE, [word])
