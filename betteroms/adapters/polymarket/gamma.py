"""Find market rows at Gamma by any of the names that a market goes by."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote_plus

from betteroms.adapters.polymarket import wire
from betteroms.adapters.polymarket.http import Service
from betteroms.adapters.polymarket.parse import Unparsable, parse_market
from betteroms.domain.ids import AssetKind, TokenId, asset_kind
from betteroms.domain.market import Market

NAMES_PER_REQUEST_MAX: Final = 100
"""Source: VENUE 5.2, also the page's length."""
QUERY_LENGTH_MAX: Final = 6_000
"""Servers on the way commonly refuse a line longer than 8 kB; 77-digit ids reach that before their number."""
PAGES_MAX: Final = 20
"""Of one request: its names have at most a page of markets, unless the filter is not heeded."""
NAME_LENGTH_MAX: Final = 255
GAMMA_ID_DIGITS_MAX: Final = 20
KEYSET: Final = "/markets/keyset"


class NameKind(StrEnum):
    """What a name is; the value is Gamma's filter for it. Source: VENUE 5.2."""

    CONDITION = "condition_ids"
    CTF_TOKEN = "clob_token_ids"  # noqa: S105 - not a password
    POSITION = "position_ids"
    GAMMA_ID = "id"
    SLUG = "slug"


def name_kind(name: str) -> NameKind:
    """Tell names apart by their look alone."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,64}", name):
        return NameKind.CONDITION
    if not re.fullmatch(r"[0-9]{1,78}", name):
        return NameKind.SLUG
    if len(name) <= GAMMA_ID_DIGITS_MAX:
        return NameKind.GAMMA_ID
    return NameKind.CTF_TOKEN if asset_kind(TokenId(name)) is AssetKind.CTF else NameKind.POSITION


class Gamma:
    """Market rows by name, each with the market that it is."""

    def __init__(self, service: Service, *, notes: list[str]) -> None:
        self._service = service
        self._notes = notes

    def rows(self, names: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The row of each name that has one. Open markets first: closed ones must be asked for.

        Raises:
            VenueUnreachable: no usable answer.
        """
        found: dict[str, Mapping[str, Any]] = {}
        wanted = [name for name in dict.fromkeys(names) if 0 < len(name) <= NAME_LENGTH_MAX]
        # What cannot be printed cannot be sent either (half a character, say), and is nobody's name.
        wanted = [name for name in wanted if name.isprintable()]
        for closed in (False, True):
            for kind, batch in _batches(name for name in wanted if name not in found):
                self._find(kind, batch, closed, found)
        return {name: found[name] for name in wanted if name in found}

    def _find(
        self, kind: NameKind, batch: Collection[str], closed: bool, found: dict[str, Mapping[str, Any]]
    ) -> None:
        filters = [(kind.value, name) for name in batch]
        for row in self._pages([*filters, ("closed", "true")] if closed else filters):
            try:
                market = parse_market(row, recorded=False)
            except Unparsable as wrong:
                self._notes.append(f"market row {wire.shown(row.get('slug') or row.get('id'))}: {wrong}")
                continue
            # What a filter lets through is not trusted: one that is misspelled or dropped lets everything.
            for name in batch:
                if name not in found and is_called(market, name, kind):
                    found[name] = row

    def _pages(self, filters: list[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        params = [*filters, ("limit", str(NAMES_PER_REQUEST_MAX))]
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            answer = self._service.get(KEYSET, [*params, ("after_cursor", cursor)] if cursor else params)
            if answer is None:
                return
            rows = answer.get("markets") if isinstance(answer, Mapping) else None
            if not isinstance(rows, list):
                raise self._service.unusable("GET", KEYSET, "the answer has no list of markets")
            yield from (row for row in rows if isinstance(row, Mapping) and "conditionId" in row)
            cursor = wire.text(answer.get("next_cursor"))
            if not cursor or not rows:
                return
        raise self._service.unusable("GET", KEYSET, f"the answer does not end after {PAGES_MAX} pages")


def is_called(market: Market, name: str, kind: NameKind) -> bool:
    """Whether this is one of the market's names; slugs are case-sensitive, condition ids are not."""
    match kind:
        case NameKind.SLUG:
            return market.slug == name
        case NameKind.GAMMA_ID:
            return market.gamma_id == name
        case NameKind.CONDITION:
            return wire.same_condition(market.market_id, name)
        case _:
            return any(outcome.token_id == name for outcome in market.outcomes)


def _batches(names: Iterable[str]) -> Iterator[tuple[NameKind, list[str]]]:
    """The names by kind, in lists that fit one request each."""
    by_kind: dict[NameKind, list[str]] = {}
    for name in names:
        by_kind.setdefault(name_kind(name), []).append(name)
    for kind, alike in by_kind.items():
        batch: list[str] = []
        length = 0
        for name in alike:
            cost = len(kind.value) + len(quote_plus(name)) + 2
            if batch and (len(batch) == NAMES_PER_REQUEST_MAX or length + cost > QUERY_LENGTH_MAX):
                yield kind, batch
                batch, length = [], 0
            batch.append(name)
            length += cost
        yield kind, batch
