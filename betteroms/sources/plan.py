"""Trade plans: text in, a `Plan` out, with every complaint at once; and what a plan says of its run."""

import json
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from betteroms.domain.errors import PlanInvalid
from betteroms.domain.risk.limits import Limits, tighter
from betteroms.sources.plan_complaints import complaints, plan_contradictions
from betteroms.sources.plan_fields import NOTES_LENGTH_MAX, OnRefusal
from betteroms.sources.plan_model import INSTRUCTIONS_MAX, Instruction, Plan
from betteroms.sources.plan_period import resolved
from betteroms.sources.plan_problems import PROBLEMS_SHOWN_MAX, Problem, told
from betteroms.sources.plan_schema import schema, schema_text
from betteroms.sources.plan_text import DEPTH_MAX, PLAN_BYTES_MAX, Unreadable, depth_problems, exact_json
from betteroms.sources.wishes import intents, market_names

__all__ = [
    "DEPTH_MAX",
    "INSTRUCTIONS_MAX",
    "LIMIT_KEYS",
    "NOTES_LENGTH_MAX",
    "PLAN_BYTES_MAX",
    "PROBLEMS_SHOWN_MAX",
    "OnRefusal",
    "Plan",
    "content_hash",
    "differences",
    "intents",
    "load_plan",
    "market_names",
    "plan_bytes",
    "plan_limits",
    "read_plan",
    "resolved_plan_id",
    "schema",
    "schema_text",
]

LIMIT_KEYS: Final[Mapping[str, str]] = {
    "order_notional_max": "maxOrderNotionalUSD",
    "run_notional_max": "maxRunNotionalUSD",
    "run_orders_max": "maxOrdersPerRun",
    "day_notional_max": "maxDayNotionalUSD",
    "market_notional_max": "maxMarketNotionalUSD",
    "event_loss_max": "maxEventLossUSD",
    "open_positions_max": "maxOpenPositions",
    "daily_loss_max": "maxDailyLossUSD",
    "drawdown_max": "maxDrawdownUSD",
    "spread_max": "maxSpread",
    "depth_min": "minDepthUSD",
    "book_age_max": "maxBookAgeSeconds",
}
"""What a plan calls each cap."""


def read_plan(text: bytes, name: str) -> Plan:
    """Read a plan; `name` is what complaints call it.

    Raises:
        PlanInvalid: it breaks the format or contradicts itself; all problems, by place.
    """
    try:
        document, problems = exact_json(text)
    except Unreadable as error:
        raise _unreadable(name, str(error)) from None
    try:
        plan = Plan.model_validate(document)
    except ValidationError:
        problems += depth_problems(document) + complaints(document)
        raise PlanInvalid(told(name, problems)) from None
    problems += plan_contradictions(plan)
    if problems:
        raise PlanInvalid(told(name, problems))
    return plan.named(name)


def load_plan(path: Path) -> Plan:
    """Read a plan from a file, which complaints call by its path.

    Raises:
        PlanInvalid: as from `read_plan`; or the file is missing, unreadable, a directory or too large.
    """
    return read_plan(plan_bytes(path), str(path))


def plan_bytes(path: Path) -> bytes:
    """The bytes of a plan's file, whatever they say.

    Raises:
        PlanInvalid: the file is missing, unreadable, a directory or too large.
    """
    name = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _unreadable(name, "is a directory, not a plan")
        if status.st_size > PLAN_BYTES_MAX:
            raise _unreadable(name, f"has {status.st_size:,} bytes; the most is {PLAN_BYTES_MAX:,}")
        with path.open("rb") as file:
            # One byte more than allowed: what is no regular file has no size to go by.
            return file.read(PLAN_BYTES_MAX + 1)
    except OSError as error:
        raise _unreadable(name, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise _unreadable(name, "is no possible name of a file") from None


def content_hash(plan: Plan) -> str:
    """SHA-256, in hexadecimal, of what the plan wants done (DECISIONS 1.1).

    Where it runs, when, and what is noted beside it do not count: `$schema`, `mode`, `priority`,
    `active`, `notes`. Nor does how a number is spelled or how keys are ordered.
    """
    canonical = json.dumps(_content(plan), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(canonical.encode("ascii")).hexdigest()


def differences(before: Plan, after: Plan) -> list[str]:
    """The places at which two plans want different things, as JSON paths; empty where the hashes agree."""
    return list(_differing(_content(before), _content(after), ""))


def resolved_plan_id(plan: Plan, scheduled_at: datetime) -> str:
    """The planId with `{date}`, `{hour}` and `{minute}` filled in, in UTC: `x-2026-11-20-13-05`."""
    return resolved(plan.plan_id, scheduled_at)


def plan_limits(plan: Plan) -> Limits:
    """The caps the plan sets on its own run: of `defaults` and `limits` the tighter."""
    defaults, limits = plan.defaults, plan.limits
    stated: dict[str, Any] = {name: limits.get(key) for name, key in LIMIT_KEYS.items()}
    if stated["book_age_max"] is not None:
        stated["book_age_max"] = timedelta(seconds=stated["book_age_max"])
    return tighter(
        Limits(run_notional_max=defaults.get("maxNotionalUSD"), run_orders_max=defaults.get("maxOrders")),
        Limits(**stated),
    )


def _content(plan: Plan) -> dict[str, Any]:
    return {
        "planId": plan.plan_id,
        "onRefusal": plan.on_refusal,
        "defaults": plan.defaults,
        "limits": plan.limits,
        "tradeInstructions": [_without_notes(item) for item in plan.instructions],
    }


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            place = f"{path}.{key}" if path else key
            yield from _differing(before.get(key), after.get(key), place)
    elif isinstance(before, list) and isinstance(after, list):
        for number, (one, other) in enumerate(zip_longest(before, after)):
            yield from _differing(one, other, f"{path}[{number}]")
    elif before != after:
        yield path


def _without_notes(item: Instruction) -> dict[str, object]:
    return {key: value for key, value in item.items() if key != "notes"}


def _unreadable(name: str, why: str) -> PlanInvalid:
    return PlanInvalid(told(name, [Problem((), why)]))
