"""Exit rules with what they are about, and the markets that they can be set for."""

import json
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import facts
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.market import Outcome
from betteroms.domain.money import Size
from betteroms.domain.order import ALIVE
from betteroms.domain.terms import Mode
from betteroms.records import MarketRecord, RuleRecord

CANDIDATES_MAX: Final = 10


def listed(connection: psycopg.Connection[Any], mode: Mode) -> Sequence[RuleRecord]:
    """See `records.Records.rule_sets`."""
    rules = facts.rules(connection, mode, None)
    rows = connection.execute(
        """
        SELECT r.token_id, coalesce(m.slug, r.market_id), coalesce((p.size * 1000000)::bigint, 0),
            (SELECT o.order_id::text FROM orders o WHERE o.mode = r.mode AND o.token_id = r.token_id
                AND o.source = 'rule' AND o.status = ANY(%s) ORDER BY o.created_at DESC, o.order_id LIMIT 1)
        FROM execution_rules r LEFT JOIN markets m USING (market_id)
            LEFT JOIN positions p ON p.mode = r.mode AND p.token_id = r.token_id
        WHERE r.mode = %s
        """,
        ([status.value for status in ALIVE], mode),
    )
    found = [
        RuleRecord(
            rules=rules[TokenId(token)],
            market_name=name,
            size=Size(size),
            exit_order=None if order is None else OrderId(order),
        )
        for token, name, size, order in rows
    ]
    return sorted(found, key=lambda record: (record.market_name, record.rules.outcome, record.rules.token_id))


def markets_named(connection: psycopg.Connection[Any], name: str) -> Sequence[MarketRecord]:
    """See `records.Records.markets_named`."""
    rows = connection.execute(
        "SELECT market_id, coalesce(slug, market_id), outcomes FROM markets "
        "WHERE slug = %(name)s OR market_id = %(name)s OR gamma_id = %(name)s OR outcomes @> %(token)s "
        "ORDER BY market_id LIMIT %(most)s",
        {"name": name, "token": json.dumps([{"tokenId": name}]), "most": CANDIDATES_MAX},
    )
    return [
        MarketRecord(
            market_id=MarketId(market),
            name=shown,
            outcomes=tuple(
                Outcome(token_id=TokenId(outcome["tokenId"]), label=outcome["label"]) for outcome in outcomes
            ),
        )
        for market, shown, outcomes in rows
    ]
