"""The venue as one run saw it: markets and books out of what was kept."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from betteroms.domain.book import Book, mirror
from betteroms.domain.errors import RecordingUnreadable
from betteroms.domain.ids import BookId, MarketId, TokenId, content_id
from betteroms.domain.market import Market
from betteroms.jobs.replay.changes import Changes
from betteroms.ports import Payload
from betteroms.records import Recording


class Reader(Protocol):
    """Reads kept payloads as they were read when they came."""

    def book(self, body: bytes, *, received_at: datetime, recorded: bool) -> Book: ...

    def market(self, body: bytes, *, recorded: bool) -> Market: ...


class KeptVenue:
    """Keeps the promises of `ports.Catalog`, `ports.MarketData` and `ports.Archive` for one past run.

    `altered` names what is not what the run read any more, though it is kept under that name: its path, the
    name of what was read, and that of what is there.

    Raises:
        RecordingUnreadable: something that the run read is gone, or cannot be read any more.
    """

    def __init__(
        self,
        recording: Recording,
        payloads: Mapping[BookId, bytes],
        reader: Reader,
        changes: Changes,
    ) -> None:
        self._recording = recording
        self._payloads = payloads
        self._reader = reader
        self.altered: list[dict[str, str]] = []
        found = {**recording.rowless, **{name: self._market(name) for name in recording.rows}}
        self._markets = {name: changes.charged(market) for name, market in found.items()}
        self._named = self._names()
        for token in recording.books:
            self._checked(f"inputs.books.{token}", recording.books[token].payload_id)

    def markets(self, names: Collection[str]) -> Mapping[str, Market]:
        """See `ports.Catalog`."""
        return {name: self._markets[self._named[name]] for name in names if name in self._named}

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """See `ports.MarketData`."""
        return {token: self._book(token) for token in token_ids if token in self._recording.books}

    def payloads(self) -> Iterable[Payload]:
        """See `ports.Archive`: everything is kept already."""
        return ()

    def _names(self) -> dict[str, MarketId]:
        named: dict[str, MarketId] = {}
        for market_id, market in self._markets.items():
            named[market_id] = market_id
            if market.slug:
                named[market.slug] = market_id
        return {**named, **self._recording.names}

    def _book(self, token: TokenId) -> Book:
        kept = self._recording.books[token]
        body = self._payloads[kept.payload_id]
        try:
            book = self._reader.book(body, received_at=kept.received_at, recorded=kept.recorded)
        except ValueError as wrong:
            raise RecordingUnreadable(f"the book kept of token {token} cannot be read: {wrong}") from None
        return mirror(book, token) if kept.mirrored else book

    def _market(self, market_id: MarketId) -> Market:
        body = self._checked(f"inputs.markets.{market_id}", self._recording.rows[market_id])
        try:
            return self._reader.market(body, recorded=self._recording.recorded)
        except ValueError as wrong:
            raise RecordingUnreadable(f"the row kept of market {market_id} cannot be read: {wrong}") from None

    def _checked(self, path: str, payload_id: BookId) -> bytes:
        """What is kept under this name; that it is something else is remembered."""
        body = self._payloads.get(payload_id)
        if body is None:
            raise RecordingUnreadable(f"{path}, {payload_id}, is not kept any more")
        found = content_id(body)
        if found != payload_id:
            self.altered.append({"path": path, "before": payload_id, "after": found})
        return body
