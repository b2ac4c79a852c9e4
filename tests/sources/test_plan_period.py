"""One file, many runs: what its planId becomes, when it changes, and when a run's time is over."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.sources.plan_period import (
    AHEAD,
    lapsed,
    literal_beginning,
    next_call,
    pattern,
    recurs,
    resolved,
    template_of,
    upcoming,
)

AT = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
INTERVALS = [n for n in range(1, 61) if 60 % n == 0] + [60 * n for n in (2, 3, 4, 6, 8, 12, 24)]
TEMPLATES = [
    "x",
    "x-{date}",
    "x-{hour}",
    "{minute}",
    "{date}-{hour}",
    "{hour}:{minute}",
    "{date} {hour}{minute}",
]
times = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
zones = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def plan(plan_id: object) -> bytes:
    return json.dumps({"planId": plan_id}).encode()


@pytest.mark.parametrize(
    ("template", "plan_id"),
    [
        ("june", "june"),
        ("dip-{date}", "dip-2026-11-20"),
        ("{date}-{hour}-{minute}-{date}", "2026-11-20-13-05-2026-11-20"),
    ],
)
def test_braces_are_filled_in_with_the_scheduled_time_in_utc(template: str, plan_id: str) -> None:
    assert resolved(template, AT) == plan_id
    assert resolved(template, AT.astimezone(timezone(timedelta(hours=-9)))) == plan_id
    assert recurs(template) == (template != plan_id)


@given(template=st.sampled_from(TEMPLATES), prefix=st.text(st.characters(exclude_characters="{}")), at=times)
def test_every_plan_id_fits_the_pattern_of_its_template(template: str, prefix: str, at: datetime) -> None:
    name = resolved(prefix + template, at)
    assert re.search(pattern(prefix + template), name)
    assert name.startswith(literal_beginning(prefix + template))


@pytest.mark.parametrize("name", ["a.b-2026-11-2", "axb-2026-11-20", "a.b-2026-11-20x", "-a.b-2026-11-20"])
def test_what_is_not_made_of_the_template_does_not_fit(name: str) -> None:
    assert not re.search(pattern("a.b-{date}"), name)


@pytest.mark.parametrize(
    ("after", "interval", "call"),
    [
        ("2026-11-20T13:05:00", 60, "2026-11-20T14:00:00"),
        ("2026-11-20T14:00:00", 60, "2026-11-20T15:00:00"),
        ("2026-11-20T13:05:30", 15, "2026-11-20T13:15:00"),
        ("2026-11-20T13:05:30", 1, "2026-11-20T13:06:00"),
        ("2026-11-20T13:05:00", 240, "2026-11-20T16:00:00"),
        ("2026-11-20T13:05:00", 1440, "2026-11-21T00:00:00"),
    ],
)
def test_cron_calls_at_whole_multiples_from_midnight(after: str, interval: int, call: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_call(start, interval=interval) == datetime.fromisoformat(call).replace(tzinfo=UTC)


def test_cron_goes_by_the_clock_on_its_wall() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    call = next_call(AT.astimezone(kathmandu), interval=60)
    assert (call.hour, call.minute) == (19, 0)
    assert call.astimezone(UTC) == datetime(2026, 11, 20, 13, 15, tzinfo=UTC)


@given(at=times, zone=zones, interval=st.sampled_from(INTERVALS), template=st.sampled_from(TEMPLATES))
def test_what_comes_next_is_what_trying_every_call_finds(
    at: datetime, zone: timezone, interval: int, template: str
) -> None:
    after = at.astimezone(zone)
    tried: dict[str, datetime] = {}
    call = next_call(after, interval=interval)
    while call <= after + AHEAD and len(tried) < 5:
        tried.setdefault(resolved(template, call), call)
        call += timedelta(minutes=interval)
    found = [
        (plan_id, when) for when, plan_id in islice(upcoming(template, after=after, interval=interval), 4)
    ]
    assert found == list(tried.items())[:4]


def test_a_plan_id_without_braces_comes_once() -> None:
    assert list(upcoming("june", after=AT, interval=60)) == [(AT.replace(hour=14, minute=0), "june")]


def test_hours_without_a_date_come_round_once_a_day() -> None:
    found = [plan_id for _, plan_id in upcoming("x-{hour}", after=AT, interval=60)]
    assert found == [f"x-{hour % 24:02}" for hour in range(14, 38)]


@pytest.mark.parametrize("text", [b"", b"[]", b'{"planId": 3}', b"{}", b'{"planId"'])
def test_a_file_without_a_plan_id_has_none(text: bytes) -> None:
    assert template_of(text) is None


def test_a_plan_id_is_found_in_a_file_that_breaks_the_rules_of_today() -> None:
    assert template_of(b'{"planId": "x-{date}", "abolished": [1]}') == "x-{date}"


@pytest.mark.parametrize(
    ("template", "later", "over"),
    [
        ("x-{date}", timedelta(hours=10, minutes=54), False),
        ("x-{date}", timedelta(hours=10, minutes=55), True),
        ("x-{hour}", timedelta(minutes=54), False),
        ("x-{hour}", timedelta(minutes=55), True),
        ("x-{hour}", timedelta(days=1), False),
        ("x-{date}", timedelta(0), False),
        ("x-{date}", timedelta(days=-1), False),
        ("x", timedelta(days=100), False),
    ],
)
def test_a_run_lapses_when_its_file_would_be_another_run(template: str, later: timedelta, over: bool) -> None:
    plan_id = resolved(template, AT)
    assert lapsed(plan(template), plan_id=plan_id, scheduled_at=AT, now=AT + later) is over


def test_a_run_whose_file_cannot_be_read_does_not_lapse() -> None:
    assert not lapsed(b"?", plan_id="x-2026-11-20", scheduled_at=AT, now=AT + timedelta(days=2))
