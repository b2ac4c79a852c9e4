"""Where a scheduled run gets its plans: what counts as the same plan, their order, and what is left out."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from betteroms.adapters.directory import PlanDirectory
from betteroms.domain.errors import BetterOmsError, StorageUnreachable
from betteroms.domain.ids import RunId
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.jobs.supply import SHELF, Supply, supply, to_abandon
from betteroms.ports import FoundPlan, PlanPlace, StoredPlan
from betteroms.records import UnfinishedTrade
from betteroms.sources.plan import PLAN_BYTES_MAX

AT = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
WISH = {"marketId": "will-x-happen", "outcome": "YES", "side": "BUY", "price": 0.42, "size": 100}


def plan(plan_id: str, *, size: int = 100, **fields: Any) -> bytes:
    wish = {**WISH, "size": size}
    return json.dumps({"planId": plan_id, "mode": "paper", "tradeInstructions": [wish], **fields}).encode()


def stored(plan_id: str, *, active: bool = True, file: str = "plans/s.json", **fields: Any) -> StoredPlan:
    return StoredPlan(
        mode=Mode(fields.get("mode", "paper")),
        plan_id=plan_id,
        priority=fields.get("priority", 100),
        active=active,
        file=file,
        content_hash="",
        body=plan(plan_id, **fields),
        added_at=AT,
        changed_at=AT,
    )


@dataclass(frozen=True)
class Place:
    """A place that holds what it is given, and then fails if it is told to."""

    name: str
    files: dict[str, bytes]
    fault: BetterOmsError | None = None

    def plans(self) -> Iterator[FoundPlan]:
        for file, body in self.files.items():
            yield FoundPlan(name=f"{self.name}/{file}", file=file, body=body)
        if self.fault is not None:
            raise self.fault


def look(*places: PlanPlace, shelf: tuple[StoredPlan, ...] = (), at: datetime = AT) -> Supply:
    return supply(places, shelf, scheduled_at=at)


def names(found: Supply) -> list[str]:
    return [source.name for source in found.plans]


def problems(found: Supply) -> dict[str, str]:
    return {each.name: str(each.fault) for each in found.refused}


def test_plans_come_by_priority_and_then_by_the_name_of_their_file(tmp_path: Path) -> None:
    files = {"c.json": ("one", 5), "b.json": ("two", 100), "a.json": ("three", 100)}
    for file, (plan_id, priority) in files.items():
        (tmp_path / file).write_bytes(plan(plan_id, priority=priority))
    shelf = (
        stored("four", file="elsewhere/aa.json"),
        stored("five", file="z.json", priority=1),
    )
    found = look(PlanDirectory(tmp_path), shelf=shelf)
    assert names(found) == [
        "z.json (stored)",
        f"{tmp_path}/c.json",
        f"{tmp_path}/a.json",
        "elsewhere/aa.json (stored)",
        f"{tmp_path}/b.json",
    ]
    assert found.found == {str(tmp_path): 3, SHELF: 2}
    assert (found.inactive, found.refused) == ((), ())


def test_a_plan_keeps_the_bytes_that_were_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(plan("one"))
    (source,) = look(PlanDirectory(tmp_path)).plans
    assert (source.body, source.plan.plan_id) == (plan("one"), "one")


def test_an_invalid_file_is_refused_and_keeps_no_other_out(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_bytes(plan("two"))
    (tmp_path / "c.json").symlink_to("nowhere")
    (tmp_path / "trade-plan-v1.schema.json").write_text('{"type": "object"}')
    found = look(PlanDirectory(tmp_path))
    assert names(found) == [f"{tmp_path}/b.json"]
    told = problems(found)
    assert set(told) == {f"{tmp_path}/{name}" for name in ("a.json", "c.json", "trade-plan-v1.schema.json")}
    assert told[f"{tmp_path}/a.json"].startswith(f"{tmp_path}/a.json: is not valid JSON at line 1")
    assert told[f"{tmp_path}/c.json"] == f"{tmp_path}/c.json: cannot be read: No such file or directory"
    assert (
        f"{tmp_path}/trade-plan-v1.schema.json type: is an unknown key"
        in told[f"{tmp_path}/trade-plan-v1.schema.json"]
    )


def test_a_place_that_cannot_be_read_is_refused_and_keeps_no_other_out(tmp_path: Path) -> None:
    down = Place("s3://bucket/p", {}, fault=StorageUnreachable("s3://bucket/p: no answer"))
    found = look(down, PlanDirectory(tmp_path / "none"), shelf=(stored("one"),))
    assert names(found) == ["plans/s.json (stored)"]
    assert problems(found) == {
        "s3://bucket/p": "s3://bucket/p: no answer",
        f"{tmp_path}/none": f"{tmp_path}/none: does not exist",
    }
    assert found.found == {SHELF: 1}


def test_what_a_place_gave_before_it_failed_is_carried_out() -> None:
    half = Place("s3://bucket/p", {"a.json": plan("one")}, fault=StorageUnreachable("gone"))
    assert names(look(half)) == ["s3://bucket/p/a.json"]


def test_the_same_plan_in_two_places_is_taken_once() -> None:
    one = Place("one", {"b.json": plan("x", notes="here")})
    two = Place("two", {"a.json": plan("x", priority=200), "b.json": plan("x")})
    assert names(look(one, two, shelf=(stored("x"),))) == ["one/b.json"]


def test_of_two_different_plans_with_one_plan_id_none_is_carried_out() -> None:
    here = Place("here", {"a.json": plan("x"), "b.json": plan("y")})
    found = look(here, shelf=(stored("x", size=200),))
    assert names(found) == ["here/b.json"]
    assert problems(found) == {
        one: f"{one}: planId x in mode paper is also that of {other}, with other content: "
        "it differs at tradeInstructions[0].size; none of them is carried out"
        for one, other in (("here/a.json", "plans/s.json (stored)"), ("plans/s.json (stored)", "here/a.json"))
    }


def test_many_differences_are_counted() -> None:
    wishes = [{**WISH, "ref": str(number)} for number in range(9)]
    here = Place("here", {"a.json": plan("x"), "b.json": plan("x", tradeInstructions=wishes)})
    assert "tradeInstructions[4] and 4 more; none of them" in problems(look(here))["here/a.json"]


def test_the_same_plan_id_in_another_mode_is_another_plan() -> None:
    here = Place("here", {"a.json": plan("x"), "b.json": plan("x", mode="live", notes="b")})
    assert names(look(here)) == ["here/a.json", "here/b.json"]


def test_two_templates_that_name_the_same_run_are_in_each_others_way() -> None:
    here = Place("here", {"a.json": plan("x-{date}"), "b.json": plan("x-2026-11-20")})
    assert names(look(here)) == []
    assert "differs at planId;" in problems(look(here))["here/a.json"]
    assert names(look(here, at=AT + timedelta(days=1))) == ["here/a.json", "here/b.json"]


def test_a_plan_that_is_switched_off_is_left_out() -> None:
    here = Place("here", {"a.json": plan("x", active=False)})
    found = look(here, shelf=(stored("y-{date}", active=False),))
    assert found.plans == ()
    assert [(each.plan_id, each.names) for each in found.inactive] == [
        ("x", ("here/a.json",)),
        ("y-2026-11-20", ("plans/s.json (stored)",)),
    ]


def test_the_switch_of_a_stored_plan_beats_what_its_file_says() -> None:
    found = look(shelf=(stored("x", active=True, notes="n"),))
    assert names(found) == ["plans/s.json (stored)"]
    off_in_the_file = stored("y")
    body = plan("y", active=False)
    switched_on = StoredPlan(
        **{name: getattr(off_in_the_file, name) for name in StoredPlan.__slots__ if name != "body"}, body=body
    )
    assert names(look(shelf=(switched_on,))) == ["plans/s.json (stored)"]


@pytest.mark.parametrize("size", [100, 200])
def test_a_plan_that_is_switched_off_anywhere_is_off_everywhere(size: int) -> None:
    here = Place("here", {"a.json": plan("x", size=size)})
    found = look(here, shelf=(stored("x", active=False),))
    assert (found.plans, found.refused) == ((), ())
    assert [each.names for each in found.inactive] == [("here/a.json", "plans/s.json (stored)")]


def test_plans_that_together_are_too_large_are_refused_from_there_on() -> None:
    blank = b" " * PLAN_BYTES_MAX
    here = Place("here", {"a.json": plan("x"), **{f"b{number}.json": blank for number in range(8)}})
    found = look(here, shelf=(stored("y"),))
    assert names(found) == ["here/a.json"]
    told = problems(found)
    assert told["here/b6.json"] == "here/b6.json: is empty"
    why = "the plans of one run have more than 536,870,912 bytes"
    assert told["here/b7.json"] == f"here/b7.json: {why}"
    assert told["plans/s.json (stored)"] == f"plans/s.json (stored): {why}"


def test_ten_thousand_plans_are_read_quickly(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number:05}.json").write_bytes(plan(f"p{number}-{{date}}", priority=number % 7))
    began = time.monotonic()
    found = look(PlanDirectory(tmp_path))
    assert len(found.plans) == 10_000
    assert found.plans[0].plan.plan_id == "p0-{date}"
    assert time.monotonic() - began < 20, "about two seconds on an idle machine"


def trade(plan_id: str, body: bytes | None, *, number: int, ago: timedelta) -> UnfinishedTrade:
    return UnfinishedTrade(
        run_id=RunId(str(number)),
        plan_id=plan_id,
        status=RunStatus.FAILED,
        scheduled_at=AT - ago,
        plan=body,
    )


def test_unfinished_runs_are_abandoned_when_their_period_is_over() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    trades = [
        trade("x-2026-11-20", plan("x-{date}"), number=1, ago=hour),
        trade("x-2026-11-19", plan("x-{date}"), number=2, ago=day),
        trade("y-12", plan("y-{hour}"), number=3, ago=hour),
        trade("once", plan("once"), number=4, ago=day),
        trade("lost-2026-11-19", None, number=5, ago=day),
        trade("z-2026-11-19", plan("z-{date}", abolished=1), number=6, ago=day),
    ]
    assert to_abandon(trades, scheduled_at=AT) == ["2", "3", "6"]
