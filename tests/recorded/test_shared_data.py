"""The recordings that lie beside a checkout, where they do: every book in them loads, every hash is judged.

What is expected of a file follows from what it holds, found here by a walk of its own.
"""

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.adapters.exact_json import decode
from betteroms.adapters.polymarket.parse import Unparsable, market_payload, parse_book, parse_market
from betteroms.adapters.recorded.venue import RecordedVenue
from betteroms.domain.book import HashCheck
from betteroms.domain.market import Market
from tests.polymarket.samples import NOW, StepClock

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no shared recordings beside this checkout")

PACKED_BYTES_MAX: Final = 1_000_000
"""Greater files hold trades and ticks by the hundred thousand, and take longer than they tell."""
HIDDEN: Final = {"min_order_size": "5", "neg_risk": False}
"""What a websocket's book leaves out and its hash covers. Source: data/QUIRKS 5."""
HASHED: Final = {
    "market", "asset_id", "timestamp", "hash", "bids", "asks", "min_order_size", "tick_size", "neg_risk",
    "last_trade_price",
}  # fmt: skip
UNTRADABLE: Final = re.compile(
    "only markets with two are known|cannot be traded on the order book|clobTokenIds: missing"
)


def names(room: str) -> list[str]:
    """The files of a room that a recording may consist of."""
    found = ((path.relative_to(DATA).as_posix(), path) for path in (DATA / room).rglob("*") if path.is_file())
    return sorted(
        name
        for name, path in found
        if name.removesuffix(".gz").endswith((".json", ".jsonl")) and path.stat().st_size < PACKED_BYTES_MAX
    )


BOOK_FILES: Final = [*names("books"), *names("ws"), "vectors/book_hash_vectors.json"]
ROW_FILES: Final = [*names("gamma"), *names("clob")]


@cache
def documents(name: str) -> list[Any]:
    """The file's documents, read without our own code."""
    content = (DATA / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def objects(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    if isinstance(document, dict | list):
        for value in document.values() if isinstance(document, dict) else document:
            yield from objects(value)


def books_in(name: str) -> list[dict[str, Any]]:
    wanted = {"asset_id", "market", "bids", "asks"}
    return [value for document in documents(name) for value in objects(document) if wanted <= value.keys()]


def rows_in(name: str) -> list[dict[str, Any]]:
    shapes = {"conditionId": "outcomes", "condition_id": "tokens", "c": "t"}
    return [
        value
        for document in documents(name)
        for value in objects(document)
        if any(other in value and str(value.get(named)).startswith("0x") for named, other in shapes.items())
    ]


def opened(directory: Path) -> RecordedVenue:
    return RecordedVenue(directory, parse_book=parse_book, parse_market=parse_market, clock=StepClock())


@pytest.mark.parametrize("name", [*BOOK_FILES, *ROW_FILES, *names("vectors")])
def test_a_file_loads_its_books_and_rows_or_says_that_it_has_none(name: str, tmp_path: Path) -> None:
    (tmp_path / Path(name).name).symlink_to(DATA / name)
    venue = opened(tmp_path)
    books = books_in(name)
    assert set(venue.token_ids) == {book["asset_id"] for book in books}
    found = venue.books(list(venue.token_ids))
    assert len(found) == len(venue.token_ids)
    for token, book in found.items():
        latest = max(int(raw.get("timestamp", 0)) for raw in books if raw["asset_id"] == token)
        assert book.changed_at_ms == latest
    if books or rows_in(name):
        assert venue.ignored == []
    else:
        (ignored,) = venue.ignored
        assert ignored.reason.startswith("no order book and no market row in it")


@pytest.mark.parametrize("name", BOOK_FILES)
def test_every_book_of_a_file_is_read_best_first_without_loss(name: str) -> None:
    for raw in books_in(name):
        book = parse_book(raw, received_at=NOW, recorded=True)
        bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert (len(bids), len(asks)) == (len(raw["bids"]), len(raw["asks"]))
        assert not book.crossed


def verification() -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = documents("vectors/book_hash_verification.json")[0] if DATA.is_dir() else []
    return told


@pytest.mark.parametrize("told", verification(), ids=lambda told: told["file"])
def test_hashes_verify_exactly_where_the_vectors_say_so(told: dict[str, Any]) -> None:
    books = books_in(told["file"])
    completed = [HIDDEN | raw if "tick_size" in raw else raw for raw in books]
    checks = [parse_book(raw, received_at=NOW, recorded=True).hash_check for raw in completed]
    assert (len(books), checks.count(HashCheck.VERIFIED)) == (told["books"], told["books_hash_verified"])


@pytest.mark.parametrize("name", BOOK_FILES)
def test_a_book_is_judged_by_its_hash_only_where_everything_hashed_is_there(name: str) -> None:
    for raw in books_in(name):
        check = parse_book(raw, received_at=NOW, recorded=True).hash_check
        assert (check is HashCheck.UNVERIFIABLE) == (not raw.keys() >= HASHED)


def test_the_hash_vectors_prove_themselves() -> None:
    vectors = documents("vectors/book_hash_vectors.json")[0]
    assert vectors
    for vector in vectors:
        check = parse_book(vector["book"], received_at=NOW, recorded=True).hash_check
        assert (check is HashCheck.VERIFIED) == vector["verified"]


def refusal(raw: dict[str, Any]) -> str | None:
    try:
        parse_market(raw, recorded=True)
    except Unparsable as wrong:
        return wrong.reason
    return None


@pytest.mark.parametrize("name", ROW_FILES)
def test_a_market_row_is_read_or_says_why_it_cannot_be_traded(name: str) -> None:
    for raw in rows_in(name):
        exact = json.loads(json.dumps(raw), parse_float=str)
        reason = refusal(exact)
        if reason is not None:
            assert UNTRADABLE.search(reason), reason
            continue
        market = parse_market(exact, recorded=True)
        text = json.dumps(raw)
        assert len(market.outcomes) == 2
        assert all(outcome.token_id in text for outcome in market.outcomes)


ENDED: Final = {
    "gamma/markets_feb2026.jsonl.gz": (512, 187),
    "gamma/btc5m_markets_20260608.jsonl.gz": (194, 194),
    "gamma/btc5m_markets_20260724.jsonl.gz": (194, 194),
    "gamma/pm-cli-go__gamma-search.json": (4, 4),
    "gamma/nautilus/gamma_market_closed_binary_accepting_true.json": (1, 0),
    "gamma/nautilus/gamma_market_closed_zero_zero_legacy.json": (1, 0),
    "clob/markets_page.json.gz": (663, 411),
    "clob/naut_markets_page.json.gz": (98, 24),
    "clob/sampling_markets.json.gz": (0, 0),
}
"""How many of a file's markets are closed, and how many of these say for good what they pay."""


def markets_in(name: str) -> Iterator[tuple[dict[str, Any], Market]]:
    """The rows of a file that can be traded, as they come off the wire, and as they are read."""
    for raw in rows_in(name):
        received = decode(json.dumps(raw))
        if refusal(received) is None:
            yield received, parse_market(received, recorded=True)


@pytest.mark.parametrize("name", ENDED)
def test_only_markets_that_are_resolved_beyond_doubt_pay(name: str) -> None:
    read = [market for _, market in markets_in(name)]
    paid = [market for market in read if market.payouts is not None]
    assert (sum(raw.get("closed") is True for raw in rows_in(name)), len(paid)) == ENDED[name]
    for market in paid:
        assert market.closed
        assert market.resolved
        assert sum(market.payouts or ()) == 1_000_000


@pytest.mark.parametrize("name", [name for name in ENDED if "btc5m" in name])
def test_payouts_are_what_the_recorder_saw(name: str) -> None:
    for told in documents(name):
        market = parse_market(decode(json.dumps(told["raw"])), recorded=True)
        assert market.payouts == tuple(int(price) * 1_000_000 for price in told["outcome_prices"])


@pytest.mark.parametrize("name", ROW_FILES)
def test_a_kept_row_reads_back_as_the_very_same_market(name: str) -> None:
    for received, market in markets_in(name):
        kept = market_payload(received)
        assert parse_market(decode(kept.decode()), recorded=True, payload=kept) == market


def test_markets_and_books_of_one_event_fit_together(tmp_path: Path) -> None:
    for name in ("books/fed_june_2026_books_m1-3.json", "gamma/pm-cli-go__gamma-event.json"):
        (tmp_path / Path(name).name).symlink_to(DATA / name)
    venue = opened(tmp_path)
    markets, books = venue.markets(list(venue.token_ids)), venue.books(list(venue.token_ids))
    assert len(markets) == len(books) == 6
    for token, book in books.items():
        market = markets[token]
        assert market.market_id == book.market_id
        other = books[market.outcomes[1 - market.outcome_index(token)].token_id]
        # data/QUIRKS 4: each is the other one, seen from the other side.
        assert [1_000_000 - level.price for level in book.bids] == [level.price for level in other.asks]


def test_a_whole_directory_can_be_pointed_at() -> None:
    venue = opened(DATA / "books")
    with_books = [name for name in names("books") if books_in(name)]
    assert set(venue.token_ids) == {book["asset_id"] for name in with_books for book in books_in(name)}
    files = {path.name for path in (DATA / "books").iterdir()}
    assert {ignored.file for ignored in venue.ignored} == files - {Path(name).name for name in with_books}
    for ignored in venue.ignored:
        assert ignored.reason.startswith(("no order book and no market row", "not a recording")), ignored
