"""docs/sandbox.md: its commands are typed, its scripts are read, and its tables name all that there is."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from starlette.routing import Route

from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.faults.kinds import KINDS
from betteroms.sandbox.faults.script import MATCHABLE, read
from betteroms.sandbox.http import control
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.life import parse
from betteroms.sandbox.life.script import FIELDS
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.world import Options, World
from tests.docs_blocks import SHELL_LANGUAGES, Block, NewUser, blocks, new_user, page

PAGE: Final = "docs/sandbox.md"
SERVE: Final = "betteroms sandbox serve"
ADDRESS: Final = "http://127.0.0.1:8787"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    below = page(PAGE).partition(f"\n## {heading}\n")[2].partition("\n|---")[2].splitlines()[1:]
    found = []
    for line in below:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def names(cell: str) -> set[str]:
    """What is set as code in a cell."""
    return set(re.findall(r"`(\w+)`", cell))


def scripts() -> dict[str, Block]:
    """The JSON of the page, by the first of its fields that tells what it is."""
    told = {}
    for block in blocks(PAGE):
        if block.language == "json":
            document = json.loads(block.text)
            told[next(name for name in ("planId", "steps", "rules") if name in document)] = block
    return told


@contextmanager
def first_terminal(user: NewUser, command: str) -> Iterator[None]:
    """What runs in a terminal of its own until Ctrl-C."""
    program = subprocess.Popen(
        command.split(),
        cwd=user.home,
        env=user.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with program:
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            ready = program.stdout.readline()
            assert ready.startswith(f"the sandbox listens on {ADDRESS}: 7 markets"), program.stderr.read()
            yield
        finally:
            program.terminate()
        assert program.wait(timeout=30) == 0


def test_the_rehearsal_can_be_typed() -> None:
    first, *others = [block for block in blocks(PAGE) if block.language in SHELL_LANGUAGES]
    assert first.commands == [SERVE]
    commands: list[str] = []
    with new_user() as user, first_terminal(user, SERVE):
        (user.home / "plan").write_text(scripts()["planId"].text, encoding="utf-8")
        for block in others:
            commands += block.commands
            if commands[-1] == "betteroms doctor":
                commands.append("cp ../plan snow.json")
        told = {said.command: said for said in user.types(commands, directory=user.home)}
        seen = httpx.get(f"{ADDRESS}/sandbox/audit").json()
    assert f"{ADDRESS} answers OK" in told["betteroms doctor"].out
    assert told["betteroms trade snow.json"].out.startswith("rehearsal · paper · completed\n")
    assert "2 instructions: 2 filled\n" in told["betteroms trade snow.json"].out
    assert "BROKEN" not in told["betteroms sandbox audit"].out
    assert "will-it-snow-in-zurich-this-month paid $" in told["betteroms maintain"].out
    assert seen["counts"]["trades"] == 0
    assert {said.err for said in told.values()} == {""}


def test_the_script_of_counterparties_is_one() -> None:
    world = World(Options(), MachineClock())
    seed_world(world, None)
    script = parse(scripts()["steps"].text, world.exchange.markets)
    assert len(script.steps) == 4


def test_the_script_of_faults_is_one() -> None:
    venue = create_app(World(Options(), MachineClock())).venue
    assert len(read(json.loads(scripts()["rules"].text), endpoints=venue.endpoints).rules) == 5


def test_every_step_is_in_the_table_with_its_fields() -> None:
    told = {cells[0].strip("`"): names(cells[2]) for cells in rows("What happens besides you")}
    assert told == {do: set(fields) for do, fields in FIELDS.items()}


def test_every_fault_is_in_the_table_with_its_parameters() -> None:
    told = {cells[0].strip("`"): names(cells[2]) for cells in rows("What goes wrong")}
    assert told == {fault: set(kind.parameters) for fault, kind in KINDS.items()}
    assert set(MATCHABLE) <= names(page(PAGE).partition("## What goes wrong")[2].partition("\n| ")[0])


def test_every_path_behind_the_venues_back_is_in_the_table() -> None:
    told = {cells[0].replace("`", "") for cells in rows("Behind its back")}
    there = {
        f"{method} {route.path}"
        for route in control.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert told == there


def test_nothing_of_the_page_is_a_path_of_this_machine() -> None:
    assert str(Path.home()) not in page(PAGE)
