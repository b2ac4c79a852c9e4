"""How a command says, on stderr, what went wrong."""

import json
import sys
from contextlib import suppress
from typing import Final

from betteroms.cli.exits import Exit, exit_for
from betteroms.domain.errors import BetterOmsError

PROBLEMS_SHOWN_MAX: Final = 50


def say(text: str) -> None:
    """Talk, to stderr; a closed stderr is no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{clean(text)}\n")
        sys.stderr.flush()


def clean(text: str) -> str:
    """The text without what could drive a terminal: file names and venues may hold anything."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def tell(
    fault: BaseException,
    *,
    json_wanted: bool,
    message: str | None = None,
    end: Exit | None = None,
    about: str | None = None,
) -> int:
    """Say what went wrong, in words or as one line of JSON; the exit code it means.

    `message` and `end` replace what the fault says of itself; `about` is which of several things it befell.
    """
    end = end or exit_for(fault)
    problems = list(getattr(fault, "problems", ()))
    text = message or _message(fault, problems)
    if about is not None:
        text = told_of(about, text)
    if json_wanted:
        error = {"code": end.name, "exitCode": end.code, "message": text, "problems": problems}
        say(json.dumps({"schemaVersion": 1, "error": error}))
        return end.code
    first, *rest = text.splitlines() or [type(fault).__name__]
    say("\n".join([f"error: {first}", *(f"  {line}" for line in rest)]))
    if end.hint:
        say(f"hint: {end.hint}")
    return end.code


def told_of(name: str, text: str) -> str:
    """What went wrong with which thing; what is wrong with a file begins with its name already."""
    return text if text.startswith(f"{name}:") else f"{name}: {text}"


def _message(fault: BaseException, problems: list[str]) -> str:
    if not isinstance(fault, BetterOmsError | OSError):
        return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    text = str(fault)
    if len(problems) == 1 and problems[0] == text:
        return text
    if problems and text == "\n".join(problems):
        text = f"{len(problems)} problems"
    shown = problems[:PROBLEMS_SHOWN_MAX]
    if len(problems) > len(shown):
        shown.append(f"… and {len(problems) - len(shown)} more; --json names them all")
    return "\n".join([text, *shown])
