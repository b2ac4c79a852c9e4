"""Order books and fee descriptions from the CLOB."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from betteroms.adapters.polymarket.http import Service
from betteroms.domain.ids import TokenId
from betteroms.ports import Clock

BOOKS: Final = "/books"
BOOKS_PER_REQUEST_MAX: Final = 500
"""Source: VENUE 5.1."""


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


def _batches(tokens: Sequence[TokenId], length: int) -> Iterator[list[TokenId]]:
    rest = iter(tokens)
    while batch := list(islice(rest, length)):
        yield batch
