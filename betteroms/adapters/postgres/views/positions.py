"""Positions with the prices they were last seen at, and the cash beside them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import select_list
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.position import Position
from betteroms.domain.terms import Mode
from betteroms.records import PositionRecord

_COLUMNS: Final = ("token_id", "market_id", "size", "cost_basis", "realised", "fees", "opened_at")


def listed(connection: psycopg.Connection[Any], mode: Mode) -> Sequence[PositionRecord]:
    """See `records.Records.positions`."""
    rows = connection.execute(
        f"""
        SELECT {select_list(_COLUMNS, prefix="p.")}, {select_list(("best_bid", "best_ask"), prefix="p.")},
            p.marked_at, coalesce(m.slug, p.market_id), m.outcomes, (m.minimum_size * 1000000)::bigint
        FROM positions p LEFT JOIN markets m USING (market_id)
        WHERE p.mode = %s
        """,  # noqa: S608 - our own column list
        (mode,),
    )
    found = [_record(mode, row) for row in rows]
    return sorted(found, key=lambda record: (record.market_name, record.outcome, record.position.token_id))


def deposited(connection: psycopg.Connection[Any], mode: Mode) -> Usdc:
    """See `records.Records.deposited`."""
    row = connection.execute(
        "SELECT (coalesce(sum(cash), 0) * 1000000)::bigint FROM ledger_entries "
        "WHERE mode = %s AND token_id IS NULL",
        (mode,),
    ).fetchone()
    assert row is not None
    return Usdc(row[0])


def _record(mode: Mode, row: Sequence[Any]) -> PositionRecord:
    columns, (best_bid, best_ask, marked_at, name, outcomes, minimum) = row[:7], row[7:]
    get = dict(zip(_COLUMNS, columns, strict=True))
    return PositionRecord(
        position=Position(
            mode=mode,
            **{**get, "token_id": TokenId(get["token_id"]), "market_id": MarketId(get["market_id"])},
        ),
        market_name=name,
        outcome=_label(outcomes or (), get["token_id"]),
        minimum_size=minimum,
        best_bid=best_bid,
        best_ask=best_ask,
        marked_at=marked_at,
    )


def _label(outcomes: Sequence[Mapping[str, str]], token_id: str) -> str:
    return next((outcome["label"] for outcome in outcomes if outcome["tokenId"] == token_id), "?")
