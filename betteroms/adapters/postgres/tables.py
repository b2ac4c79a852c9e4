"""The tables as SQLModel rows: what Alembic compares the database with.

Nothing loads or saves through these classes: the ledger writes by `COPY`, the views read SQL. They
exist so that a migration can be checked, and a new one written, against one typed description.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import AutoString, Field, SQLModel

metadata = SQLModel.metadata


def _price(*, null: bool = True, key: bool = False) -> Any:
    return Field(sa_column=Column(Numeric(10, 6), nullable=null, primary_key=key))


def _amount(*, null: bool = False, zero: bool = False) -> Any:
    default = text("0") if zero else None
    return Field(sa_column=Column(Numeric(18, 6), nullable=null, server_default=default))


def _unrounded() -> Any:
    """Shares times dollars a share, of six decimals each."""
    return Field(sa_column=Column(Numeric(24, 12), nullable=False))


def _time(*, null: bool = True) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=null))


def _jsonb(*, null: bool = True) -> Any:
    return Field(sa_column=Column(JSONB(), nullable=null))


def _sequence(*, key: bool = False) -> Any:
    default = text("nextval('ledger_sequence'::regclass)")
    return Field(sa_column=Column(BigInteger(), primary_key=key, nullable=False, server_default=default))


class RunRow(SQLModel, table=True):
    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_one_per_plan", "mode", "plan_id", unique=True, postgresql_where=text("kind = 'trade'")),
        Index("runs_unfinished", "status", postgresql_where=text("status = 'running'")),
    )
    run_id: UUID = Field(primary_key=True)
    kind: str
    mode: str
    plan_id: str | None
    plan_file: str | None
    content_hash: str | None
    plan_payload_id: str | None
    status: str
    attempt: int
    now: datetime = _time(null=False)
    scheduled_at: datetime = _time(null=False)
    started_at: datetime = _time(null=False)
    completed_at: datetime | None = _time()
    engine_version: str
    settings: dict[str, Any] = _jsonb(null=False)
    inputs: dict[str, Any] | None = _jsonb()
    ledger_sequence: int = Field(sa_column=Column(BigInteger(), nullable=False))
    summary_json: dict[str, Any] | None = Field(sa_column=Column(JSON(), nullable=True))
    error_message: str | None
    state: dict[str, Any] | None = _jsonb()


class MarketRow(SQLModel, table=True):
    __tablename__ = "markets"
    market_id: str = Field(primary_key=True)
    slug: str | None
    question: str | None
    gamma_id: str | None
    event_slug: str | None
    outcomes: list[dict[str, str]] = _jsonb(null=False)
    tick_size: Decimal | None = _price()
    minimum_size: Decimal | None = _amount(null=True)
    fee_rate: Decimal = _price(null=False)
    fee_exponent: int
    fee_assumed: bool
    neg_risk: bool
    closed: bool
    accepting_orders: bool
    ends_at: datetime | None = _time()
    recorded: bool
    row_id: str | None
    seen_at: datetime = _time(null=False)
    group_id: str | None
    resolved: bool = Field(sa_column_kwargs={"server_default": text("false")})
    payouts: list[int] | None = _jsonb()
    game_starts_at: datetime | None = _time()


class BookSnapshotRow(SQLModel, table=True):
    __tablename__ = "book_snapshots"
    payload_id: str = Field(primary_key=True)
    kind: str
    subject: str
    received_at: datetime = _time(null=False)
    body: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))


class LiquidityTakenRow(SQLModel, table=True):
    __tablename__ = "liquidity_taken"
    mode: str = Field(primary_key=True)
    market_id: str = Field(primary_key=True)
    price: Decimal = _price(null=False, key=True)
    size: Decimal = _amount()
    changed_at_ms: int = Field(sa_column=Column(BigInteger(), nullable=False))


class OrderRow(SQLModel, table=True):
    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_of_run", "run_id", "line"),
        Index(
            "orders_alive",
            "mode",
            "market_id",
            postgresql_where=text("status IN ('NEW', 'UNCONFIRMED', 'OPEN')"),
        ),
        Index("orders_created", "created_at", postgresql_using="brin"),
        Index(
            "orders_external",
            "external_order_id",
            unique=True,
            postgresql_where=text("external_order_id IS NOT NULL"),
        ),
    )
    order_id: UUID = Field(primary_key=True)
    mode: str
    run_id: UUID = Field(foreign_key="runs.run_id")
    source: str
    intent_key: str
    plan_id: str | None
    line: int | None
    ref: str | None
    market_id: str
    token_id: str
    outcome: str
    outcome_index: int = Field(sa_column=Column(SmallInteger(), nullable=False))
    side: str
    order_type: str
    time_in_force: str
    post_only: bool
    wished_unit: str
    wished_amount: Decimal = _amount()
    wished_price: Decimal | None = _price()
    slippage_ticks: int
    price_ceil: Decimal | None = _price()
    price_floor: Decimal | None = _price()
    cancel_after: int | None
    exit_rules: dict[str, Any] | None = _jsonb()
    notes: str | None
    replaces: UUID | None
    amount_unit: str | None
    amount: Decimal | None = _amount(null=True)
    limit_price: Decimal | None = _price()
    status: str
    code: str | None
    reason: str | None
    filled_size: Decimal = _amount()
    filled_cash: Decimal = _amount()
    fills: int
    adjustments: list[list[str]] | None = _jsonb()
    exempt: bool
    created_at: datetime = _time(null=False)
    placed_at: datetime | None = _time()
    expires_at: datetime | None = _time()
    sending_at: datetime | None = _time()
    external_order_id: str | None


class ExecutionRow(SQLModel, table=True):
    __tablename__ = "executions"
    __table_args__ = (
        Index("executions_executed", "executed_at", postgresql_using="brin"),
        Index(
            "executions_external",
            "order_id",
            "external_execution_id",
            unique=True,
            postgresql_where=text("external_execution_id IS NOT NULL"),
        ),
    )
    order_id: UUID = Field(primary_key=True, foreign_key="orders.order_id")
    number: int = Field(primary_key=True)
    sequence: int = _sequence()
    mode: str
    market_id: str
    token_id: str
    side: str
    price: Decimal = _price(null=False)
    size: Decimal = _amount()
    cash: Decimal = _amount()
    fee: Decimal = _amount()
    liquidity: str
    executed_at: datetime = _time(null=False)
    external_execution_id: str | None


class SignedOrderRow(SQLModel, table=True):
    __tablename__ = "signed_orders"
    order_id: UUID = Field(primary_key=True, foreign_key="orders.order_id", ondelete="CASCADE")
    body: str


class ChainStateRow(SQLModel, table=True):
    __tablename__ = "chain_states"
    __table_args__ = (
        Index(
            "chain_states_unsettled",
            "mode",
            postgresql_where=text("state NOT IN ('CONFIRMED', 'FAILED')"),
        ),
    )
    order_id: UUID = Field(primary_key=True, foreign_key="orders.order_id")
    external_execution_id: str = Field(primary_key=True)
    mode: str
    state: str
    transaction_hash: str | None
    at: datetime = _time(null=False)


class PositionRow(SQLModel, table=True):
    __tablename__ = "positions"
    mode: str = Field(primary_key=True)
    token_id: str = Field(primary_key=True)
    market_id: str
    size: Decimal = _amount()
    cost_basis: Decimal = _amount()
    realised: Decimal = _amount()
    fees: Decimal = _amount()
    opened_at: datetime | None = _time()
    best_bid: Decimal | None = _price()
    best_ask: Decimal | None = _price()
    marked_at: datetime | None = _time()


class LedgerEntryRow(SQLModel, table=True):
    __tablename__ = "ledger_entries"
    key: str = Field(primary_key=True)
    sequence: int = _sequence()
    mode: str
    kind: str
    cash: Decimal = _amount()
    at: datetime = _time(null=False)
    note: str | None
    market_id: str | None
    token_id: str | None
    size: Decimal = _amount(zero=True)
    payout: Decimal | None = _price()
    paid_for: Decimal = _amount(zero=True)


class PlanRow(SQLModel, table=True):
    __tablename__ = "plans"
    mode: str = Field(primary_key=True)
    plan_id: str = Field(primary_key=True)
    priority: int
    active: bool
    file: str
    content_hash: str
    body: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    added_at: datetime = _time(null=False)
    changed_at: datetime = _time(null=False)


class ExecutionRuleRow(SQLModel, table=True):
    __tablename__ = "execution_rules"
    mode: str = Field(primary_key=True)
    token_id: str = Field(primary_key=True)
    rule_id: UUID
    market_id: str
    outcome: str
    outcome_index: int = Field(sa_column=Column(SmallInteger(), nullable=False))
    rules: dict[str, Any] = _jsonb(null=False)
    origin: str
    order_id: UUID | None = Field(foreign_key="orders.order_id")
    line: int | None
    set_at: datetime = _time(null=False)
    opened_at: datetime | None = _time()
    dust: bool
    high: Decimal | None = _price()
    trigger_cause: str | None
    trigger_at: datetime | None = _time()
    trigger_detail: str | None
    attempts: int
    stopped_at: datetime | None = _time()


class FillBoundsRow(SQLModel, table=True):
    __tablename__ = "fill_bounds"
    order_id: UUID = Field(primary_key=True, foreign_key="orders.order_id")
    mode: str
    at_once: Decimal = _amount()
    ahead: Decimal = _amount()
    pessimistic: Decimal = _amount()
    optimistic: Decimal = _amount()


class TiltRow(SQLModel, table=True):
    __tablename__ = "tilts"
    mode: str = Field(primary_key=True)
    token_id: str = Field(primary_key=True)
    market_id: str
    pessimistic: Decimal = _amount()
    pessimistic_paid: Decimal = _unrounded()
    optimistic: Decimal = _amount()
    optimistic_paid: Decimal = _unrounded()


class PortfolioSnapshotRow(SQLModel, table=True):
    __tablename__ = "portfolio_snapshots"
    mode: str = Field(primary_key=True)
    hour: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, primary_key=True))
    taken_at: datetime = _time(null=False)
    run_id: UUID = Field(foreign_key="runs.run_id")
    positions: int
    cost_basis: Decimal = _amount()
    market_value: Decimal = _amount()
    realised: Decimal = _amount()
    unrealised: Decimal = _amount()
    fees: Decimal = _amount()
    cash: Decimal = _amount()
    deposited: Decimal = _amount()
    net_liquidation: Decimal = _amount()
    pessimistic: Decimal = _amount()
    optimistic: Decimal = _amount()


class SettingRow(SQLModel, table=True):
    __tablename__ = "settings"
    name: str = Field(primary_key=True)
    value: Any = _jsonb(null=False)
    changed_at: datetime = _time(null=False)


class AuditLogRow(SQLModel, table=True):
    __tablename__ = "audit_logs"
    __table_args__ = (Index("audit_logs_of_entity", "entity_id"),)
    sequence: int = _sequence(key=True)
    mode: str | None
    run_id: UUID | None
    event_type: str
    entity_type: str
    entity_id: str
    event_data: dict[str, Any] = _jsonb(null=False)
    actor: str
    at: datetime = _time(null=False)


# SQLModel makes every str a VARCHAR; ours are TEXT, without a length nobody chose.
for _table in metadata.tables.values():
    for _column in _table.columns:
        if isinstance(_column.type, AutoString):
            _column.type = Text()
