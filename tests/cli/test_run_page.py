"""`runs report`: the page is whole, fetches nothing, tells what the run told, and names stay mere text."""

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psycopg
import pytest

from betteroms import wiring
from betteroms.cli.page import run_page as page
from betteroms.cli.refusals import WORDS, in_words
from betteroms.jobs.run_page import run_page
from betteroms.settings import load
from tests.cli.conftest import ROOT, Ran
from tests.cli.test_trade import LINES
from tests.cli.worlds import SNOW, instruction

VOID = {"meta", "br", "hr", "img", "input", "link"}
HARM = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'\u202e\x07{x}$style"
NAMES = {
    "planId", "planFile", "marketId", "outcome", "ref", "notes", "reason", "error", "name", "orderId",
    "tokenId", "bookId", "hashCheck", "engineVersion", "contentHash", "runId", "shortId", "side", "code",
    "markFlag", "kind", "exempt", "adjustments", "warnings",
}  # fmt: skip


class Parsed(HTMLParser):
    """A page as a reader sees it: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every tag that is opened is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words, with single blanks."""
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def june(traded: Callable[..., Ran]) -> Ran:
    """The plan of six lines, carried out."""
    return traded(*LINES)


@pytest.fixture
def written(cli: Callable[..., Ran], tmp_path: Path) -> Callable[..., Parsed]:
    """Writes the page of a run and reads it."""

    def write(run: str = "june") -> Parsed:
        ran = cli("runs", "report", run, "--html", "page.html", "--force")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == f"page.html: {(tmp_path / 'page.html').stat().st_size:,} bytes\n"
        return Parsed((tmp_path / "page.html").read_text(encoding="utf-8"))

    return write


@pytest.mark.usefixtures("june")
def test_the_page_tells_what_the_run_told(written: Callable[..., Parsed], cli: Callable[..., Ran]) -> None:
    text = written().text
    refused = cli("runs", "show", "june", "--json").document["result"]["summary"]["result"]["refused"]
    assert len(refused) >= 3
    for words in (
        *(f"{code} {count}: {in_words(code)}" for code, count in refused.items()),
        "june",
        "completed",
        "6 instructions",
        "2 filled",
        "1 resting",
        "$297.79 traded",
        "$8.46 fees",
        "$14.71 slippage against mid",
        "232.55 @ 0.42, taker, fee 2.83245",
        "the market is closed or takes no orders ( MARKET_CLOSED",
        "market=did-it-hail-in-bregenz closed=true acceptingOrders=false",
        "PRICE_ROUNDED: from=0.4477 to=0.44",
        "“two levels would be there”",
        "690.43409 297.79 0.41",
        "verified",
        "recorded books stood in for the venue's: 3 of 3",
        "BETTEROMS_PAPER_CASH 10000",
        "betteroms runs replay june",
        "betteroms explain ",
    ):
        assert words in text, words


@pytest.mark.usefixtures("june")
def test_the_page_is_whole_and_fetches_nothing(written: Callable[..., Parsed]) -> None:
    parsed = written()
    assert parsed.tags[:3] == ["html", "head", "meta"]
    assert {"script", "link", "img", "iframe", "object", "a", "base", "form"}.isdisjoint(parsed.tags)
    names = {name for _, name, _ in parsed.attributes}
    assert {"src", "href", "srcset", "action", "style", "data"}.isdisjoint(names)
    assert not any(name.startswith("on") for name in names)
    values = " ".join(value or "" for _, _, value in parsed.attributes)
    assert "://" not in values
    policy = next(
        value for tag, name, value in parsed.attributes if tag == "meta" and "default-src" in (value or "")
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.usefixtures("june")
def test_its_style_fetches_nothing_and_knows_dark_phone_and_paper(
    written: Callable[..., Parsed], tmp_path: Path
) -> None:
    written()
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    for wanted in ("prefers-color-scheme: dark", "max-width: 44rem", "@media print"):
        assert wanted in style
    assert style.count("{") == style.count("}")


@pytest.mark.usefixtures("june")
def test_the_same_page_comes_out_each_time_but_for_when_it_was_made(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    pages = []
    for name in ("a.html", "b.html"):
        cli("runs", "report", "june", "--html", name)
        pages.append(re.sub(r"Made by betteroms at [\d: -]+", "", (tmp_path / name).read_text("utf-8")))
    assert pages[0] == pages[1]


def harmed(value: Any, name: str = "") -> Any:
    """The same facts, where every name and note means harm."""
    if isinstance(value, Mapping):
        if name == "settings":
            return {f"{key}{HARM}": f"{each}{HARM}" for key, each in value.items()}
        return {key: harmed(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [harmed(each, name) for each in value]
    return f"{value}{HARM}" if isinstance(value, str) and name in NAMES else value


@pytest.mark.usefixtures("june")
def test_hostile_names_stay_text(surroundings: Mapping[str, str]) -> None:
    settings = load()
    now = wiring.clock().now()
    with wiring.records(settings, name="test") as records:
        told = run_page(records, "june", now=now)
    plain, hostile = Parsed(page(told)), Parsed(page(harmed(told)))
    assert hostile.tags == plain.tags
    assert [(tag, name) for tag, name, _ in hostile.attributes] == [
        (tag, name) for tag, name, _ in plain.attributes
    ]
    shown = HARM.replace("\u202e", "\ufffd").replace("\x07", "\ufffd")
    assert re.sub(r"\s+", " ", shown) in hostile.text
    assert "\u202e" not in hostile.text


@pytest.mark.usefixtures("june")
def test_what_has_become_of_an_order_since_is_told(
    written: Callable[..., Parsed], sql: psycopg.Connection[Any]
) -> None:
    assert "since then" not in written().text.replace("“since then”", "")
    sql.execute("UPDATE orders SET status = 'CANCELED', code = 'CANCEL_AFTER' WHERE status = 'OPEN'")
    assert "since then: cancelled, 0 filled" in written().text


def test_a_run_without_a_fill_has_a_page(traded: Callable[..., Ran], written: Callable[..., Parsed]) -> None:
    traded(instruction(SNOW, price=0.3))
    text = written().text
    assert "1 resting" in text
    assert "Slippage" not in text
    assert "Positions in these markets" not in text


def test_a_run_that_failed_has_a_page_with_what_there_is(
    traded: Callable[..., Ran], written: Callable[..., Parsed], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    sql.execute(
        "UPDATE runs SET status = 'failed', summary_json = NULL, error_message = 'the <venue> was gone'"
    )
    text = written().text
    assert "error the <venue> was gone" in text
    assert "Orders so far" in text
    assert "BUY Yes" in text
    assert "replay" not in text


def test_a_summary_of_another_kind_is_shown_as_it_was_kept(
    traded: Callable[..., Ran], written: Callable[..., Parsed], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    sql.execute(
        "UPDATE runs SET kind = 'rules', plan_id = NULL, plan_file = NULL, content_hash = NULL, "
        """summary_json = '{"result": {"expired": ["<b>"]}, "timing": {"durationMs": 1200}}'"""
    )
    row = sql.execute("SELECT run_id::text FROM runs").fetchone()
    assert row is not None
    text = written(row[0][:8]).text
    assert text.strip().startswith("rules · run")
    assert '"expired": [ "<b>" ]' in text
    assert "1.20 s" in text


def test_maintenance_and_scheduled_runs_have_pages_that_tell_what_they_told(
    cli: Callable[..., Ran],
    traded: Callable[..., Ran],
    written: Callable[..., Parsed],
    books: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traded(instruction(price=0.41))
    assert cli("maintain", "--books", str(books)).code == 0
    assert cli("run", "--books", str(books)).code == 0
    rows = {row["kind"]: row["runId"] for row in cli("runs", "list", "--json").rows}
    monkeypatch.setenv("FORCE_COLOR", "1")
    pages = {kind: written(run_id[:8]).text for kind, run_id in rows.items()}
    assert not [page for page in pages.values() if "\x1b" in page or "[1m" in page]
    assert "maintain · paper · completed" in pages["maintain"]
    assert "1 still resting" in pages["maintain"]
    assert "no plan is due" in pages["run"]
    assert "net liquidation" in pages["run"]


def test_a_run_that_does_not_exist_leaves_no_file(cli: Callable[..., Ran], tmp_path: Path) -> None:
    ran = cli("runs", "report", "nowhere", "--html", "page.html")
    assert (ran.code, ran.out) == (3, "")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.usefixtures("june")
def test_a_page_that_is_there_is_kept_unless_force_says_otherwise(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text("mine")
    ran = cli("runs", "report", "june", "--html", "page.html", "--json")
    assert (ran.code, ran.error["code"]) == (2, "OUTPUT_REFUSED")
    assert (tmp_path / "page.html").read_text() == "mine"
    told = cli("runs", "report", "june", "--html", "page.html", "--json", "--force").document
    assert told["command"] == "runs report"
    assert told["result"]["sizeBytes"] == (tmp_path / "page.html").stat().st_size


def test_every_code_that_refuses_has_words() -> None:
    text = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    parts = [
        text.partition(f"\n## {head}\n")[2].partition("\n## ")[0]
        for head in ("Denied", "Rejected and cancelled")
    ]
    rows = re.findall(r"^\| (`[^|]+`) \|", "".join(parts), re.MULTILINE)
    codes = {code for row in rows for code in re.findall(r"`([A-Z_]+)`", row)}
    assert codes - set(WORDS) == set()
    assert in_words("SOMETHING_NEW") == "something new"
