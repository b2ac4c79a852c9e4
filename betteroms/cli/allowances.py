"""`set-allowances`: what the venue's contracts may move of the wallet's tokens."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import Json, command

if TYPE_CHECKING:
    from betteroms.domain.approval import Standing
    from betteroms.wiring.account import Approving

EXACT: Final = "exact"
NO_LIMIT: Final = "unlimited"
NEEDS_YES: Final = "nobody can be asked here: --yes sends it"


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "set-allowances",
        example="betteroms set-allowances",
        does="Let the venue's contracts move the wallet's dollars and shares, as trading needs it.",
        more="Shows what is and what is missing, asks, and sends only that; again, it does the rest.",
    )(set_allowances)


def set_allowances(
    amount: Annotated[
        str,
        typer.Option(
            "--amount", metavar="exact|unlimited|USD", help="How many dollars; exact: what the wallet holds."
        ),
    ] = NO_LIMIT,
    full: Annotated[
        bool, typer.Option("--full", help="Also what splitting, merging and redeeming need.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take all approvals back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.cli.progress import Progress
    from betteroms.jobs import allowances
    from betteroms.settings import load
    from betteroms.wiring import account

    meant = None if revoke else _amount(amount)
    if revoke and amount != NO_LIMIT:
        raise typer.BadParameter("--revoke takes everything back: it has no --amount")
    settings, watch = account.unlocked(load()), render.Stopwatch(wiring.clock().now())
    with account.approving(settings) as at:
        chosen = [each for each in at.every if each.trading or full or revoke]
        dollars = allowances.amount_meant(at.chain, meant)
        before = allowances.survey(at.chain, chosen, dollars=dollars)
        todo = allowances.unmet(before)
        after: Sequence[Standing] = before
        if not as_json:
            _show(at, before)
        if todo and _agreed(len(todo), yes=yes):
            with Progress() as progress:
                progress.show("sending")
                after = allowances.carry_out(at.chain, at.open_sender(), before, said=progress.show)
        # Told of it even where nothing was to be done: the run that did it may have been killed before this.
        at.refresh()
    done = len(todo) - len(allowances.unmet(after))
    if as_json:
        result = {
            "wallet": at.wallet.address,
            "kind": at.wallet.name,
            "approvals": [_row(each) for each in after],
            "changed": done,
        }
        render.document("set-allowances", result, watch.timing())
    elif todo and done:
        render.text(f"done: {done} of {len(todo)}")


def _amount(text: str) -> str | int:
    from betteroms.domain.money import to_micros

    if text in (EXACT, NO_LIMIT):
        return text
    micros = to_micros(text)
    if micros <= 0:
        raise typer.BadParameter("--amount is exact, unlimited, or dollars above 0; --revoke takes back")
    return micros


def _agreed(count: int, *, yes: bool) -> bool:
    """Whether to send: --yes, or the answer of whoever sits there.

    Raises:
        BadParameter: there is nobody to ask.
    """
    if yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise typer.BadParameter(NEEDS_YES)
    if typer.confirm(f"send these {count}?", err=True):
        return True
    say("nothing was sent")
    return False


def _row(standing: "Standing") -> dict[str, Any]:
    approval = standing.approval
    return {
        "what": approval.reason,
        "token": approval.token,
        "spender": approval.spender,
        "granted": _said(standing, standing.granted),
        "wanted": _said(standing, standing.wanted),
        "met": standing.is_met,
    }


def _said(standing: "Standing", value: int) -> str:
    from betteroms.domain.approval import PLENTY, Holds
    from betteroms.domain.money import to_text

    if standing.approval.holds is Holds.SHARES:
        return "all" if value else "none"
    return NO_LIMIT if value >= PLENTY else to_text(value)


def _show(at: "Approving", standings: Sequence["Standing"]) -> None:
    lines = [f"wallet {at.wallet.address} ({at.wallet.name})", ""]
    for each in standings:
        now, then = _said(each, each.granted), _said(each, each.wanted)
        mark, change = ("ok", now) if each.is_met else ("to do", f"{now} → {then}")
        lines.append(f"{mark:<6} {each.approval.reason:<46} {change}")
        lines.append(f"       {each.approval.spender}")
    render.show(*lines)
    if all(each.is_met for each in standings):
        render.text("nothing to do")
