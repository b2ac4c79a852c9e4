"""Trading over time: stored plans, exit rules, snapshots, fill bounds, settings; markets that resolve.

What a run read of the ledger besides facts (liquidity memory, rules, the account's past) is kept with it in
`runs.state`, so that it can be recomputed. Indexes on times are BRIN: next to nothing to keep up.

Going down is refused once a market has paid: the program before would count that cash twice.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE runs ADD COLUMN state jsonb;
CREATE INDEX runs_unfinished ON runs (status) WHERE status = 'running';

ALTER TABLE markets ADD COLUMN group_id text,
    ADD COLUMN resolved boolean NOT NULL DEFAULT false,
    ADD COLUMN payouts jsonb,
    ADD COLUMN game_starts_at timestamptz;

ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check;
ALTER TABLE ledger_entries ADD COLUMN market_id text,
    ADD COLUMN token_id text,
    ADD COLUMN size numeric(18, 6) NOT NULL DEFAULT 0 CHECK (size <= 0),
    ADD COLUMN payout numeric(10, 6) CHECK (payout >= 0 AND payout <= 1),
    ADD COLUMN paid_for numeric(18, 6) NOT NULL DEFAULT 0 CHECK (paid_for >= 0),
    ADD CONSTRAINT ledger_entries_kind_check
        CHECK (kind IN ('DEPOSIT', 'WITHDRAWAL', 'SETTLEMENT', 'REVERSAL')),
    ADD CONSTRAINT ledger_entries_token_check
        CHECK ((kind IN ('SETTLEMENT', 'REVERSAL')) = (token_id IS NOT NULL AND market_id IS NOT NULL));

CREATE INDEX orders_created ON orders USING brin (created_at);
CREATE INDEX executions_executed ON executions USING brin (executed_at);

CREATE TABLE plans (
    mode         text NOT NULL CHECK (mode IN ('paper', 'shadow', 'live')),
    plan_id      text NOT NULL,
    priority     integer NOT NULL CHECK (priority >= 0),
    active       boolean NOT NULL,
    file         text NOT NULL,
    content_hash text NOT NULL,
    body         bytea NOT NULL,
    added_at     timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (mode, plan_id)
);

CREATE TABLE execution_rules (
    mode           text NOT NULL CHECK (mode IN ('paper', 'shadow', 'live')),
    token_id       text NOT NULL,
    rule_id        uuid NOT NULL,
    market_id      text NOT NULL,
    outcome        text NOT NULL,
    outcome_index  smallint NOT NULL,
    rules          jsonb NOT NULL,
    origin         text NOT NULL CHECK (origin IN ('order', 'operator')),
    order_id       uuid REFERENCES orders,
    line           integer,
    set_at         timestamptz NOT NULL,
    opened_at      timestamptz,
    dust           boolean NOT NULL,
    high           numeric(10, 6),
    trigger_cause  text,
    trigger_at     timestamptz,
    trigger_detail text,
    attempts       integer NOT NULL CHECK (attempts >= 0),
    stopped_at     timestamptz,
    PRIMARY KEY (mode, token_id),
    CHECK ((trigger_cause IS NULL) = (trigger_at IS NULL))
);

CREATE TABLE fill_bounds (
    order_id    uuid PRIMARY KEY REFERENCES orders,
    mode        text NOT NULL,
    at_once     numeric(18, 6) NOT NULL CHECK (at_once >= 0),
    ahead       numeric(18, 6) NOT NULL CHECK (ahead >= 0),
    pessimistic numeric(18, 6) NOT NULL,
    optimistic  numeric(18, 6) NOT NULL,
    CHECK (at_once <= pessimistic AND pessimistic <= optimistic)
);

CREATE TABLE portfolio_snapshots (
    mode            text NOT NULL CHECK (mode IN ('paper', 'shadow', 'live')),
    hour            timestamptz NOT NULL,
    taken_at        timestamptz NOT NULL,
    run_id          uuid NOT NULL REFERENCES runs,
    positions       integer NOT NULL CHECK (positions >= 0),
    cost_basis      numeric(18, 6) NOT NULL,
    market_value    numeric(18, 6) NOT NULL,
    realised        numeric(18, 6) NOT NULL,
    unrealised      numeric(18, 6) NOT NULL,
    fees            numeric(18, 6) NOT NULL,
    cash            numeric(18, 6) NOT NULL,
    deposited       numeric(18, 6) NOT NULL,
    net_liquidation numeric(18, 6) NOT NULL,
    pessimistic     numeric(18, 6) NOT NULL,
    optimistic      numeric(18, 6) NOT NULL,
    PRIMARY KEY (mode, hour),
    CHECK (net_liquidation = cash + market_value),
    CHECK (unrealised = market_value - cost_basis)
);

CREATE TABLE settings (
    name       text PRIMARY KEY,
    value      jsonb NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TRIGGER portfolio_snapshots_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON portfolio_snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

DOWNGRADE = """
DROP TABLE settings, portfolio_snapshots, fill_bounds, execution_rules, plans;
DROP INDEX runs_unfinished, orders_created, executions_executed;
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check,
    DROP CONSTRAINT ledger_entries_token_check;
ALTER TABLE ledger_entries DROP COLUMN market_id, DROP COLUMN token_id, DROP COLUMN size,
    DROP COLUMN payout, DROP COLUMN paid_for;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_kind_check
    CHECK (kind IN ('DEPOSIT', 'WITHDRAWAL'));
ALTER TABLE markets DROP COLUMN group_id, DROP COLUMN resolved, DROP COLUMN payouts,
    DROP COLUMN game_starts_at;
ALTER TABLE runs DROP COLUMN state;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
