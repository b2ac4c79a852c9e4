"""A page of instructions, and an operator who types what it says and compares the screens it shows."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from tests.cli.conftest import Ran
from tests.docs_blocks import Block, blocks, page
from tests.live.world import Operator

ADDRESS: Final = "http://127.0.0.1:8787"
"""Where pages say that the sandbox is."""
REHEARSED: Final = ("curl ", "BETTEROMS_HOME=")
"""How lines begin that bring a bad day about."""
SECOND: Final = re.compile(r"BETTEROMS_HOME=\S+ ")
AT_VENUE: Final = ("OPEN", "FILLED", "CANCELED", "EXPIRED")
ORDER: Final = r"([0-9a-f]{8})"


def by_heading(name: str) -> dict[str, list[Block]]:
    """A page's code blocks, by the nearest heading above each; headings without blocks are left out."""
    lines = page(name).splitlines()

    def heading(block: Block) -> str:
        above = (line for line in reversed(lines[: block.line]) if re.match(r"#+ ", line))
        return next(above).lstrip("# ")

    return {found: list(under) for found, under in groupby(blocks(name), key=heading)}


def sessions(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a block with the screen that follows it, which is empty where none is shown."""
    if block.language != "console":
        yield from ((command, "") for command in block.commands)
        return
    for part in block.text.split("$ ")[1:]:
        command, _, screen = part.partition("\n")
        yield command, screen


class Walk:
    """Somebody who has a page before them, and types what is below its headings, block by block.

    `elsewhere` is what the environment of a second installation differs in, for those days that need one.
    """

    def __init__(self, name: str, operator: Operator) -> None:
        self.elsewhere: dict[str, str] = {}
        self._operator = operator
        under = by_heading(name)
        self._left = {
            heading: [block for block in found if not is_rehearsal(block)] for heading, found in under.items()
        }
        self._staged = {
            heading: [line for block in found if is_rehearsal(block) for line in block.commands]
            for heading, found in under.items()
        }
        self._begun: set[str] = set()
        self._order = ""

    def rehearses(self, heading: str, *, lines: int = 1) -> None:
        """Do the next of the lines that bring the day about, or end it."""
        for _ in range(lines):
            command = self._staged[heading].pop(0)
            ran = self._run(command)
            assert ran.code == 0, (command, ran)

    def types(self, heading: str) -> list[Ran]:
        """Type the next block below a heading; every screen must be the one that is shown."""
        self._begun.add(heading)
        done: list[Ran] = []
        code = 0
        for command, screen in sessions(self._left[heading].pop(0)):
            if command == "echo $?":
                assert screen == f"{code}\n", (heading, done[-1])
                continue
            ran = self._run(command.replace("ORDER", self._order))
            done.append(ran)
            code = ran.code
            if screen:
                self._compare(command, screen, ran)
            else:
                assert code == 0, (command, ran)
        return done

    def is_over(self, *, strangers: int = 0) -> None:
        """Nothing was left out, and the books agree: ours with the venue's, and the venue's with themselves.

        `strangers` is of how many orders at the venue the ledger may not know.
        """
        assert {heading: self._left[heading] for heading in self._begun if self._left[heading]} == {}
        polled, verified, _ = self.types("When it is over")
        assert "differ" not in polled.out, polled.out
        assert "all agree" in verified.out
        ours = [
            row["externalOrderId"]
            for row in self._operator("orders", "list", "--json").rows
            if row["mode"] == "live" and row["status"] in AT_VENUE
        ]
        there = [order["id"] for order in self._operator.orders()]
        assert len(set(ours)) == len(ours)
        assert set(ours) <= set(there)
        assert len(there) == len(ours) + strangers
        audit = self._operator.venue.get("/sandbox/audit")
        assert [each for each in audit["invariants"] if not each["holds"]] == []

    def _run(self, command: str) -> Ran:
        if command.startswith("curl "):
            command = command.replace(ADDRESS, self._operator.venue.url)
            done = subprocess.run(
                ["sh", "-c", command.replace("WALLET", self._operator.wallet.address)],
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert '"complaints"' not in done.stdout, done.stdout
            return Ran(code=done.returncode, out=done.stdout, err=done.stderr)
        elsewhere = SECOND.match(command)
        program, *words = shlex.split(command[elsewhere.end() :] if elsewhere else command)
        assert program == "betteroms", command
        return self._operator(*words, **(self.elsewhere if elsewhere else {}))

    def _compare(self, command: str, screen: str, ran: Ran) -> None:
        """`…` on a line of its own stands for any number of lines, and within a line for any text."""
        told = squeezed(ran.out + ran.err)
        found = re.fullmatch(pattern(squeezed(screen)), told)
        assert found, f"{command}\n{screen}\n--- came out as\n{ran.out}{ran.err}"
        names = [name for name in found.groups() if name]
        if " trade " in command:
            self._order = names[0] if names else ""
        assert set(names) <= {self._order} or " trade " in command


def is_rehearsal(block: Block) -> bool:
    """Whether it brings the bad day about: the venue's part, or that of a second installation."""
    return block.text.startswith(REHEARSED)


def squeezed(screen: str) -> str:
    """The screen with single blanks, without empty lines, and with what was wrapped in one line again."""
    whole = re.sub(r"\n {6}(?=\S)", " ", screen)
    lines = [re.sub(r" +", " ", line).strip() for line in whole.splitlines()]
    return "".join(f"{line}\n" for line in lines if line)


def pattern(screen: str) -> str:
    """What matches every screen that this one stands for."""
    parts = [r"(?:.*\n)*?" if line == "…" else f"{_line(line)}\n" for line in screen.splitlines()]
    return "".join(parts)


def _line(line: str) -> str:
    return re.escape(line).replace("…", ".*").replace("ORDER", ORDER)
