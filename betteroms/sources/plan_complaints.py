"""Everything that is wrong with a plan, not only the first of it."""

from collections.abc import Callable, Mapping, Set
from difflib import get_close_matches
from functools import cache
from operator import itemgetter
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from betteroms.domain.money import MICROS
from betteroms.sources.plan_fields import TEXT_RULES
from betteroms.sources.plan_model import INSTRUCTIONS_MAX, Defaults, Instruction, Plan, PlanLimits
from betteroms.sources.plan_problems import PROBLEMS_SHOWN_MAX, Path, Problem
from betteroms.sources.plan_rules import contradictions, default_contradictions, plain_keys, repeated_refs
from betteroms.sources.plan_text import shown

_KEYS: Final[Mapping[str | int | None, list[str]]] = {
    None: [field.alias or name for name, field in Plan.model_fields.items()],
    "defaults": [*Defaults.__annotations__],
    "limits": [*PlanLimits.__annotations__],
    "tradeInstructions": [*Instruction.__annotations__],
}
_KEY_LENGTH_MAX: Final = 2 * max(len(key) for keys in _KEYS.values() for key in keys)
_DECISIVE: Final = frozenset({"marketId", "side", "type", "timeInForce", "cancelAfterSec", "goodForSeconds"})
"""Fields that others are judged by: where one of them cannot be read, the others cannot be judged."""


def plan_contradictions(plan: Plan) -> list[Problem]:
    """What the fields of a plan say against each other."""
    found: list[Problem] = []
    defaults = plan.defaults
    default_contradictions(defaults, found)
    refs: list[tuple[int, str]] = []
    plain = plain_keys(defaults)
    for line, item in enumerate(plan.instructions):
        if tuple(item) in plain:
            continue
        contradictions(line, item, defaults, found)
        if "ref" in item:
            refs.append((line, item["ref"]))
    repeated_refs(refs, found)
    return found


def complaints(document: Any) -> list[Problem]:
    """Why the document is no plan: each field that is wrong, and how the right ones contradict."""
    say = _Words()
    items = document.get("tradeInstructions") if isinstance(document, dict) else None
    if not isinstance(items, list):
        return _head(document, say)[0]
    found, defaults, broken = _head({**document, "tradeInstructions": []}, say)
    if len(items) > INSTRUCTIONS_MAX:
        what = f"has {len(items):,} instructions; the most is {INSTRUCTIONS_MAX:,}"
        return [*found, Problem(("tradeInstructions",), what)]
    default_contradictions(defaults, found)
    reader = _instruction_reader()
    refs: list[tuple[int, str]] = []
    for line, written in enumerate(items):
        wrong: set[str] = set()
        try:
            item = reader.validate_python(written)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                found.append(say(("tradeInstructions", line), details))
                wrong.update(map(str, details["loc"]))
            if not isinstance(written, dict) or _DECISIVE & wrong:
                continue
            sound = {key: value for key, value in written.items() if key not in wrong}
            item = reader.validate_python({"size": MICROS, **sound})
        # Nothing is blamed on a field that could not be read, nor on a default that could not.
        unsure = wrong | (broken - written.keys())
        if not _DECISIVE & unsure:
            said: list[Problem] = []
            contradictions(line, item, defaults, said)
            found.extend(problem for problem in said if problem.path[-1] not in unsure)
        if "ref" in item:
            refs.append((line, item["ref"]))
    repeated_refs(refs, found)
    return found


def _head(document: Any, say: "_Words") -> tuple[list[Problem], Defaults, Set[str]]:
    """What is wrong outside the instructions; the defaults that are right, and the keys of the others."""
    found: list[Problem] = []
    broken: set[str] = set()
    try:
        return found, Plan.model_validate(document).defaults, broken
    except ValidationError as error:
        for details in error.errors(include_url=False):
            found.append(say((), details))
            if details["loc"][:1] == ("defaults",):
                broken.update(
                    map(str, details["loc"][1:]) if details["loc"][1:] else Defaults.__annotations__
                )
    written = document.get("defaults") if isinstance(document, dict) else None
    entries = written.items() if isinstance(written, dict) else ()
    sound = {key: value for key, value in entries if key not in broken}
    return found, _defaults_reader().validate_python(sound), broken


@cache
def _defaults_reader() -> TypeAdapter[Defaults]:
    return TypeAdapter(Defaults)


@cache
def _instruction_reader() -> TypeAdapter[Instruction]:
    return TypeAdapter(Instruction)


class _Words:
    """What to say of each thing that pydantic found."""

    def __init__(self) -> None:
        self._unknown: dict[tuple[str | int | None, str], str] = {}

    def __call__(self, at: Path, details: ErrorDetails) -> Problem:
        path = (*at, *details["loc"])
        if details["type"] == "extra_forbidden":
            return Problem(path, self._unknown_key(path[0] if path[1:] else None, str(path[-1])))
        return Problem(path, _WORDS.get(details["type"], itemgetter("msg"))(details))

    def _unknown_key(self, place: str | int | None, key: str) -> str:
        """Each is looked at once, and no more of them than are ever shown: to find likeness is slow."""
        said = self._unknown.get((place, key))
        if said is None:
            said = "is an unknown key"
            if len(self._unknown) < PROBLEMS_SHOWN_MAX and len(key) <= _KEY_LENGTH_MAX:
                close = get_close_matches(key, _KEYS[place], n=1)
                said += "".join(f"; did you mean {match}?" for match in close)
                self._unknown[place, key] = said
        return said


def _not(what: str) -> Callable[[ErrorDetails], str]:
    return lambda details: f"{shown(details['input'])} is not {what}"


def _too_long(details: ErrorDetails) -> str:
    return f"has {len(details['input']):,} characters; the most is {details['ctx']['max_length']:,}"


def _one_of(details: ErrorDetails) -> str:
    return f"{shown(details['input'])} is not {details['ctx']['expected'].replace(chr(39), '')}"


_WORDS: Final[Mapping[str, Callable[[ErrorDetails], str]]] = {
    "missing": lambda _: "is missing",
    "value_error": lambda details: str(details["ctx"]["error"]),
    "enum": _one_of,
    "bool_type": _not("true or false"),
    "string_type": _not("text"),
    "string_unicode": lambda _: "holds half of a surrogate pair, which is no character",
    "string_too_short": lambda _: "is empty",
    "string_too_long": _too_long,
    "string_pattern_mismatch": lambda details: (
        f"{shown(details['input'])} {TEXT_RULES[details['ctx']['pattern']]}"
    ),
    "dict_type": _not("an object"),
    "model_type": _not("an object"),
    "tuple_type": _not("a list"),
}
