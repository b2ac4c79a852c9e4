"""Facts besides orders as rows: entries, exit rules, fill bounds, snapshots, the drawdown switch."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import (
    document,
    flag,
    micros,
    rules_field,
    rules_from,
    text,
    time,
    whole,
)
from betteroms.adapters.postgres.writing import copy_text, send
from betteroms.domain.bounds import FillBounds
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.risk.history import RiskState
from betteroms.domain.rule import Cause, RuleOrigin, RuleRemoved, RuleSet, Trigger
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from betteroms.ports import RiskChanged

RISK_SETTING: Final = "risk."
"""The settings row of a mode's drawdown switch is named so, with the mode behind it."""
PROVEN_SETTING: Final = "proven."
"""The settings row of what is proven of a wallet is named so, with the wallet behind it."""
ENTRY_LIST: Final = (
    "key, kind, (cash * 1000000)::bigint, at, note, market_id, token_id, "
    "(size * 1000000)::bigint, (payout * 1000000)::bigint, (paid_for * 1000000)::bigint"
)
"""The columns of an entry for a SELECT."""
_BOUNDS_LIST: Final = (
    "order_id::text, (at_once * 1000000)::bigint, (ahead * 1000000)::bigint, "
    "(pessimistic * 1000000)::bigint, (optimistic * 1000000)::bigint"
)
_MONEY: Final = (
    "cost_basis", "market_value", "realised", "unrealised", "fees", "cash", "deposited", "net_liquidation",
    "pessimistic", "optimistic",
)  # fmt: skip
_RULE_COLUMNS: Final = (
    "rule_id", "mode", "market_id", "token_id", "outcome", "outcome_index", "rules", "origin", "order_id",
    "line", "set_at", "opened_at", "dust", "high", "trigger_cause", "trigger_at", "trigger_detail",
    "attempts", "stopped_at",
)  # fmt: skip


def enter_all(connection: psycopg.Connection[Any], entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Append entries, but for those whose keys are there already; the new ones, in their order."""
    added: list[LedgerEntry] = []
    for entry in entries:
        row = connection.execute(
            "INSERT INTO ledger_entries (key, mode, kind, cash, at, note, market_id, token_id, size, "
            "payout, paid_for) VALUES (%s, %s, %s, %s::numeric, %s, %s, %s, %s, %s::numeric, "
            "%s::numeric, %s::numeric) "
            "ON CONFLICT (key) DO NOTHING RETURNING key",
            (
                entry.key,
                entry.mode,
                entry.kind,
                micros(entry.cash),
                entry.at,
                entry.note,
                entry.market_id,
                entry.token_id,
                micros(entry.size),
                None if entry.payout is None else micros(entry.payout),
                micros(entry.paid_for),
            ),
        ).fetchone()
        if row is not None:
            added.append(entry)
    return added


def entered(connection: psycopg.Connection[Any], keys: Collection[str]) -> set[str]:
    """Which of these entries are in the ledger."""
    rows = connection.execute("SELECT key FROM ledger_entries WHERE key = ANY(%s)", (list(keys),))
    return {key for (key,) in rows}


def settlements(
    connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId]
) -> dict[TokenId, Sequence[LedgerEntry]]:
    """What these markets paid so far, by token and in the ledger's sequence."""
    rows = connection.execute(
        f"SELECT {ENTRY_LIST} FROM ledger_entries "  # noqa: S608 - our own column list
        "WHERE mode = %s AND market_id = ANY(%s) ORDER BY token_id, sequence",
        (mode, list(markets)),
    )
    found: dict[TokenId, list[LedgerEntry]] = {}
    for row in rows:
        entry = entry_from(mode, row)
        assert entry.token_id is not None, "entries of a market are about one of its tokens"
        found.setdefault(entry.token_id, []).append(entry)
    return dict(found)


def entry_from(mode: Mode, row: Sequence[Any]) -> LedgerEntry:
    """An entry from a row selected by `ENTRY_LIST`."""
    key, kind, cash, at, note, market, token, size, payout, paid_for = row
    return LedgerEntry(
        key=key,
        mode=mode,
        kind=EntryKind(kind),
        cash=cash,
        at=at,
        note=note,
        market_id=market,
        token_id=token,
        size=size,
        payout=payout,
        paid_for=paid_for,
    )


def write_rules(connection: psycopg.Connection[Any], rules: Sequence[RuleSet]) -> None:
    """Keep each token's rules as they stand now."""
    if not rules:
        return
    tokens = [found.token_id for found in rules]
    connection.execute(
        "DELETE FROM execution_rules WHERE mode = %s AND token_id = ANY(%s)", (rules[0].mode, tokens)
    )
    send(connection, [copy_text("execution_rules", _RULE_COLUMNS, map(_rule_line, rules))])


def _rule_line(found: RuleSet) -> str:
    trigger = found.trigger
    return "\t".join(
        (
            found.rule_id,
            found.mode,
            found.market_id,
            found.token_id,
            text(found.outcome),
            str(found.outcome_index),
            rules_field(found.rules),
            found.origin,
            text(found.order_id),
            whole(found.line),
            time(found.set_at),
            time(found.opened_at),
            flag(found.dust),
            micros(found.high),
            text(None if trigger is None else trigger.cause),
            time(None if trigger is None else trigger.at),
            text(None if trigger is None else trigger.detail),
            str(found.attempts),
            time(found.stopped_at),
        )
    )


def remove_rules(connection: psycopg.Connection[Any], removed: Sequence[RuleRemoved]) -> None:
    for gone in removed:
        connection.execute(
            "DELETE FROM execution_rules WHERE mode = %s AND token_id = %s", (gone.mode, gone.token_id)
        )


def rules(
    connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId] | None
) -> dict[TokenId, RuleSet]:
    """The rules in force for tokens of these markets, of all where none are named; by token id."""
    chosen = None if markets is None else list(markets)
    rows = connection.execute(
        "SELECT rule_id::text, market_id, token_id, outcome, outcome_index, rules, origin, order_id::text, "
        "line, set_at, opened_at, dust, (high * 1000000)::bigint, trigger_cause, trigger_at, trigger_detail, "
        "attempts, stopped_at FROM execution_rules "
        "WHERE mode = %s AND (%s::text[] IS NULL OR market_id = ANY(%s)) ORDER BY token_id",
        (mode, chosen, chosen),
    )
    return {row[2]: _rule_from(mode, row) for row in rows}


def _rule_from(mode: Mode, row: Sequence[Any]) -> RuleSet:
    cause, at, detail = row[13:16]
    return RuleSet(
        rule_id=row[0],
        mode=mode,
        market_id=row[1],
        token_id=row[2],
        outcome=row[3],
        outcome_index=row[4],
        rules=rules_from(row[5]),
        origin=RuleOrigin(row[6]),
        order_id=row[7],
        line=row[8],
        set_at=row[9],
        opened_at=row[10],
        dust=row[11],
        high=row[12],
        trigger=None if cause is None else Trigger(cause=Cause(cause), at=at, detail=detail or ""),
        attempts=row[16],
        stopped_at=row[17],
    )


def bounds(connection: psycopg.Connection[Any], orders: Collection[OrderId]) -> dict[OrderId, FillBounds]:
    """The bounds of these orders, where they have any."""
    rows = connection.execute(
        f"SELECT {_BOUNDS_LIST} FROM fill_bounds WHERE order_id = ANY(%s::uuid[])",  # noqa: S608
        (list(orders),),
    )
    return {row[0]: _bounds_from(row) for row in rows}


def resting_bounds(
    connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId]
) -> dict[OrderId, FillBounds]:
    """The bounds of the orders that are alive in these markets."""
    rows = connection.execute(
        f"SELECT {_BOUNDS_LIST} FROM fill_bounds JOIN orders o USING (order_id) "  # noqa: S608
        "WHERE o.mode = %s AND o.market_id = ANY(%s) AND o.status IN ('NEW', 'UNCONFIRMED', 'OPEN')",
        (mode, list(markets)),
    )
    return {row[0]: _bounds_from(row) for row in rows}


def _bounds_from(row: Sequence[Any]) -> FillBounds:
    name, at_once, ahead, pessimistic, optimistic = row
    return FillBounds(
        order_id=name, at_once=at_once, ahead=ahead, pessimistic=pessimistic, optimistic=optimistic
    )


def write_portfolios(connection: psycopg.Connection[Any], found: Iterable[PortfolioSnapshot]) -> None:
    """Append snapshots; the first of an hour stays."""
    for taken in found:
        values = asdict(taken)
        connection.execute(
            f"INSERT INTO portfolio_snapshots ({', '.join(values)}) "  # noqa: S608 - the names are our fields
            f"VALUES ({', '.join(f'%({name})s' for name in values)}) ON CONFLICT (mode, hour) DO NOTHING",
            {name: micros(value) if name in _MONEY else value for name, value in values.items()},
        )


def write_risk(connection: psycopg.Connection[Any], changed: RiskChanged) -> None:
    """Keep how the drawdown switch of a mode stands."""
    state = {name: _plain(value) for name, value in asdict(changed.state).items()}
    connection.execute(
        "INSERT INTO settings (name, value, changed_at) VALUES (%s, %s, %s) "
        "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, changed_at = EXCLUDED.changed_at",
        (f"{RISK_SETTING}{changed.mode}", json.dumps(state), changed.at),
    )


def risk(connection: psycopg.Connection[Any], mode: Mode) -> RiskState:
    """How the drawdown switch of a mode stands."""
    row = connection.execute(
        "SELECT value FROM settings WHERE name = %s", (f"{RISK_SETTING}{mode}",)
    ).fetchone()
    if row is None:
        return RiskState()
    return risk_state(row[0])


def risk_state(kept: Mapping[str, Any]) -> RiskState:
    """How the drawdown switch stood, read back from JSON."""
    return RiskState(
        tripped_at=_moment(kept.get("tripped_at")),
        detail=kept.get("detail"),
        reset_at=_moment(kept.get("reset_at")),
        reset_equity=Usdc(kept.get("reset_equity") or 0),
    )


def write_proven(connection: psycopg.Connection[Any], found: Iterable[Proven]) -> None:
    """Remember in which domains the venue's names for orders are ours; the first time stays."""
    for proven in found:
        connection.execute(
            "INSERT INTO settings AS s (name, value, changed_at) VALUES (%s, %s, %s) ON CONFLICT (name) "
            "DO UPDATE SET value = EXCLUDED.value || s.value, changed_at = EXCLUDED.changed_at",
            (f"{PROVEN_SETTING}{proven.wallet}", json.dumps({proven.domain: _plain(proven.at)}), proven.at),
        )


def proven(connection: psycopg.Connection[Any], wallet: str) -> frozenset[str]:
    """See `ports.Ledger.proven`."""
    row = connection.execute(
        "SELECT value FROM settings WHERE name = %s", (f"{PROVEN_SETTING}{wallet}",)
    ).fetchone()
    return frozenset(row[0]) if row else frozenset()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)


def rule_data(found: RuleSet) -> str:
    """What an audit row tells of a rule set."""
    trigger = found.trigger
    told = {
        "ruleId": found.rule_id,
        "origin": found.origin,
        "orderId": found.order_id,
        "rules": {name: value for name, value in asdict(found.rules).items() if value is not None},
        "attempts": found.attempts,
        "cause": None if trigger is None else trigger.cause,
        "detail": None if trigger is None else trigger.detail,
    }
    return document(told)
