"""`live`: the switch that lets orders leave, or keeps them here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from betteroms.cli import exits, render
from betteroms.cli.options import Json, command, group

if TYPE_CHECKING:
    from betteroms.domain.switch import SwitchState

app = group("The live switch: OFF refuses live plans, SHADOW rehearses them, ON sends their orders.")

MEANINGS = {
    "OFF": "live plans are refused; polling and cancelling go on",
    "SHADOW": "live plans are signed and filled on paper; nothing is sent",
    "ON": "live plans are sent, with --yes or once you have typed it",
}


@command(app, "status", example="betteroms live status", does="Tell how the switch stands.")
def status(as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs.live import switching
    from betteroms.settings import load

    watch = render.Stopwatch(wiring.clock().now())
    with wiring.switch(load(), name="live status") as switch:
        told = switching.status(switch)
    _told("status", told, watch, as_json)


@command(
    app,
    "off",
    example="betteroms live off",
    does="Let no new order leave: at once, also while a run is sending.",
    more="Whoever sends looks at the switch before each batch. What rests at the venue stays there, unless "
    "--cancel ends it, too.",
)
def off(
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel every open order of ours at the venue, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    from betteroms.domain.switch import SwitchState

    code = _turn(SwitchState.OFF, as_json)
    if cancel or (not as_json and _wanted()):
        from betteroms.cli.canceling import cancel_all

        code = exits.worst([code, cancel_all("live", as_json=as_json)])
    raise typer.Exit(code)


def _wanted() -> bool:
    from betteroms.cli.confirming import asked, is_there

    return is_there() and asked("Open orders still rest at the venue, if there are any", "cancel")


@command(
    app,
    "shadow",
    example="betteroms live shadow",
    does="Rehearse live plans: sign them as in live, fill them on paper, send nothing.",
)
def shadow(as_json: Json = False) -> None:
    from betteroms.domain.switch import SwitchState

    raise typer.Exit(_turn(SwitchState.SHADOW, as_json))


@command(
    app,
    "on",
    example="betteroms live on",
    does="Let live plans send their orders.",
    more="For the first time only once a live plan was previewed, or run in the shadow.",
)
def on(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: Json = False
) -> None:
    from betteroms.cli.confirming import asked, is_there
    from betteroms.domain.errors import LiveUnconfirmed
    from betteroms.domain.switch import SwitchState

    if not yes:
        if not is_there():
            raise LiveUnconfirmed("nobody is there to confirm it: the switch stays as it is")
        if not asked("From now on live plans trade with real money", "on"):
            raise LiveUnconfirmed("not confirmed: the switch stays as it is")
    raise typer.Exit(_turn(SwitchState.ON, as_json))


def _turn(state: "SwitchState", as_json: bool) -> int:
    from betteroms import wiring
    from betteroms.jobs.live import switching
    from betteroms.settings import load

    now = wiring.clock().now()
    watch = render.Stopwatch(now)
    with wiring.switch(load(), name=f"live {state.lower()}") as switch:
        told = switching.turn(switch, state, at=now)
    _told(state.lower(), told, watch, as_json)
    return exits.DONE


def _told(verb: str, told: Mapping[str, Any], watch: render.Stopwatch, as_json: bool) -> None:
    if as_json:
        render.document(f"live {verb}", dict(told), watch.timing())
        return
    was = f" (was {told['before']})" if told.get("changed") else ""
    rehearsed = told["rehearsedAt"]
    render.show(
        f"the live switch is {told['state']}{was}: {MEANINGS[told['state']]}",
        f"a live plan was last rehearsed at {rehearsed}" if rehearsed else "no live plan was rehearsed yet",
    )
