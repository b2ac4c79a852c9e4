"""Days, weeks and months are those of UTC."""

from datetime import datetime

import pytest

from betteroms.domain.period import ALWAYS, Period, PeriodName, period_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "moment", "since", "until"),
    [
        ("day", "2026-11-20T12:34:56Z", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
        ("day", "2026-11-21T00:30:00+01:00", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
        ("week", "2026-11-20T12:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("week", "2026-11-16T00:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("month", "2026-11-20T12:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("month", "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("month", "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_a_moment_lies_in_a_whole_day_week_or_month(name: str, moment: str, since: str, until: str) -> None:
    assert period_of(PeriodName(name), at(moment)) == Period(since=at(since), until=at(until))


def test_all_time_has_no_bounds() -> None:
    assert period_of(PeriodName.ALL, at("2026-11-20T12:00:00Z")) == ALWAYS
    assert at("1970-01-01T00:00:00Z") in ALWAYS


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    day = period_of(PeriodName.DAY, at("2026-11-20T12:00:00Z"))
    inside = {moment: at(moment) in day for moment in ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")}
    assert inside == {"2026-11-20T00:00:00Z": True, "2026-11-21T00:00:00Z": False}
    assert at("2026-11-19T23:59:59Z") not in day
    assert at("2026-11-19T23:59:59Z") in Period(until=day.since)
