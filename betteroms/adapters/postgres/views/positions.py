"""Positions with the prices they were last seen at, and the cash beside them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import select_list
from betteroms.domain.external import SOURCE
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
    external = _external(connection, mode)
    found = [_record(mode, row, external) for row in rows]
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


def _external(connection: psycopg.Connection[Any], mode: Mode) -> frozenset[TokenId]:
    """The tokens of which something was traded by orders that are not ours."""
    # By way of settlements, which only fills of the venue have: a look at nothing on paper.
    rows = connection.execute(
        "SELECT DISTINCT o.token_id FROM chain_states c JOIN orders o USING (order_id) "
        "WHERE c.mode = %s AND o.source = %s",
        (mode, SOURCE),
    )
    return frozenset(TokenId(token) for (token,) in rows)


def _record(mode: Mode, row: Sequence[Any], external: Collection[TokenId]) -> PositionRecord:
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
        external=get["token_id"] in external,
    )


def _label(outcomes: Sequence[Mapping[str, str]], token_id: str) -> str:
    return next((outcome["label"] for outcome in outcomes if outcome["tokenId"] == token_id), "?")
