"""Which files of a place are plans, told by their names alone."""

from typing import Final

from betteroms.domain.errors import PlanInvalid
from betteroms.sources.plan_problems import Problem, told

SUFFIX: Final = ".json"
PLANS_MAX: Final = 20_000
"""So many plans one place may hold; with more it is taken for a mistake, and none of them is read."""


def is_plan_file(name: str) -> bool:
    """Whether a file of this name should be a plan: `june.json`, but not `.june.json` nor `june.json~`."""
    return name.lower().endswith(SUFFIX) and not name.startswith(".")


def name_shown(name: str) -> str:
    """The name as it can be printed and stored: a file may be called anything."""
    return name if name.isprintable() else ascii(name)[1:-1]


def complaint(name: str, why: str) -> PlanInvalid:
    """A plan, or a place of plans, that cannot be used as a whole."""
    return PlanInvalid(told(name, [Problem((), why)]))


def too_many(name: str) -> PlanInvalid:
    """The complaint about a place with more than `PLANS_MAX` plans."""
    return complaint(name, f"holds more than {PLANS_MAX:,} plans; none of them was read")
