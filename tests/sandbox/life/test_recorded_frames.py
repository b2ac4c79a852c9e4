"""The market channel's frames beside those that were recorded at the venue, byte for byte."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.books import book_document
from betteroms.sandbox.events import BookChanged, LevelChange
from betteroms.sandbox.model import Market
from betteroms.sandbox.streams import market_messages as messages

DATA: Final = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no shared recordings beside this checkout")

FRAMES: Final = DATA / "ws" / "market_capture_polyarb.json"
HIDDEN_MINIMUM_SIZE: Final = to_micros("5")
"""What the channel does not tell and its hashes cover. Source: data/QUIRKS 5."""


@dataclass
class Sides:
    """A recorded book as the venue had it, from its first outcome; best first."""

    bids: list[tuple[int, int]] = field(default_factory=list)
    asks: list[tuple[int, int]] = field(default_factory=list)

    def put(self, change: LevelChange) -> None:
        side = self.bids if change.side is Side.BUY else self.asks
        kept = [level for level in side if level[0] != change.price]
        if change.size:
            kept.append((change.price, change.size))
        side[:] = sorted(kept, reverse=change.side is Side.BUY)


def recorded() -> tuple[Market, Sides, list[dict[str, Any]], list[dict[str, Any]]]:
    """A market whose two books begin the capture, the books, and the changes that follow."""
    dump, *changes = json.loads(FRAMES.read_text(encoding="utf-8"))
    books = [book for book in dump if book["market"] == changes[0]["market"]]
    first = books[0]
    market = Market(
        condition_id=first["market"],
        question_id="",
        gamma_id="",
        slug="",
        question="",
        token_ids=(books[0]["asset_id"], books[1]["asset_id"]),
        outcomes=("Yes", "No"),
        tick=to_micros(first["tick_size"]),
        minimum_size=HIDDEN_MINIMUM_SIZE,
        last_price=to_micros(first["last_trade_price"]),
        book_stamp_ms=int(first["timestamp"]),
    )
    bids, asks = (
        [(to_micros(level["price"]), to_micros(level["size"])) for level in reversed(first[side])]
        for side in ("bids", "asks")
    )
    changes = [change for change in changes if change["market"] == market.condition_id]
    return market, Sides(bids, asks), books, changes


def test_the_books_of_a_dump_are_as_recorded() -> None:
    market, sides, books, _ = recorded()
    for outcome, book in enumerate(books):
        assert json.dumps(messages.book(book_document(market, sides, outcome))) == json.dumps(book)


def test_the_changes_that_follow_are_as_recorded_hashes_included() -> None:
    market, sides, _, changes = recorded()
    assert changes
    for recorded_change in changes:
        (entry,) = (
            entry for entry in recorded_change["price_changes"] if entry["asset_id"] == market.token_ids[0]
        )
        change = LevelChange(
            price=to_micros(entry["price"]), size=to_micros(entry["size"]), side=Side(entry["side"])
        )
        sides.put(change)
        event = BookChanged(market=market, changes=(change,), at_ms=int(recorded_change["timestamp"]))
        market.book_stamp_ms = event.at_ms
        hashes = [book_document(market, sides, outcome)["hash"] for outcome in (0, 1)]
        (told,) = messages.price_changes(event, sides, hashes)
        entries = recorded_change["price_changes"]
        entries.sort(key=lambda entry: market.token_ids.index(entry["asset_id"]))
        assert json.dumps(told) == json.dumps(recorded_change)
