"""Read recorded answers of the venue from a directory: books and market rows, wherever in a file they are."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of one file, after unpacking."""
FILES_MAX: Final = 20_000
DEPTH_MAX: Final = 8
"""How deep a book may lie in pages, events and other people's wrappers."""
SUFFIXES: Final = (".json", ".jsonl", ".json.gz", ".jsonl.gz")

Raw = Mapping[str, Any]


@dataclass(slots=True)
class Recordings:
    """What a directory holds: rows by condition id, books by token id, and what could not be used.

    Of several Gamma rows of one market the latest counts by `updatedAt`, else the last read; of several
    books of one token the one with the latest stamp.
    """

    gamma: dict[str, Raw] = field(default_factory=dict)
    clob: dict[str, Raw] = field(default_factory=dict)
    info: dict[str, Raw] = field(default_factory=dict)
    books: dict[str, Raw] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def read(directory: Path) -> Recordings:
    """Everything below the directory, by file name.

    Raises:
        OSError: there is no such directory, or it cannot be listed.
        ValueError: it holds more files than are read.
    """
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is not a directory")
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    if len(files) > FILES_MAX:
        raise ValueError(f"{directory} holds more than {FILES_MAX} files")
    found = Recordings()
    for path in files:
        name = path.relative_to(directory).as_posix()
        if not name.lower().endswith(SUFFIXES):
            found.ignored.append(f"{name}: not a recording")
            continue
        try:
            for document in _documents(path):
                _take(document, found, event=None, depth=0)
        except (OSError, EOFError, zlib.error, ValueError, RecursionError) as wrong:
            found.ignored.append(f"{name}: {wrong}")
    return found


def same_condition(condition: str) -> str:
    """The spelling to compare by: lower case, and 31 bytes padded to 32 (VENUE 2.5)."""
    lower = condition.lower()
    return f"{lower}00" if len(lower) == 64 else lower


def items(value: object) -> list[Any]:
    """A list as such, or as the JSON text that Gamma writes for some lists (QUIRKS 16); else none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _documents(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        if path.name.lower().endswith(".gz"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                content = unpacked.read(FILE_BYTES_MAX + 1)
        else:
            content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise ValueError(f"larger than {FILE_BYTES_MAX >> 20} MiB")
    # A byte order mark is no part of JSON, and some recorders write one.
    text = content.decode("utf-8-sig")
    if ".jsonl" not in path.name.lower():
        try:
            yield json.loads(text)
            return
        except ValueError:
            # Some files of lines are called .json; what is neither is refused by its first line.
            json.loads(text.lstrip().partition("\n")[0])
    for line in text.split("\n"):
        if line.strip():
            yield json.loads(line)


def _take(value: Any, found: Recordings, *, event: Raw | None, depth: int) -> None:
    """Sort what a document holds into `found`; lists and wrappers are seen through."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list) and depth < DEPTH_MAX:
                _take(item, found, event=event, depth=depth + 1)
        return
    if not isinstance(value, dict) or _took(value, found, event):
        return
    if _is_event(value):
        event = {name: part for name, part in value.items() if name != "markets"}
    for inner in value.values():
        if isinstance(inner, dict | list) and depth < DEPTH_MAX:
            _take(inner, found, event=event, depth=depth + 1)


def _took(raw: dict[str, Any], found: Recordings, event: Raw | None) -> bool:
    """Whether the object is something to be used, or a relative of it that is not to be looked into."""
    if "asset_id" in raw:
        whole = isinstance(raw.get("bids"), list) and isinstance(raw.get("asks"), list)
        if whole and raw.get("event_type") in (None, "book"):
            _keep_book(raw, found)
        return True
    if _is_condition(raw.get("conditionId")) and ("outcomes" in raw or "clobTokenIds" in raw):
        _keep_gamma(raw, found, event)
        return True
    if _is_condition(raw.get("condition_id")) and isinstance(raw.get("tokens"), list):
        known = found.clob.get(same_condition(raw["condition_id"]), {})
        # The simplified row tells less: it never replaces a whole one.
        if "minimum_tick_size" in raw or "minimum_tick_size" not in known:
            found.clob[same_condition(raw["condition_id"])] = raw
        return True
    if _is_condition(raw.get("c")) and isinstance(raw.get("t"), list):
        found.info[same_condition(raw["c"])] = raw
        return True
    return False


def _keep_book(raw: Raw, found: Recordings) -> None:
    token = str(raw["asset_id"])
    known = found.books.get(token)
    if token.isdecimal() and (known is None or stamp(raw) >= stamp(known)):
        found.books[token] = raw


def _keep_gamma(raw: dict[str, Any], found: Recordings, event: Raw | None) -> None:
    condition = same_condition(raw["conditionId"])
    if event is not None and not raw.get("events"):
        raw = raw | {"events": [event]}
    known = found.gamma.get(condition)
    if known is None or str(raw.get("updatedAt") or "") >= str(known.get("updatedAt") or ""):
        found.gamma[condition] = raw


def stamp(book: Raw) -> int:
    """When the book last changed, in milliseconds; 0 where it does not say."""
    text = str(book.get("timestamp", ""))
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def _is_condition(value: object) -> bool:
    return isinstance(value, str) and value[:2].lower() == "0x"


def _is_event(raw: Raw) -> bool:
    return isinstance(raw.get("markets"), list) and isinstance(raw.get("id"), str | int) and "slug" in raw
