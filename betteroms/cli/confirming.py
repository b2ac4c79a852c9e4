"""Whether a live plan may be carried out: the switch decides, and then a person who saw what it costs."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from betteroms.cli import render

if TYPE_CHECKING:
    from betteroms.domain.terms import Mode
    from betteroms.jobs.trade import PlanFile
    from betteroms.settings import Settings


def admitted(source: "PlanFile", *, at: datetime | None, yes: bool) -> "Mode":
    """The mode that the plan runs in now; in live somebody has agreed to it.

    Raises:
        LiveOff: a live plan, and the switch is off.
        LiveUnconfirmed: nobody agreed, or nobody is there to be asked.
    """
    from betteroms import wiring
    from betteroms.domain.errors import LiveUnconfirmed
    from betteroms.domain.terms import Mode
    from betteroms.jobs.live.switching import effective
    from betteroms.settings import load

    if source.plan.mode is not Mode.LIVE:
        return source.plan.mode
    settings = load()
    with wiring.switch(settings, name=f"switch for {source.plan.plan_id}") as switch:
        mode = effective(Mode.LIVE, switch)
    if mode is Mode.LIVE and not yes:
        if not is_there():
            raise LiveUnconfirmed("a live plan, and nobody is there to confirm it: nothing was done")
        _agreed(settings, source, at)
    return mode


def is_there() -> bool:
    """Whether somebody can be asked."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def asked(question: str, wanted: str) -> bool:
    """Ask on stderr; whether exactly the wanted words were typed."""
    answer: Any = typer.prompt(
        f"{question}; type {wanted} to go on", default="", show_default=False, err=True
    )
    return str(answer).strip() == wanted


def _agreed(settings: "Settings", source: "PlanFile", at: datetime | None) -> None:
    from betteroms import wiring
    from betteroms.cli.diff import show_preview
    from betteroms.cli.progress import Progress
    from betteroms.domain.errors import LiveUnconfirmed
    from betteroms.domain.terms import Mode
    from betteroms.jobs.diff import shown
    from betteroms.jobs.preview import preview

    with (
        Progress() as progress,
        wiring.desk(settings, Mode.LIVE, name="look before live", show=progress.show) as desk,
    ):
        told, _ = preview(desk, source, at=at)
    result = told["result"]
    show_preview(shown(result), result, told["timing"])
    most = result["diff"]["atMost"]
    cost, fees = render.dollars(most["cost"]), render.dollars(most["fees"])
    question = f"{result['diff']['new']:,} orders go to the venue for at most {cost} and {fees} of fees"
    if not asked(question, "live"):
        raise LiveUnconfirmed("not confirmed: nothing was done")
