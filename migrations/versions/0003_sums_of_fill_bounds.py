"""Sums of fill bounds by token: to draw them from all that ever rested made each pass slower than the last.

They are moved on with the orders and the bounds they are drawn from; `positions verify` draws them anew.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE tilts (
    mode             text NOT NULL CHECK (mode IN ('paper', 'shadow', 'live')),
    token_id         text NOT NULL,
    market_id        text NOT NULL,
    pessimistic      numeric(18, 6) NOT NULL,
    pessimistic_paid numeric(24, 12) NOT NULL,
    optimistic       numeric(18, 6) NOT NULL,
    optimistic_paid  numeric(24, 12) NOT NULL,
    PRIMARY KEY (mode, token_id)
);
INSERT INTO tilts
SELECT o.mode, o.token_id, min(o.market_id), sum(less), sum(less * o.limit_price), sum(more),
    sum(more * o.limit_price)
FROM fill_bounds b JOIN orders o USING (order_id),
    LATERAL (SELECT CASE o.side WHEN 'BUY' THEN 1 ELSE -1 END AS sign) s,
    LATERAL (SELECT sign * (b.pessimistic - o.filled_size) AS less,
        sign * (b.optimistic - o.filled_size) AS more) d
WHERE less <> 0 OR more <> 0 GROUP BY o.mode, o.token_id;
"""

DOWNGRADE = "DROP TABLE tilts;"


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
