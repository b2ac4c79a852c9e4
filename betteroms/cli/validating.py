"""`validate`: what can be said of plans without a network and without a database."""

from pathlib import Path
from typing import Annotated, Any

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import tell
from betteroms.cli.options import Json


def validate(
    plans: Annotated[
        list[Path], typer.Argument(metavar="PLAN.json", readable=False, help="The trade plans.")
    ],
    as_json: Json = False,
) -> None:
    codes = [_validated(path, as_json) for path in plans]
    raise typer.Exit(exits.worst(codes))


def _validated(path: Path, as_json: bool) -> int:
    from betteroms.domain.errors import PlanInvalid
    from betteroms.sources.plan import load_plan

    row: dict[str, Any] = {"file": str(path), "valid": True, "problems": []}
    try:
        plan = load_plan(path)
    except PlanInvalid as fault:
        if not as_json:
            return tell(fault, json_wanted=False)
        render.lines([{**row, "valid": False, "problems": list(fault.problems)}])
        return exits.USAGE
    count = len(plan.instructions)
    if as_json:
        told = {"planId": plan.plan_id, "mode": plan.mode.value, "instructions": count}
        render.lines([{**row, **told}])
    else:
        words = f"{count:,} instruction{'s' if count != 1 else ''}"
        render.text(f"{path}: valid; planId {plan.plan_id}, mode {plan.mode.value}, {words}")
    return exits.DONE
