"""Order books, fee descriptions and winners from the CLOB."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from betteroms.adapters.polymarket import wire
from betteroms.adapters.polymarket.http import Service
from betteroms.adapters.polymarket.resolution import told_winners
from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.ids import TokenId
from betteroms.ports import Clock

BOOKS: Final = "/books"
BOOKS_PER_REQUEST_MAX: Final = 500
"""Source: VENUE 5.1."""
WINNERS_ASKED_MAX: Final = 200
"""Of one look-up: each is a question of its own, at 40 a second (VENUE 7)."""


class Clob:
    """The CLOB's public questions that a run needs."""

    def __init__(self, service: Service, *, clock: Clock, books_per_request: int) -> None:
        self._service = service
        self._clock = clock
        self._books_per_request = min(books_per_request, BOOKS_PER_REQUEST_MAX)

    def books(self, token_ids: Collection[TokenId]) -> Iterator[tuple[Mapping[str, Any], datetime]]:
        """The books that were asked for, once each, as sent, and when they came.

        Raises:
            VenueUnreachable: no usable answer.
        """
        missing = dict.fromkeys(token_ids)
        for batch in _batches(list(missing), self._books_per_request):
            answer = self._service.post(BOOKS, [{"token_id": token} for token in batch])
            received_at = self._clock.now()
            if answer is None:  # it knows none of them
                continue
            if not isinstance(answer, list):
                raise self._service.unusable("POST", BOOKS, "the answer is not a list of books")
            for raw in answer:
                token = raw.get("asset_id") if isinstance(raw, Mapping) else None
                if isinstance(token, str) and token in missing:
                    del missing[TokenId(token)]
                    yield raw, received_at

    def fees(self, condition_id: str) -> Any:
        """The market's `fd`, its fee description, as sent; None where it has none.

        Raises:
            VenueUnreachable: no usable answer.
        """
        answer = self._service.get(f"/clob-markets/{quote(condition_id, safe='')}")
        return answer.get("fd") if isinstance(answer, Mapping) else None

    def winners(self, condition_id: str) -> list[dict[str, Any]] | None:
        """Who won the market, as `resolution.WINNERS` keeps it; None where the CLOB does not tell.

        Raises:
            VenueUnreachable: no usable answer.
        """
        answer = self._service.get(f"/markets/{quote(condition_id, safe='')}")
        if not isinstance(answer, Mapping):
            return None
        told = answer.get("condition_id")
        if not isinstance(told, str) or not wire.same_condition(told, condition_id):
            return None
        return told_winners(answer)


class Winners:
    """Asks the CLOB who won during one look-up: so often at most, and not again once it gave no answer.

    A market that nobody could be asked about stays unpaid, which the next look-up can mend.
    """

    def __init__(self, clob: Clob, *, notes: list[str]) -> None:
        self._clob = clob
        self._notes = notes
        self._left = WINNERS_ASKED_MAX
        self._passed_over = 0

    def of(self, condition_id: str) -> list[dict[str, Any]] | None:
        """See `Clob.winners`; never raises `VenueUnreachable`, but makes a note."""
        if self._left == 0:
            self._passed_over += 1
            return None
        self._left -= 1
        try:
            return self._clob.winners(condition_id)
        except VenueUnreachable as fault:
            self._left = 0
            self._notes.append(f"who won market {condition_id} could not be asked: {fault}")
            return None

    def done(self) -> None:
        """Note how many were passed over."""
        if self._passed_over:
            self._notes.append(f"who won was not asked for {self._passed_over} more resolved markets")


def _batches(tokens: Sequence[TokenId], length: int) -> Iterator[list[TokenId]]:
    rest = iter(tokens)
    while batch := list(islice(rest, length)):
        yield batch
