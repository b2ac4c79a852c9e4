"""What live trading needs beside an order: its signed bytes while it is alive, and how its fills settle.

Going down is refused while a live order is alive, or a fill settles still: the bytes of an order that may
have been sent are the only ones that may ever go again, and a fill that fails could not be taken back.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE signed_orders (
    order_id uuid PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    body     text NOT NULL
);
CREATE TABLE chain_states (
    order_id              uuid NOT NULL REFERENCES orders,
    external_execution_id text NOT NULL,
    mode                  text NOT NULL CHECK (mode IN ('paper', 'shadow', 'live')),
    state                 text NOT NULL
        CHECK (state IN ('MATCHED', 'MINED', 'CONFIRMED', 'RETRYING', 'FAILED')),
    transaction_hash      text,
    at                    timestamptz NOT NULL,
    PRIMARY KEY (order_id, external_execution_id)
);
CREATE INDEX chain_states_unsettled ON chain_states (mode) WHERE state NOT IN ('CONFIRMED', 'FAILED');
"""

DOWNGRADE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM orders WHERE mode = 'live' AND status IN ('NEW', 'UNCONFIRMED', 'OPEN')) THEN
        RAISE EXCEPTION 'a live order is alive: end it first (betteroms orders cancel-all)';
    END IF;
    IF EXISTS (SELECT FROM chain_states WHERE state NOT IN ('CONFIRMED', 'FAILED')) THEN
        RAISE EXCEPTION 'a fill settles still: poll until it is confirmed (betteroms poll)';
    END IF;
END $$;
DROP TABLE chain_states;
DROP TABLE signed_orders;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
