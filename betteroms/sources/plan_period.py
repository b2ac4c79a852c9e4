"""When one plan file is run again: the braces of its planId, and the times at which cron calls."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from betteroms.sources.plan_text import Unreadable, exact_json

AHEAD: Final = timedelta(days=2)
"""How far `upcoming` looks: by then every planId with a brace was due, whatever the hour of the day."""

_BRACES: Final = {
    "{date}": ("%Y-%m-%d", "[0-9]{4}-[0-9]{2}-[0-9]{2}", timedelta(days=1)),
    "{hour}": ("%H", "[0-9]{2}", timedelta(hours=1)),
    "{minute}": ("%M", "[0-9]{2}", timedelta(minutes=1)),
}
_INSTANT: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def resolved(template: str, scheduled_at: datetime) -> str:
    """The planId with `{date}`, `{hour}` and `{minute}` filled in, in UTC: `x-2026-11-20-13-05`."""
    assert scheduled_at.tzinfo is not None, "times are always aware"
    if "{" not in template:
        return template
    moment = scheduled_at.astimezone(UTC)
    for brace, (form, _, _) in _BRACES.items():
        template = template.replace(brace, moment.strftime(form))
    return template


def recurs(template: str) -> bool:
    """Whether the planId names a new run as time goes by."""
    return any(brace in template for brace in _BRACES)


def literal_beginning(template: str) -> str:
    """What every planId made of the template begins with."""
    return template.partition("{")[0]


def pattern(template: str) -> str:
    """A regular expression, good for Python and PostgreSQL, that fits the planIds made of the template."""
    escaped = re.escape(template)
    for brace, (_, digits, _) in _BRACES.items():
        escaped = escaped.replace(re.escape(brace), digits)
    return f"^{escaped}$"


def template_of(plan: bytes) -> str | None:
    """The planId as a plan's file has it, though the rest of it may break this version's rules."""
    try:
        document, _ = exact_json(plan)
    except Unreadable:
        return None
    found = document.get("planId") if isinstance(document, dict) else None
    return found if isinstance(found, str) else None


def lapsed(plan: bytes, *, plan_id: str, scheduled_at: datetime, now: datetime) -> bool:
    """Whether the period of a run is over: its file would by now be another run (DECISIONS 1.2).

    `plan` is the file as the run kept it, `plan_id` what its planId was at `scheduled_at`, and `now` the
    present scheduled time. A plan without braces never lapses, nor does anything while the clock is behind
    the run, as after it was set back.
    """
    template = template_of(plan)
    if template is None or not recurs(template) or now <= scheduled_at:
        return False
    return resolved(template, now) != plan_id


def next_call(after: datetime, *, interval: int) -> datetime:
    """The first time after `after` at which cron calls `run`, each so many minutes.

    Cron counts from midnight where it lives: that of the zone `after` is given in.
    """
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(minutes=interval)
    return midnight + ((after - midnight) // step + 1) * step


def upcoming(template: str, *, after: datetime, interval: int) -> Iterator[tuple[datetime, str]]:
    """The planIds that cron's calls after `after` will name, once each, with the call that is their first.

    `interval` is in minutes; `after` is in the zone that cron lives in.
    """
    seen: set[str] = set()
    at = next_call(after, interval=interval)
    while at <= after + AHEAD:
        plan_id = resolved(template, at)
        if plan_id not in seen:
            seen.add(plan_id)
            yield at, plan_id
        if not recurs(template):
            return
        # The last instant before the planId changes, and the first call after that.
        end = _period_end(template, at) - _INSTANT
        at = next_call(end.astimezone(after.tzinfo), interval=interval)


def _period_end(template: str, at: datetime) -> datetime:
    """When the planId changes next: the end of the UTC minute, hour or day."""
    length = min(length for brace, (_, _, length) in _BRACES.items() if brace in template)
    return _EPOCH + ((at - _EPOCH) // length + 1) * length
