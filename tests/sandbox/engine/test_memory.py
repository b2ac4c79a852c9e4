"""A finished order is small: a venue can stand for as long as it is useful. The long run is a benchmark."""

import gc
import tracemalloc
from typing import Final

from tests.benchmarks.sandbox_memory import Feed

ORDERS: Final = 4_000
BYTES_MAX: Final = 1_024


def test_a_finished_order_costs_a_kibibyte_at_most() -> None:
    feed = Feed(1)
    gc.collect()
    tracemalloc.start()
    try:
        feed.feed(ORDERS)
        gc.collect()
        added, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(feed.exchange.orders) == ORDERS
    assert not feed.exchange.open_orders()
    assert len(feed.exchange.trades) > ORDERS // 4
    assert added / ORDERS <= BYTES_MAX
