"""The ledger: runs, markets, what was read, orders, executions, positions, entries, audit.

Money and sizes are NUMERIC(18,6) or wider, prices NUMERIC(10,6); every row carries its mode. The checks
stand behind those in the code. Indexes are few on purpose: two thirds of the price of a bulk write is
their upkeep.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SEQUENCE ledger_sequence AS bigint;

CREATE TABLE runs (
    run_id          uuid PRIMARY KEY,
    kind            text NOT NULL,
    mode            text NOT NULL CHECK (mode IN ('paper', 'shadow', 'live')),
    plan_id         text,
    plan_file       text,
    content_hash    text,
    plan_payload_id text,
    status          text NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'abandoned')),
    attempt         integer NOT NULL CHECK (attempt > 0),
    now             timestamptz NOT NULL,
    scheduled_at    timestamptz NOT NULL,
    started_at      timestamptz NOT NULL,
    completed_at    timestamptz,
    engine_version  text NOT NULL,
    settings        jsonb NOT NULL,
    inputs          jsonb,
    ledger_sequence bigint NOT NULL,
    summary_json    json,
    error_message   text,
    CHECK ((status = 'completed') = (summary_json IS NOT NULL))
);
CREATE UNIQUE INDEX runs_one_per_plan ON runs (mode, plan_id) WHERE kind = 'trade';

CREATE TABLE markets (
    market_id        text PRIMARY KEY,
    slug             text,
    question         text,
    gamma_id         text,
    event_slug       text,
    outcomes         jsonb NOT NULL,
    tick_size        numeric(10, 6),
    minimum_size     numeric(18, 6),
    fee_rate         numeric(10, 6) NOT NULL,
    fee_exponent     integer NOT NULL,
    fee_assumed      boolean NOT NULL,
    neg_risk         boolean NOT NULL,
    closed           boolean NOT NULL,
    accepting_orders boolean NOT NULL,
    ends_at          timestamptz,
    recorded         boolean NOT NULL,
    row_id           text,
    seen_at          timestamptz NOT NULL
);

CREATE TABLE book_snapshots (
    payload_id  text PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('book', 'market', 'plan')),
    subject     text NOT NULL,
    received_at timestamptz NOT NULL,
    body        bytea NOT NULL
);

CREATE TABLE liquidity_taken (
    mode          text NOT NULL,
    market_id     text NOT NULL,
    price         numeric(10, 6) NOT NULL CHECK (price > 0 AND price < 1),
    size          numeric(18, 6) NOT NULL CHECK (size > 0),
    changed_at_ms bigint NOT NULL,
    PRIMARY KEY (mode, market_id, price)
);

CREATE TABLE orders (
    order_id          uuid PRIMARY KEY,
    mode              text NOT NULL,
    run_id            uuid NOT NULL REFERENCES runs,
    source            text NOT NULL,
    intent_key        text NOT NULL,
    plan_id           text,
    line              integer,
    ref               text,
    market_id         text NOT NULL,
    token_id          text NOT NULL,
    outcome           text NOT NULL,
    outcome_index     smallint NOT NULL,
    side              text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    order_type        text NOT NULL CHECK (order_type IN ('LIMIT', 'MARKET')),
    time_in_force     text NOT NULL CHECK (time_in_force IN ('GTC', 'GTD', 'FOK', 'FAK')),
    post_only         boolean NOT NULL,
    wished_unit       text NOT NULL CHECK (wished_unit IN ('SHARES', 'DOLLARS')),
    wished_amount     numeric(18, 6) NOT NULL CHECK (wished_amount > 0),
    wished_price      numeric(10, 6),
    slippage_ticks    integer NOT NULL,
    price_ceil        numeric(10, 6),
    price_floor       numeric(10, 6),
    cancel_after      integer,
    exit_rules        jsonb,
    notes             text,
    replaces          uuid,
    amount_unit       text CHECK (amount_unit IN ('SHARES', 'DOLLARS')),
    amount            numeric(18, 6) CHECK (amount >= 0),
    limit_price       numeric(10, 6) CHECK (limit_price > 0 AND limit_price < 1),
    status            text NOT NULL CHECK (status IN
        ('NEW', 'DENIED', 'REJECTED', 'UNCONFIRMED', 'OPEN', 'FILLED', 'CANCELED', 'EXPIRED')),
    code              text,
    reason            text,
    filled_size       numeric(18, 6) NOT NULL CHECK (filled_size >= 0),
    filled_cash       numeric(18, 6) NOT NULL CHECK (filled_cash >= 0),
    fills             integer NOT NULL,
    adjustments       jsonb,
    exempt            boolean NOT NULL,
    created_at        timestamptz NOT NULL,
    placed_at         timestamptz,
    expires_at        timestamptz,
    sending_at        timestamptz,
    external_order_id text,
    CHECK (status = 'DENIED' OR (amount IS NOT NULL AND limit_price IS NOT NULL))
);
CREATE INDEX orders_of_run ON orders (run_id, line);
CREATE INDEX orders_alive ON orders (mode, market_id) WHERE status IN ('NEW', 'UNCONFIRMED', 'OPEN');
CREATE UNIQUE INDEX orders_external ON orders (external_order_id) WHERE external_order_id IS NOT NULL;

CREATE TABLE executions (
    order_id              uuid NOT NULL REFERENCES orders,
    number                integer NOT NULL CHECK (number > 0),
    sequence              bigint NOT NULL DEFAULT nextval('ledger_sequence'),
    mode                  text NOT NULL,
    market_id             text NOT NULL,
    token_id              text NOT NULL,
    side                  text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    price                 numeric(10, 6) NOT NULL CHECK (price > 0 AND price < 1),
    size                  numeric(18, 6) NOT NULL CHECK (size <> 0),
    cash                  numeric(18, 6) NOT NULL,
    fee                   numeric(18, 6) NOT NULL,
    liquidity             text NOT NULL CHECK (liquidity IN ('MAKER', 'TAKER')),
    executed_at           timestamptz NOT NULL,
    external_execution_id text,
    PRIMARY KEY (order_id, number)
);
CREATE UNIQUE INDEX executions_external ON executions (order_id, external_execution_id)
    WHERE external_execution_id IS NOT NULL;

CREATE TABLE positions (
    mode       text NOT NULL,
    token_id   text NOT NULL,
    market_id  text NOT NULL,
    size       numeric(18, 6) NOT NULL,
    cost_basis numeric(18, 6) NOT NULL,
    realised   numeric(18, 6) NOT NULL,
    fees       numeric(18, 6) NOT NULL,
    opened_at  timestamptz,
    best_bid   numeric(10, 6),
    best_ask   numeric(10, 6),
    marked_at  timestamptz,
    PRIMARY KEY (mode, token_id)
);

CREATE TABLE ledger_entries (
    key      text PRIMARY KEY,
    sequence bigint NOT NULL DEFAULT nextval('ledger_sequence'),
    mode     text NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('DEPOSIT', 'WITHDRAWAL')),
    cash     numeric(18, 6) NOT NULL,
    at       timestamptz NOT NULL,
    note     text
);

CREATE TABLE audit_logs (
    sequence    bigint PRIMARY KEY DEFAULT nextval('ledger_sequence'),
    mode        text,
    run_id      uuid,
    event_type  text NOT NULL,
    entity_type text NOT NULL,
    entity_id   text NOT NULL,
    event_data  jsonb NOT NULL,
    actor       text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX audit_logs_of_entity ON audit_logs (entity_id);

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER executions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON executions
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

DOWNGRADE = """
DROP TABLE audit_logs, ledger_entries, positions, executions, orders, liquidity_taken, book_snapshots,
    markets, runs;
DROP FUNCTION append_only();
DROP SEQUENCE ledger_sequence;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
