"""`generate-creds`: the venue's API credentials from the private key."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.keys import wallet_lines, wallet_rows
from betteroms.cli.options import Json, command

if TYPE_CHECKING:
    from betteroms.domain.secret import Secret
    from betteroms.domain.wallet import ApiCredentials
    from betteroms.settings import Settings

NONCE_MAX: Final = 2**31


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "generate-creds",
        example="betteroms generate-creds --write",
        does="Get the venue's API credentials for the private key, and tell which address is which.",
        more="They are made once and the same ever after. The private key is never shown.",
    )(generate_creds)


def generate_creds(
    write: Annotated[bool, typer.Option("--write", help="Put them into .env.local here.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print the three values, to be kept elsewhere.")
    ] = False,
    nonce: Annotated[
        int,
        typer.Option("--nonce", metavar="NUMBER", min=0, max=NONCE_MAX, help="Which set of credentials."),
    ] = 0,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import CredentialsUnusable
    from betteroms.settings import load
    from betteroms.wiring import account

    settings, watch = account.unlocked(load()), render.Stopwatch(wiring.clock().now())
    owner = account.owner_of(settings)
    assert owner is not None
    existing = _existing(settings, owner)
    funder = settings.funder
    try:
        # A key and an address that do not go together are told before anything is made at the venue.
        chosen = account.wallet(settings, owner) if funder or existing is not None else None
    except CredentialsUnusable:
        if funder or settings.session_key:
            raise
        chosen = None
    made, is_new = account.made_credentials(settings, nonce=nonce)
    values = _values(made)
    if chosen is not None and funder is None:
        values["POLYMARKET_FUNDER"] = _plain(chosen.address)
    place = str(account.put_locally(values)) if write else None
    rows = wallet_rows(settings, owner, existing=existing)
    for row in rows:
        row["chosen"] = chosen is not None and row["address"] == chosen.address
    if as_json:
        shown = {name: value.reveal() for name, value in values.items()} if show else None
        result = {
            "address": owner,
            "wallets": rows,
            "made": is_new,
            "nonce": nonce,
            "written": place,
            "credentials": shown,
        }
        render.document("generate-creds", result, watch.timing())
    else:
        _tell(owner, rows, values, made=is_new, place=place, show=show)
    if place is not None:
        _warn_of_environment(values)


def _existing(settings: "Settings", owner: str) -> dict[str, bool] | None:
    """Which wallets exist; None where the relayer does not say, which is no reason to go without."""
    from betteroms.domain.errors import VenueUnreachable
    from betteroms.wiring import account

    try:
        return account.deployed(settings, account.wallets_of(owner))
    except VenueUnreachable as fault:
        say(f"note: which wallets exist is not known: {fault}")
        return None


def _values(made: "ApiCredentials") -> "dict[str, Secret]":
    return {
        "POLYMARKET_API_KEY": made.key,
        "POLYMARKET_API_SECRET": made.secret,
        "POLYMARKET_API_PASSPHRASE": made.passphrase,
    }


def _plain(text: str) -> "Secret":
    from betteroms.domain.secret import Secret

    return Secret(text)


def _tell(
    owner: str,
    rows: list[dict[str, Any]],
    values: "dict[str, Secret]",
    *,
    made: bool,
    place: str | None,
    show: bool,
) -> None:
    lines = [f"the key's own address: {owner}", *wallet_lines(rows), ""]
    if not any(row["chosen"] for row in rows):
        lines += [
            "POLYMARKET_FUNDER does not say which of these holds the money: set it before you trade",
            "",
        ]
    lines.append("credentials: made now" if made else "credentials: those that were made before")
    if place is not None:
        lines.append(f"written to {place}: {', '.join(values)}")
    elif not show:
        lines.append("--write puts them into .env.local here; --show prints them, to be kept elsewhere")
    if show:
        lines += ["", *(f"{name}={value.reveal()}" for name, value in values.items())]
    render.show(*lines)


def _warn_of_environment(values: "dict[str, Secret]") -> None:
    from betteroms.settings import ENVIRONMENT, places

    found = places()
    beaten = [name for name in values if found.get(name) == ENVIRONMENT]
    if beaten:
        say(f"note: the environment sets {', '.join(beaten)}, too, and beats the file")
