"""README.md and docs/*.md name only what there is, and name all of it: links, commands, codes, numbers."""

import ast
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.cli import app
from betteroms.cli.exits import FAULTS
from betteroms.cli.render import STATUS_WORDS
from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.money import Price, Size, to_micros, to_text
from betteroms.domain.order import OrderStatus
from betteroms.domain.terms import Liquidity
from betteroms.settings import VARIABLES
from tests.docs_blocks import PAGES, ROOT, SETTINGS, blocks, page, unknown_words, without_blocks
from tests.simulation.worlds import MORNING_MS, Market

LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN: Final = re.compile(r"`([^`\n]+)`")
CODE: Final = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
PACKAGE: Final = ROOT / "betteroms"
CODED: Final = (
    "adapters/polymarket/verdicts.py",
    "domain",
    "executors",
    "sources/rules.py",
    "jobs",
    "pipeline.py",
    "cli/summary.py",
    "cli/positions.py",
)
"""Where codes are given to orders, books and positions."""
NO_CODES: Final = {*VARIABLES, "CANCELED_MARKET_RESOLVED"}
"""Words that only look like one: variables, and a status of the venue's."""
TOUR: Final = "docs/architecture.md"
CODES_PAGE: Final = "docs/refusals.md"

Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Runs a command line in this process: its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        return app.run(words), capsys.readouterr().out

    return run


def anchors(text: str) -> set[str]:
    """The places of a page that can be linked to, as GitHub names them."""
    heads = re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def spans() -> Iterator[tuple[str, str]]:
    """What is set as code within the prose: page and text."""
    for name in PAGES:
        for text in SPAN.findall(without_blocks(page(name))):
            yield name, text


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in LINK.findall(without_blocks(page(name))):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = (ROOT / name).parent / file if file else ROOT / name
        assert there.is_file(), target
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = {target.partition("#")[0] for target in LINK.findall(page("README.md"))}
    assert {name for name in PAGES if name not in linked} == {"README.md"}


def test_every_command_that_is_named_exists_with_its_options() -> None:
    typed = [
        (block.name, re.sub(r"^\$ ", "", line))
        for block in blocks()
        for line in block.text.splitlines()
        if re.match(r"(\$ )?betteroms ", line)
    ]
    named = [(name, text) for name, text in spans() if text.startswith("betteroms ")]
    assert len(typed) + len(named) > 40
    assert [(place, line) for place, line in [*typed, *named] if unknown_words(line)] == []


def test_every_variable_that_is_named_is_a_setting() -> None:
    ours = re.compile(r"\b(?:BETTEROMS|POLYMARKET|CRON)_[A-Z0-9_]+\b")
    named = {variable for name in PAGES for variable in ours.findall(page(name))}
    assert named - set(VARIABLES) == set()


def test_every_file_of_the_checkout_that_is_named_exists() -> None:
    places = re.compile(
        r"(?:plans|schemas|docs|scripts|tests)/[\w./-]*|docker-compose\.yml|\.env\.local\.example"
    )
    named = {text for _, text in spans() if places.fullmatch(text)}
    assert named
    assert {text for text in named if not (ROOT / text).exists()} == set()


def test_the_tour_of_the_code_leads_through_rooms_that_exist() -> None:
    files = {
        text for name, text in spans() if name == TOUR and re.fullmatch(r"[\w/]+\.py", text) and "/" in text
    }
    (drawing,) = blocks(TOUR)
    rooms = {line.split()[0] for line in drawing.text.splitlines()}
    there = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    assert files - there == set()
    assert {room for room in rooms if not {f"{room}.py", f"{room}/__init__.py"} & there} == set()


def codes() -> set[str]:
    """Every code that an order, a book or a position can be given."""
    found = set()
    for place in CODED:
        for path in [PACKAGE / place] if place.endswith(".py") else (PACKAGE / place).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    code = node.value.partition(":")[0]
                    found |= {code} if CODE.fullmatch(code) else set()
                elif isinstance(node, ast.keyword) and node.arg == "code":
                    given = (each for each in ast.walk(node.value) if isinstance(each, ast.Constant))
                    found |= {each.value for each in given if isinstance(each.value, str)}
    return found - NO_CODES


def documented_codes() -> set[str]:
    """The codes that the page explains: those of the first column of its tables."""
    rows = re.findall(r"^\| (`[^|]+`) \|", page(CODES_PAGE).partition("## Status words")[0], re.MULTILINE)
    return {code for row in rows for code in SPAN.findall(row)}


def test_every_code_is_documented_and_no_other() -> None:
    assert "FAK_NO_MATCH" in codes()
    assert codes() | {"DUST", "EXTERNAL"} == documented_codes()


def test_codes_are_named_elsewhere_as_they_are_documented() -> None:
    known = (
        documented_codes()
        | set(VARIABLES)
        | {"NO_COLOR", "OUTPUT_LOST", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}
        | {end.name for end in FAULTS.values()}
    )
    named = {
        code
        for name, text in spans()
        if name != CODES_PAGE
        for code in [text.partition(":")[0]]
        if CODE.fullmatch(code)
    }
    assert named - known == set()


def test_every_status_is_documented_with_the_word_that_screens_show() -> None:
    rows = re.findall(
        r"^\| `([A-Z]+)` \| ([a-z]+)", page(CODES_PAGE).partition("## Status words")[2], re.MULTILINE
    )
    assert dict(rows) == dict(STATUS_WORDS)
    assert set(STATUS_WORDS) == {status.value for status in OrderStatus}


def table_after(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    lines = text.partition(f"\n{heading}\n")[2].partition("\n|---")[2].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_worked_fees_are_what_is_charged() -> None:
    rows = table_after(page("docs/fill-model.md"), "## Fees")
    assert len(rows) == 3
    for said, worked in rows:
        size, price, rate = re.fullmatch(r"([\d.]+) shares at ([\d.]+), rate ([\d.]+)", said).groups()  # type: ignore[union-attr]
        schedule = FeeSchedule(rate=to_micros(rate))
        charged = fee(
            schedule, price=Price(to_micros(price)), size=Size(to_micros(size)), liquidity=Liquidity.TAKER
        )
        assert to_text(charged) == re.findall(r"[\d.]+", worked)[-1]


def test_the_worked_roundings_are_what_a_plan_becomes(
    cli: Cli, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = table_after(page("docs/fill-model.md"), "## What an order becomes")
    y = Market(slug="will-y-happen")
    wish = {"marketId": y.slug, "outcome": "YES", "side": "BUY", "price": 0.42, "size": 10, "ref": "0"}
    shares = {"sizeUnit": "SHARES"}
    wishes: list[tuple[dict[str, Any], str, str, str]] = [
        ({"price": 0.427}, "limitPrice", "0.427 → 0.42", "0.42"),
        ({"side": "SELL", "price": 0.427}, "limitPrice", "0.427 → 0.43", "0.43"),
        ({**shares, "size": 12.3456}, "size", "12.3456 → 12.34", "12.34"),
        ({"size": 500}, "size", "500 at 0.42 → 1190.47 shares", "1190.47"),
        ({"size": 20.129, "timeInForce": "FAK"}, "dollars", "20.129 → 20.12 dollars", "20.12"),
        ({**shares, "timeInForce": "FOK"}, "dollars", "10 at 0.42 → 4.20 dollars", "4.2"),
    ]
    assert [row[2] for row in rows] == [said for _, _, said, _ in wishes]
    lines = [{**wish, **changed, "ref": str(n)} for n, (changed, _, _, _) in enumerate(wishes)]
    plan = {"planId": "rounded", "mode": "paper", "tradeInstructions": lines}
    book = y.book(0, bids=[("0.40", "200")], asks=[("0.45", "100")], stamp=MORNING_MS)
    (tmp_path / "books").mkdir()
    for path, document in (("plan.json", plan), ("books/row.json", y.row()), ("books/book.json", book)):
        (tmp_path / path).write_text(json.dumps(document))
    monkeypatch.setenv("DATABASE_URL", database_url)
    code, out = cli("preview", "plan.json", "--books", "books", "--json")
    assert code == 5
    became = json.loads(out)["result"]["instructions"]
    assert [became[n][field] for n, (_, field, _, _) in enumerate(wishes)] == [
        value for _, _, _, value in wishes
    ]
