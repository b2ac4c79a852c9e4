"""How the live switch decides what becomes of a live plan, and when it may go on."""

from datetime import datetime
from typing import Any

from betteroms.domain.errors import LiveOff, LiveUnrehearsed
from betteroms.domain.switch import SwitchState
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.ports.trading import Switch


def effective(mode: Mode, switch: Switch) -> Mode:
    """The mode that a plan of this mode runs in now (DECISIONS 1.1).

    Raises:
        LiveOff: it is a live plan, and the switch is off.
    """
    if mode is not Mode.LIVE:
        return mode
    match switch.state():
        case SwitchState.ON:
            return Mode.LIVE
        case SwitchState.SHADOW:
            return Mode.SHADOW
        case SwitchState.OFF:
            raise LiveOff("the plan is live, and the live switch is OFF: nothing was done")


def status(switch: Switch) -> dict[str, Any]:
    """How the switch stands, and when a live plan was last rehearsed."""
    return {"state": switch.state().value, "rehearsedAt": told.maybe_instant(switch.rehearsed_at())}


def turn(switch: Switch, state: SwitchState, *, at: datetime) -> dict[str, Any]:
    """Turn the switch; what it stood at before is told, too.

    Raises:
        LiveUnrehearsed: it is to go on, and no live plan was ever previewed or run in the shadow.
    """
    if state is SwitchState.ON and switch.rehearsed_at() is None:
        raise LiveUnrehearsed(
            "no live plan was ever previewed or run in the shadow: look at one before orders leave"
        )
    before = switch.turn(state, at=at)
    return {**status(switch), "before": before.value, "changed": before is not state}
