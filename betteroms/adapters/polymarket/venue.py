"""Polymarket's public half: markets and books for a run, and what was read for its archive."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self

import httpx

from betteroms.adapters.polymarket.clob import BOOKS_PER_REQUEST_MAX, Clob, Winners
from betteroms.adapters.polymarket.gamma import Gamma
from betteroms.adapters.polymarket.http import Patience, Service, new_client
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.parse import (
    Unparsable,
    book_payload,
    market_payload,
    parse_book,
    parse_market,
    states_fees,
)
from betteroms.adapters.polymarket.resolution import WINNERS, needs_winners
from betteroms.domain.book import Book
from betteroms.domain.ids import BookId, TokenId
from betteroms.domain.market import Market
from betteroms.ports import Clock, Payload, PayloadKind

CONNECT_MAX: Final = timedelta(seconds=3)
TOTAL_MIN: Final = timedelta(seconds=30)
CLOB_PER_SECOND: Final = 40
CLOB_BURST: Final = 50
"""At most 450 questions in the ten seconds for which the venue allows 500 POST /books (VENUE 7)."""
GAMMA_PER_SECOND: Final = 20
GAMMA_BURST: Final = 50
"""At most 250 in the ten seconds for which Gamma allows 300 to /markets (VENUE 7)."""


class VenueSettings(Protocol):
    """What the operator may set about the venue."""

    @property
    def clob_url(self) -> str: ...
    @property
    def gamma_url(self) -> str: ...
    @property
    def http_attempts(self) -> int: ...
    @property
    def http_timeout(self) -> timedelta: ...
    @property
    def books_per_request(self) -> int: ...


class Polymarket:
    """Keeps the promises of `ports.Catalog`, `ports.MarketData` and `ports.Archive` over HTTP.

    `notes` holds what a person may want to know afterwards: rows and books that made no sense, answers
    that took several attempts. A client that is handed over stays the caller's to close.
    """

    def __init__(
        self,
        clob_url: str,
        gamma_url: str,
        *,
        clock: Clock,
        patience: Patience | None = None,
        books_per_request: int = BOOKS_PER_REQUEST_MAX,
        client: httpx.Client | None = None,
        clob_limiter: Limiter | None = None,
        gamma_limiter: Limiter | None = None,
    ) -> None:
        patience = patience or Patience()
        self.notes: list[str] = []
        self._owned = new_client(patience) if client is None else None
        http = self._owned or client
        assert http is not None
        clob = Service(
            clob_url,
            client=http,
            patience=patience,
            limiter=clob_limiter or Limiter(per_second=CLOB_PER_SECOND, burst=CLOB_BURST),
            clock=clock,
            notes=self.notes,
        )
        gamma = Service(
            gamma_url,
            client=http,
            patience=patience,
            limiter=gamma_limiter or Limiter(per_second=GAMMA_PER_SECOND, burst=GAMMA_BURST),
            clock=clock,
            notes=self.notes,
        )
        self._clob = Clob(clob, clock=clock, books_per_request=books_per_request)
        self._gamma = Gamma(gamma, notes=self.notes)
        self._read: dict[BookId, Payload] = {}

    @classmethod
    def open(cls, settings: VenueSettings, *, clock: Clock) -> Self:
        """The venue that the settings name; to be closed."""
        timeout = settings.http_timeout
        patience = Patience(
            connect=min(CONNECT_MAX, timeout),
            read=timeout,
            total=max(TOTAL_MIN, timeout),
            attempts=settings.http_attempts,
        )
        return cls(
            settings.clob_url,
            settings.gamma_url,
            clock=clock,
            patience=patience,
            books_per_request=settings.books_per_request,
        )

    def close(self) -> None:
        """Let go of the connections."""
        if self._owned is not None:
            self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def markets(self, names: Collection[str]) -> Mapping[str, Market]:
        """See `ports.Catalog`. What a row leaves open of fees and winners is completed by the CLOB's answer.

        A winner that could not be asked for leaves the market without payouts, with a note.
        """
        rows = self._gamma.rows(names)
        winners = Winners(self._clob, notes=self.notes)
        known: dict[str, Market] = {}
        found: dict[str, Market] = {}
        for name, row in rows.items():
            condition = row["conditionId"]
            if condition not in known:
                full = self._completed(row, winners)
                body = market_payload(full)
                try:
                    market = parse_market(full, recorded=False, payload=body)
                except Unparsable as wrong:
                    self.notes.append(f"market {name}: {wrong}")
                    continue
                assert market.row_id is not None
                self._keep(PayloadKind.MARKET, market.row_id, market.market_id, body)
                known[condition] = market
            found[name] = known[condition]
        winners.done()
        return found

    def _completed(self, row: Mapping[str, Any], winners: Winners) -> Mapping[str, Any]:
        """Kept as one row, so that reading it again gives the same market."""
        # Nobody trades in a closed market: what it charged is not worth a question for each.
        if not states_fees(row) and row.get("closed") is not True:
            row = {**row, "fd": self._clob.fees(row["conditionId"])}
        if needs_winners(row):
            row = {**row, WINNERS: winners.of(row["conditionId"])}
        return row

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """See `ports.MarketData`. A book that makes no sense is absent, with a note."""
        found: dict[TokenId, Book] = {}
        for raw, received_at in self._clob.books(token_ids):
            body = book_payload(raw)
            try:
                book = parse_book(raw, received_at=received_at, recorded=False, payload=body)
            except Unparsable as wrong:
                self.notes.append(f"book of token {raw['asset_id']}: {wrong}")
                continue
            self._keep(PayloadKind.BOOK, book.book_id, book.token_id, body)
            found[book.token_id] = book
        return {token: found[token] for token in token_ids if token in found}

    def payloads(self) -> Iterable[Payload]:
        """See `ports.Archive`: once each, however often it was returned in between."""
        read, self._read = self._read, {}
        return read.values()

    def _keep(self, kind: PayloadKind, payload_id: BookId, subject: str, body: bytes) -> None:
        self._read[payload_id] = Payload(payload_id=payload_id, kind=kind, subject=subject, body=body)
