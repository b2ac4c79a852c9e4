"""Exit rules as an operator types them: the fields of a plan, one by one, from text."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from betteroms.domain.errors import PlanInvalid
from betteroms.domain.intent import ExitRules
from betteroms.sources.plan_model import Defaults, ExitRuleKeys
from betteroms.sources.plan_problems import Problem
from betteroms.sources.plan_rules import default_contradictions
from betteroms.sources.wishes import exit_rules_of


def read_rules(written: Mapping[str, str]) -> ExitRules:
    """The rules that this text says; keys are those of a plan, bounds and decimals too.

    Raises:
        PlanInvalid: every problem at once, each beginning with its key; also where nothing is said.
    """
    try:
        keys = _reader().validate_python(dict(written))
    except ValidationError as error:
        raise PlanInvalid([_told(details) for details in error.errors(include_url=False)]) from None
    found: list[Problem] = []
    default_contradictions(cast(Defaults, keys), found)
    if found:
        raise PlanInvalid([f"{problem.path[-1]}: {problem.what}" for problem in found])
    rules = exit_rules_of(keys)
    if rules is None:
        raise PlanInvalid(["no rule is given"])
    return rules


def _told(details: Any) -> str:
    return f"{details['loc'][-1]}: {details['msg'].removeprefix('Value error, ')}"


@cache
def _reader() -> TypeAdapter[ExitRuleKeys]:
    return TypeAdapter(ExitRuleKeys)
