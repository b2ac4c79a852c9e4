"""The steps of a run, one by one, in process: `pytest tests/benchmarks`; the ratios are in `ratios.py`."""

import json
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.ids import plan_key
from betteroms.domain.matching import Depth
from betteroms.domain.money import Price, Size, to_text
from betteroms.domain.terms import Liquidity, Mode, Side
from betteroms.sources.plan import content_hash, read_plan
from tests.benchmarks.books import deep_book
from tests.benchmarks.worlds import write_world

INSTRUCTIONS = 10_000


@pytest.fixture(scope="module")
def plan_text(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path, _ = write_world(tmp_path_factory.mktemp("world"), instructions=INSTRUCTIONS)
    return Path(path).read_bytes()


def test_floor_of_reading_a_plan(benchmark: BenchmarkFixture, plan_text: bytes) -> None:
    benchmark(json.loads, plan_text)


def test_reading_a_plan(benchmark: BenchmarkFixture, plan_text: bytes) -> None:
    plan = benchmark(read_plan, plan_text, "plan.json")
    assert len(plan.instructions) == INSTRUCTIONS


def test_hashing_a_plan(benchmark: BenchmarkFixture, plan_text: bytes) -> None:
    assert len(benchmark(content_hash, read_plan(plan_text, "plan.json"))) == 64


def test_walking_a_book_with_a_thousand_orders(benchmark: BenchmarkFixture) -> None:
    book = deep_book(levels=2_000)

    def walk() -> int:
        depth = Depth(book, Side.BUY, outcome_index=0, taken={}, fraction=1_000_000)
        bites = 0
        for _ in range(1_000):
            found = depth.walk_shares(limit=Price(900_000), size=17_000_000)
            depth.take(found)
            bites += len(found.bites)
        return bites

    assert benchmark(walk) > 2_500


def test_charging_a_fee(benchmark: BenchmarkFixture) -> None:
    schedule = FeeSchedule(rate=50_000)
    charged = benchmark(
        fee, schedule, price=Price(410_000), size=Size(1_190_470_000), liquidity=Liquidity.TAKER
    )
    assert to_text(charged) == "14.39873"


def test_naming_an_order(benchmark: BenchmarkFixture) -> None:
    assert benchmark(plan_key, Mode.PAPER, "a-plan", line=17, ref=None)
