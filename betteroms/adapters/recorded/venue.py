"""A directory of recordings that stands in for the venue."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from betteroms.adapters.exact_json import encode
from betteroms.adapters.recorded.files import Ignored, documents
from betteroms.adapters.recorded.rows import Rows, full_condition
from betteroms.adapters.recorded.shapes import Shape, described, find
from betteroms.domain.book import Book, mirror
from betteroms.domain.fees import ASSUMED
from betteroms.domain.ids import BookId, TokenId
from betteroms.domain.market import Market, Outcome
from betteroms.ports import Clock, Payload, PayloadKind

LABEL_DIGITS: Final = 6
"""How much of a token id stands for an outcome whose label was not recorded."""


class ParseBook(Protocol):
    """Reads a book of the venue; a ValueError says why it cannot be one."""

    def __call__(
        self, raw: Mapping[str, Any], *, received_at: datetime, recorded: bool, payload: bytes
    ) -> Book: ...


class ParseMarket(Protocol):
    """Reads a market row of the venue; a ValueError says why it cannot be one."""

    def __call__(self, raw: Mapping[str, Any], *, recorded: bool, payload: bytes) -> Market: ...


@dataclass(frozen=True, slots=True)
class _Recorded:
    raw: Mapping[str, Any]
    file: str
    stamp: int


class RecordedVenue:
    """Keeps the promises of `ports.Catalog`, `ports.MarketData` and `ports.Archive` with files.

    Everything below `directory` is read at once, and what is asked for is parsed when it is asked for.
    Of two books of a token the one stamped later counts, of two with one stamp the one further down;
    which of several market rows counts is told in `Rows`.
    `ignored` tells what could not be used: whole files from the start, books and rows once asked for.

    Raises:
        RecordingUnreadable: there is no such directory.
    """

    def __init__(
        self, directory: Path, *, parse_book: ParseBook, parse_market: ParseMarket, clock: Clock
    ) -> None:
        self._parse_book = parse_book
        self._parse_market = parse_market
        self._clock = clock
        self.ignored: list[Ignored] = []
        self._books: dict[TokenId, _Recorded] = {}
        self._rows = Rows()
        self._parsed: dict[str, tuple[Market, bytes] | Ignored] = {}
        # Each token's market and complement, as far as rows were parsed; all of them once `_indexed`.
        self._outcomes: dict[TokenId, tuple[str, TokenId]] = {}
        self._indexed = False
        self._tokens: dict[str, list[TokenId]] = {}
        self._read: dict[BookId, Payload] = {}
        self._load(directory)

    @property
    def token_ids(self) -> Collection[TokenId]:
        """The tokens with a book of their own, in the order in which they were first met."""
        return self._books.keys()

    def markets(self, names: Collection[str]) -> Mapping[str, Market]:
        """See `ports.Catalog`. Without a row, the books of a market are taken for it (DECISIONS 4.7)."""
        found: dict[str, Market] = {}
        for name in dict.fromkeys(names):
            market = self._listed(name) or self._pieced_together(name)
            if market is not None:
                found[name] = market
        return found

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """See `ports.MarketData`. A token without a book of its own has its complement's, mirrored."""
        received_at = self._clock.now()
        found: dict[TokenId, Book] = {}
        for token in dict.fromkeys(token_ids):
            book = self._book(token, received_at) or self._mirrored(token, received_at)
            if book is not None:
                found[token] = book
        return found

    def payloads(self) -> Iterable[Payload]:
        """See `ports.Archive`: once each, however often it was returned in between."""
        read, self._read = self._read, {}
        return read.values()

    def _load(self, directory: Path) -> None:
        holds: dict[str, str] = {}
        useful: set[str] = set()
        for file, document in documents(directory):
            if isinstance(document, Ignored):
                self.ignored.append(document)
                useful.add(file)
                continue
            if file not in holds:
                holds[file] = described(document)
            for found in find(document):
                useful.add(file)
                if found.shape is Shape.BOOK:
                    self._see_book(found.raw, file)
                else:
                    self._rows.see(found, file)
        self.ignored += [Ignored(file, what) for file, what in holds.items() if file not in useful]
        self.ignored.sort(key=lambda ignored: ignored.file)

    def _see_book(self, raw: Mapping[str, Any], file: str) -> None:
        token = TokenId(str(raw["asset_id"]))
        stamp = _stamp(raw.get("timestamp"))
        known = self._books.get(token)
        if known is None or stamp >= known.stamp:
            if known is None:
                self._tokens.setdefault(full_condition(str(raw.get("market"))), []).append(token)
            self._books[token] = _Recorded(raw, file, stamp)

    def _book(self, token: TokenId, received_at: datetime) -> Book | None:
        recorded = self._books.get(token)
        if recorded is None:
            return None
        try:
            body = encode(recorded.raw)
            book = self._parse_book(recorded.raw, received_at=received_at, recorded=True, payload=body)
        except (ValueError, RecursionError) as wrong:
            self._ignore(recorded.file, f"book of token {token[:78]}: {wrong}")
            return None
        self._keep(PayloadKind.BOOK, book.book_id, book.token_id, body)
        return book

    def _mirrored(self, token: TokenId, received_at: datetime) -> Book | None:
        outcome = self._outcome(token)
        book = self._book(outcome[1], received_at) if outcome else None
        return mirror(book, token) if book else None

    def _listed(self, name: str) -> Market | None:
        """The market of a row, if one is called so."""
        condition = self._rows.condition_of(name)
        if condition is None and name.isdecimal():
            outcome = self._outcome(TokenId(name))
            condition = outcome[0] if outcome else None
        if condition is None:
            return None
        parsed = self._market(condition)
        if isinstance(parsed, Ignored):
            self._ignore(parsed.file, parsed.reason)
            return None
        market, body = parsed
        assert market.row_id is not None, "a parsed row has the name of what is kept of it"
        self._keep(PayloadKind.MARKET, market.row_id, market.market_id, body)
        return market

    def _outcome(self, token: TokenId) -> tuple[str, TokenId] | None:
        """The condition id and the complement of a token that some row names."""
        if token not in self._outcomes and not self._indexed:
            for condition in self._rows.conditions:
                self._market(condition)
            self._indexed = True
        return self._outcomes.get(token)

    def _market(self, condition: str) -> tuple[Market, bytes] | Ignored:
        """The market of this row with what is kept of it, parsed once."""
        if condition not in self._parsed:
            row = self._rows.row(condition)
            try:
                body = encode(row.raw)
                market = self._parse_market(row.raw, recorded=True, payload=body)
            except (ValueError, RecursionError) as wrong:
                self._parsed[condition] = Ignored(row.file, f"market {condition[:66]}: {wrong}")
            else:
                self._parsed[condition] = market, body
                first, second = (outcome.token_id for outcome in market.outcomes)
                self._outcomes.setdefault(first, (condition, second))
                self._outcomes.setdefault(second, (condition, first))
        return self._parsed[condition]

    def _pieced_together(self, name: str) -> Market | None:
        """A market out of the books that say they are its own; `name` is its id or one of its tokens."""
        own = self._books.get(TokenId(name))
        condition = full_condition(str(own.raw.get("market")) if own else name)
        if self._rows.condition_of(condition) is not None:
            return None  # its row is unusable, or does not know this token
        received_at = self._clock.now()
        books = [self._book(token, received_at) for token in self._tokens.get(condition, ())]
        usable = sorted((book for book in books if book), key=lambda book: int(book.token_id))
        if not usable:
            return None
        first = usable[0]
        if len(usable) > 2:
            reason = f"{len(usable)} tokens say that they are outcomes of market {first.market_id}"
            self._ignore(self._books[first.token_id].file, reason)
            return None
        return Market(
            market_id=first.market_id,
            outcomes=tuple(
                Outcome(token_id=book.token_id, label=book.token_id[-LABEL_DIGITS:]) for book in usable
            ),
            slug=None,
            question=None,
            gamma_id=None,
            event_slug=None,
            tick_size=first.tick_size,
            minimum_size=first.minimum_size,
            fees=ASSUMED,
            neg_risk=any(self._books[book.token_id].raw.get("neg_risk") is True for book in usable),
            closed=False,
            accepting_orders=True,
            ends_at=None,
            row_id=None,
            recorded=True,
        )

    def _keep(self, kind: PayloadKind, payload_id: BookId, subject: str, body: bytes) -> None:
        self._read[payload_id] = Payload(payload_id=payload_id, kind=kind, subject=subject, body=body)

    def _ignore(self, file: str, reason: str) -> None:
        ignored = Ignored(file, reason)
        if ignored not in self.ignored:
            self.ignored.append(ignored)


def _stamp(value: object) -> int:
    """The venue's stamp as far as it can be compared; 0 for none, and for nonsense."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= 18 else 0
