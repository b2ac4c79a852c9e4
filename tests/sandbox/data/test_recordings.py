"""Recorded answers are found in any file and wrapper, and what cannot be used is named."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from betteroms.sandbox.seeding.recordings import items, read, same_condition

CONDITION = "0x" + "ab" * 32
TOKEN = "7" * 77


def book(stamp: int, **changes: Any) -> dict[str, Any]:
    return {
        "market": CONDITION,
        "asset_id": TOKEN,
        "timestamp": str(stamp),
        "bids": [],
        "asks": [],
        **changes,
    }


def row(**changes: Any) -> dict[str, Any]:
    return {"conditionId": CONDITION, "outcomes": '["Yes", "No"]', "clobTokenIds": "[]", **changes}


def test_books_are_found_wherever_they_are(tmp_path: Path) -> None:
    wrapped = {"at": 1, "frames": [{"payload": [book(2, asset_id="1")]}]}
    (tmp_path / "a.json").write_text(json.dumps(wrapped))
    (tmp_path / "b.jsonl").write_text(
        "\n".join(json.dumps(book(2, asset_id=str(n))) for n in (2, 3)) + "\n\n"
    )
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    (deeper / "c.json.gz").write_bytes(gzip.compress(json.dumps(book(2, asset_id="4")).encode("utf-8-sig")))
    (tmp_path / "lines.json").write_text(f"{json.dumps(book(2, asset_id='5'))}\n{json.dumps(book(2))}\n")
    found = read(tmp_path)
    assert set(found.books) == {"1", "2", "3", "4", "5", TOKEN}
    assert found.ignored == []


def test_of_several_books_of_a_token_the_latest_counts(tmp_path: Path) -> None:
    books = [
        book(3, hash="early"),
        book(5, hash="late"),
        book(4, hash="between"),
        book(9, event_type="other"),
    ]
    (tmp_path / "books.json").write_text(json.dumps(books))
    assert read(tmp_path).books[TOKEN]["hash"] == "late"


def test_of_several_rows_of_a_market_the_one_changed_last_counts(tmp_path: Path) -> None:
    rows = [
        row(updatedAt="2026-05-02T00:00:00Z", slug="late"),
        row(updatedAt="2026-05-01T00:00:00Z", slug="early"),
    ]
    (tmp_path / "rows.json").write_text(json.dumps({"markets": rows}))
    assert read(tmp_path).gamma[CONDITION]["slug"] == "late"


def test_a_market_within_an_event_knows_the_event(tmp_path: Path) -> None:
    event = {"id": "5", "slug": "event", "title": "Event", "markets": [row()]}
    (tmp_path / "event.json").write_text(json.dumps(event))
    assert read(tmp_path).gamma[CONDITION]["events"] == [{"id": "5", "slug": "event", "title": "Event"}]


def test_a_short_row_of_the_clob_never_replaces_a_whole_one(tmp_path: Path) -> None:
    whole = {"condition_id": CONDITION, "tokens": [], "minimum_tick_size": 0.01}
    short = {"condition_id": CONDITION, "tokens": []}
    (tmp_path / "rows.json").write_text(json.dumps([short, whole, short]))
    assert read(tmp_path).clob[CONDITION] == whole


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "packed.json.gz").write_bytes(b"not packed")
    (tmp_path / "good.json").write_text(json.dumps(book(1)))
    found = read(tmp_path)
    assert set(found.books) == {TOKEN}
    assert [reason.partition(":")[0] for reason in found.ignored] == [
        "broken.json",
        "notes.txt",
        "packed.json.gz",
    ]


def test_a_directory_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read(tmp_path / "nowhere")


def test_lists_may_be_written_as_text() -> None:
    assert items('["Yes", "No"]') == items(["Yes", "No"]) == ["Yes", "No"]
    assert items("no list") == items(None) == items('{"a": 1}') == []


def test_a_condition_of_31_bytes_is_the_one_padded_to_32() -> None:
    assert same_condition("0xAB" + "0" * 60) == same_condition("0xab" + "0" * 62)
