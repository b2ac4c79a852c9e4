"""A span of time that a report is about: days, weeks and months are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class PeriodName(StrEnum):
    """What people call a span: since midnight, since Monday, since the first, since ever."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` on and before `until`; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


ALWAYS = Period()


def period_of(name: PeriodName, at: datetime) -> Period:
    """The whole day, week or month in which `at` lies."""
    if name is PeriodName.ALL:
        return ALWAYS
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if name is PeriodName.DAY:
        return Period(since=midnight, until=midnight + timedelta(days=1))
    if name is PeriodName.WEEK:
        monday = midnight - timedelta(days=midnight.weekday())
        return Period(since=monday, until=monday + timedelta(days=7))
    first = midnight.replace(day=1)
    return Period(since=first, until=(first + timedelta(days=31)).replace(day=1))
