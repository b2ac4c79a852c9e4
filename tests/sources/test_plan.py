"""A plan as a file, its content's hash, its resolved id and its limits."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from betteroms.domain.errors import PlanInvalid
from betteroms.domain.money import MICROS, Price, Usdc
from betteroms.domain.risk.limits import Limits
from betteroms.sources.plan import (
    PLAN_BYTES_MAX,
    content_hash,
    differences,
    load_plan,
    market_names,
    plan_limits,
    read_plan,
    resolved_plan_id,
)
from tests.sources.writing import a_plan, a_sale, an_instruction, read


def refusal(path: Path) -> str:
    with pytest.raises(PlanInvalid) as raised:
        load_plan(path)
    return "\n".join(raised.value.problems)


def test_a_plan_is_loaded_from_its_file_and_called_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "june.json"
    path.write_text(json.dumps(a_plan()))
    plan = load_plan(path)
    assert plan.plan_id == "2026-11-20-dip"
    assert plan.name == str(path)
    path.write_text(json.dumps(a_plan(an_instruction(price=3))))
    assert refusal(path) == f"{path} tradeInstructions[0].price: 3 is not between 0 and 1"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    assert refusal(path) == f"{path}: cannot be read: No such file or directory"
    assert refusal(path / "x") == f"{path / 'x'}: cannot be read: No such file or directory"


def test_a_directory_is_no_plan(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: is a directory, not a plan"


def test_a_name_no_file_can_have_is_refused() -> None:
    assert refusal(Path("a\0b")) == r"a\x00b: is no possible name of a file"


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.json"
    path.symlink_to(path)
    assert refusal(path) == f"{path}: cannot be read: Too many levels of symbolic links"


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(PLAN_BYTES_MAX * 1_000)
    assert refusal(path) == f"{path}: has 67,108,864,000 bytes; the most is 67,108,864"


def test_a_stream_without_size_or_end_is_read_only_so_far() -> None:
    assert refusal(Path("/dev/zero")) == "/dev/zero: has 67,108,865 bytes; the most is 67,108,864"


def test_a_plan_can_come_through_a_pipe() -> None:
    receiver, sender = os.pipe()
    try:
        os.write(sender, json.dumps(a_plan()).encode())
    finally:
        os.close(sender)
    try:
        assert load_plan(Path(f"/dev/fd/{receiver}")).plan_id == "2026-11-20-dip"
    finally:
        os.close(receiver)


def test_the_content_hash_is_of_the_canonical_plan_and_stays_so() -> None:
    """Runs of earlier versions are recognised by it: if this fails, the rule changed, not the test."""
    canonical = (
        b'{"defaults":{"maxOrders":5},"limits":{},"onRefusal":"continue","planId":"2026-11-20-dip",'
        b'"tradeInstructions":[{"marketId":"will-x-happen","outcome":"YES","price":420000,"ref":"a",'
        b'"side":"SELL","size":20000000}]}'
    )
    assert (
        content_hash(read(a_plan(a_sale(ref="a"), defaults={"maxOrders": 5})))
        == sha256(canonical).hexdigest()
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"$schema": "../schemas/trade-plan-v1.schema.json"},
        {"mode": "live"},
        {"priority": 7},
        {"active": False},
        {"notes": "plan"},
        {"onRefusal": "continue"},
        {"defaults": {}, "limits": {}},
        {"tradeInstructions": [an_instruction(notes="line")]},
        {"tradeInstructions": [an_instruction(price="0.420", size="5e2")]},
        {"tradeInstructions": [dict(reversed(an_instruction().items()))]},
    ],
)
def test_what_does_not_change_the_wishes_does_not_change_the_hash(changed: dict[str, Any]) -> None:
    assert content_hash(read(a_plan(**changed))) == content_hash(read(a_plan()))
    reordered = dict(reversed(a_plan(**changed).items()))
    assert content_hash(read(reordered)) == content_hash(read(a_plan()))


@pytest.mark.parametrize(
    "changed",
    [
        {"planId": "other"},
        {"onRefusal": "stop"},
        {"defaults": {"goodForSeconds": 600}},
        {"limits": {"maxOrdersPerRun": 1}},
        {"tradeInstructions": []},
        {"tradeInstructions": [an_instruction(), an_instruction(ref="b")]},
        {"tradeInstructions": [an_instruction(price=0.43)]},
        {"tradeInstructions": [an_instruction(outcome="NO")]},
        {"tradeInstructions": [an_instruction(ref="a")]},
    ],
)
def test_what_changes_the_wishes_changes_the_hash(changed: dict[str, Any]) -> None:
    assert content_hash(read(a_plan(**changed))) != content_hash(read(a_plan()))


def test_the_order_of_the_lines_is_content() -> None:
    lines = [an_instruction(), a_sale()]
    assert content_hash(read(a_plan(*lines))) != content_hash(read(a_plan(*reversed(lines))))


def test_another_word_for_the_same_time_in_force_is_the_same_content() -> None:
    one, other = (read(a_plan(an_instruction(timeInForce=word))) for word in ("IOC", "FAK"))
    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("dip", "dip"),
        ("dip-{date}", "dip-2026-11-20"),
        ("dip-{date}-{hour}{minute}", "dip-2026-11-20-1305"),
        ("{minute}.{minute}", "05.05"),
    ],
)
def test_braces_in_a_plan_id_are_filled_with_the_scheduled_time(written: str, resolved: str) -> None:
    moment = datetime(2026, 11, 20, 13, 5, 59, tzinfo=UTC)
    plan = read(a_plan(planId=written))
    assert resolved_plan_id(plan, moment) == resolved
    elsewhere = moment.astimezone(timezone(timedelta(hours=-14)))
    assert resolved_plan_id(plan, elsewhere) == resolved


def test_the_longest_plan_id_is_not_too_long_when_it_is_filled_in() -> None:
    plan = read(a_plan(planId="p" * 245 + "{date}"))
    assert len(resolved_plan_id(plan, datetime(2026, 11, 20, tzinfo=UTC))) == 255


def test_every_market_of_a_plan_is_named_once() -> None:
    lines = [an_instruction(), a_sale(), an_instruction(marketId="0xab"), an_instruction(marketId="7" * 70)]
    assert market_names(read(a_plan(*lines))) == {"will-x-happen", "0xab", "7" * 70}


@pytest.mark.parametrize(
    ("defaults", "limits", "expected"),
    [
        ({}, {}, Limits()),
        (
            {"maxNotionalUSD": 2000, "maxOrders": 50},
            {},
            Limits(run_notional_max=Usdc(2000 * MICROS), run_orders_max=50),
        ),
        (
            {"maxNotionalUSD": 2000, "maxOrders": 50},
            {"maxRunNotionalUSD": "1500.5", "maxOrdersPerRun": 60, "maxOrderNotionalUSD": 100},
            Limits(
                order_notional_max=Usdc(100 * MICROS),
                run_notional_max=Usdc(1_500_500_000),
                run_orders_max=50,
            ),
        ),
        (
            {},
            {
                "maxDayNotionalUSD": 300,
                "maxMarketNotionalUSD": 80,
                "maxEventLossUSD": 90,
                "maxOpenPositions": 12,
                "maxDailyLossUSD": 40,
                "maxDrawdownUSD": "70.5",
                "maxSpread": 0.04,
                "minDepthUSD": 10,
                "maxBookAgeSeconds": 15,
            },
            Limits(
                day_notional_max=Usdc(300 * MICROS),
                market_notional_max=Usdc(80 * MICROS),
                event_loss_max=Usdc(90 * MICROS),
                open_positions_max=12,
                daily_loss_max=Usdc(40 * MICROS),
                drawdown_max=Usdc(70_500_000),
                spread_max=Price(40_000),
                depth_min=Usdc(10 * MICROS),
                book_age_max=timedelta(seconds=15),
            ),
        ),
    ],
)
def test_of_two_caps_on_the_same_the_tighter_counts(
    defaults: dict[str, Any], limits: dict[str, Any], expected: Limits
) -> None:
    assert plan_limits(read(a_plan(defaults=defaults, limits=limits))) == expected


def test_a_plan_read_from_bytes_is_called_as_told() -> None:
    assert read_plan(json.dumps(a_plan()).encode(), "stdin").name == "stdin"


def test_the_places_at_which_two_plans_differ_are_named() -> None:
    before = read_plan(
        b'{"planId": "x", "mode": "paper", "defaults": {"maxOrders": 3}, "tradeInstructions": ['
        b'{"marketId": "m", "outcome": "YES", "side": "BUY", "price": 0.42, "size": 500, "notes": "a"}]}',
        "before.json",
    )
    after = read_plan(
        b'{"planId": "x", "mode": "live", "tradeInstructions": ['
        b'{"marketId": "m", "outcome": "YES", "side": "BUY", "price": "0.43", "size": 5e2},'
        b'{"marketId": "m", "outcome": "NO", "side": "BUY", "price": 0.1, "size": 10}]}',
        "after.json",
    )
    assert differences(before, after) == [
        "defaults.maxOrders",
        "tradeInstructions[0].price",
        "tradeInstructions[1]",
    ]
    assert differences(before, before) == []
