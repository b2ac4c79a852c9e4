"""docs/sandbox.md: its commands are typed, its scripts are read, and its tables name all that there is."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from starlette.routing import Route

from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.faults.kinds import KINDS
from betteroms.sandbox.faults.script import MATCHABLE, read
from betteroms.sandbox.http import control
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.life import parse
from betteroms.sandbox.life.script import FIELDS
from betteroms.sandbox.seeding import seed_world, test_wallets
from betteroms.sandbox.world import Options, World
from tests.docs_blocks import SHELL_LANGUAGES, Block, NewUser, blocks, new_user, page

PAGE: Final = "docs/sandbox.md"
SERVE: Final = "betteroms sandbox serve"
ADDRESS: Final = "http://127.0.0.1:8787"
WAITING_SECONDS_MAX: Final = 120


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


def wait_for_the_port() -> None:
    """The tests of another checkout may be typing the same page."""
    host, port = ADDRESS.removeprefix("http://").split(":")
    deadline = time.monotonic() + WAITING_SECONDS_MAX
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))):
                return
        time.sleep(0.5)


@contextmanager
def first_terminal(user: NewUser, command: str) -> Iterator[None]:
    """What runs in a terminal of its own until Ctrl-C."""
    wait_for_the_port()
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


def test_the_rehearsal_can_be_typed_from_the_first_look_to_a_live_trade_that_is_paid() -> None:
    first, *others = [block for block in blocks(PAGE) if block.language in SHELL_LANGUAGES]
    assert first.commands == [SERVE]
    with new_user() as user, first_terminal(user, SERVE):
        (user.home / "plan").write_text(scripts()["planId"].text, encoding="utf-8")
        saved = ["cp ../plan snow.json"]
        commands = [*others[0].commands, *saved, *(line for block in others[1:] for line in block.commands)]
        typed = user.types(commands, directory=user.home)
        seen = httpx.get(f"{ADDRESS}/sandbox/audit").json()
    assert {said.command: said.err for said in typed if said.err} == {}
    told: dict[str, list[str]] = {}
    for said in typed:
        told.setdefault(said.command, []).append(said.out)
    on_paper(told)
    live(told)
    assert seen["counts"]["trades"] == 2
    assert {status for _, _, status in sent(seen)} == {"MATCHED"}
    assert all(each["holds"] for each in seen["invariants"])


def on_paper(told: Mapping[str, list[str]]) -> None:
    """What the first half of the rehearsal comes to: nothing that the venue would know."""
    looked, ready = told["betteroms doctor"]
    assert f"{ADDRESS} answers OK" in looked
    assert "warning" not in ready
    assert told["betteroms trade snow.json"][0].startswith("rehearsal · paper · completed\n")
    assert "2 instructions: 2 filled\n" in told["betteroms trade snow.json"][0]
    before, after = told["betteroms sandbox audit"]
    assert "BROKEN" not in before + after
    assert ("\nOrders\n" in before, "\nOrders\n" in after) == (False, True)


def live(told: Mapping[str, list[str]]) -> None:
    """What the second half comes to: two orders that the venue took, once, and books that agree."""
    in_the_shadow, really = told["betteroms trade live.json"], told["betteroms trade live.json --yes"]
    assert in_the_shadow[0].startswith("rehearsal · shadow · completed\n")
    assert really[0].startswith("rehearsal · live · completed\n")
    assert "2 instructions: 2 filled\n" in really[0]
    assert "2 positions as the venue has them" in told["betteroms poll"][0]
    told_twice = told["betteroms portfolio show --mode live"]
    assert "differ" not in told["betteroms poll"][0] + told_twice[0] + told_twice[1]
    assert told["betteroms maintain"][0].count("will-it-snow-in-zurich-this-month paid $") == 3
    assert told["betteroms live off"][0].startswith("the live switch is OFF (was ON)")


def sent(seen: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The orders of the wallet that the rehearsal trades for: id, side, status."""
    (mine,) = [wallet.address for wallet in test_wallets(0) if wallet.name == "deposit"]
    found = [(row["id"], row["side"], row["status"]) for row in seen["orders"] if row["maker"] == mine]
    assert len(found) == 2
    return found


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
