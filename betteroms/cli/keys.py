"""`keys`: the private key in an encrypted file, and the addresses that follow from it."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import Json, command, group

if TYPE_CHECKING:
    from betteroms.domain.secret import Secret
    from betteroms.settings import Settings

app = group("The private key: an encrypted keystore, and the addresses that follow from the key.")

PASSPHRASE_LENGTH_MIN: Final = 8
LINE_LENGTH_MAX: Final = 4_096
NEEDS_YES: Final = "nobody can be asked here: --yes removes the keystore"


@command(
    app,
    "import",
    example="betteroms keys import",
    does="Keep a private key in a file that a passphrase opens.",
    more="The key is asked for, or is stdin's first line; never give it as a word of the command.",
)
def import_(
    passphrase_stdin: Annotated[
        bool, typer.Option("--passphrase-stdin", help="Read the passphrase from stdin's second line.")
    ] = False,
    with_keyring: Annotated[
        bool, typer.Option("--keyring", help="Leave the passphrase to the system's keyring, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the keystore that is there.")] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import OutputRefused
    from betteroms.settings import load
    from betteroms.wiring import account

    settings, watch = load(), render.Stopwatch(wiring.clock().now())
    kept = account.keystore(settings)
    if kept.exists() and not force:
        raise OutputRefused(f"{kept.path} is there already")
    key, passphrase = _read(settings, passphrase_stdin=passphrase_stdin)
    address = kept.write(key, passphrase, force=force)
    if with_keyring:
        account.remember(address, passphrase)
    if settings.private_key is not None:
        say("note: POLYMARKET_PRIVATE_KEY is set as well, and goes before the keystore")
    result = {"address": address, "file": str(kept.path), "keyring": with_keyring}
    if as_json:
        render.document("keys import", result, watch.timing())
    else:
        render.text(f"the key of {address} is kept in {kept.path}")


def _read(settings: "Settings", *, passphrase_stdin: bool) -> "tuple[Secret, Secret]":
    """The key, and the passphrase from where the settings or the command say.

    Raises:
        BadParameter: one of them is none, or nobody can be asked for it.
    """
    from betteroms.wiring import account

    if sys.stdin is not None and sys.stdin.isatty():
        key = _key(typer.prompt("private key", hide_input=True, err=True))
        if settings.keystore_passphrase_file is not None and not passphrase_stdin:
            return key, account.passphrase_in(settings.keystore_passphrase_file)
        return key, _passphrase(
            typer.prompt("passphrase", hide_input=True, confirmation_prompt=True, err=True)
        )
    lines = [] if sys.stdin is None else [sys.stdin.readline(LINE_LENGTH_MAX) for _ in range(2)]
    key = _key(lines[0] if lines else "")
    if passphrase_stdin:
        return key, _passphrase(lines[1].rstrip("\r\n"))
    if settings.keystore_passphrase_file is None:
        raise typer.BadParameter(
            "nobody can be asked for a passphrase here: --passphrase-stdin takes stdin's second line, "
            "or BETTEROMS_KEYSTORE_PASSPHRASE_FILE names a file"
        )
    return key, account.passphrase_in(settings.keystore_passphrase_file)


def _key(text: str) -> "Secret":
    from betteroms.settings_text import private_key

    if not text.strip():
        raise typer.BadParameter("no private key was given: type it, or put it into stdin's first line")
    try:
        return private_key(text.strip())
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None


def _passphrase(text: str) -> "Secret":
    from betteroms.domain.secret import Secret

    if len(text) < PASSPHRASE_LENGTH_MIN:
        raise typer.BadParameter(f"a passphrase has {PASSPHRASE_LENGTH_MIN} characters or more")
    return Secret(text)


@command(
    app,
    "show-address",
    example="betteroms keys show-address",
    does="Show the key's own address and every wallet that can belong to it.",
    more="Works without a network and without the passphrase. The key is never shown.",
)
def show_address(as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import CredentialsUnusable
    from betteroms.settings import load
    from betteroms.wiring import account

    settings, watch = load(), render.Stopwatch(wiring.clock().now())
    owner = account.owner_of(settings)
    if owner is None:
        raise CredentialsUnusable(
            "there is no private key: set POLYMARKET_PRIVATE_KEY, or betteroms keys import"
        )
    kept = (
        "POLYMARKET_PRIVATE_KEY" if settings.private_key is not None else str(account.keystore(settings).path)
    )
    wallets = wallet_rows(settings, owner, existing=None)
    if as_json:
        result = {"address": owner, "from": kept, "wallets": wallets}
        render.document("keys show-address", result, watch.timing())
        return
    render.show(f"key   {owner}", f"from  {kept}", "", *wallet_lines(wallets))


def wallet_rows(
    settings: "Settings", owner: str, *, existing: dict[str, bool] | None
) -> list[dict[str, Any]]:
    """Every wallet of a key; `existing` says by address which contracts are there, None that nobody asked."""
    from betteroms.wiring import account

    funder = settings.funder.lower() if settings.funder else None
    return [
        {
            "address": each.address,
            "kind": each.name,
            "signatureType": each.signature_type.value,
            "exists": None if existing is None else existing.get(each.address, True),
            "chosen": each.address.lower() == funder,
        }
        for each in account.wallets_of(owner)
    ]


def wallet_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The same for people, a line each."""
    lines = []
    for row in rows:
        remarks = [
            "" if row["exists"] is not False else "does not exist",
            "POLYMARKET_FUNDER" * row["chosen"],
        ]
        said = ", ".join(remark for remark in remarks if remark)
        lines.append(f"{row['address']}  type {row['signatureType']}  {row['kind']}{said and f'  ({said})'}")
    return lines


@command(
    app,
    "remove",
    example="betteroms keys remove",
    does="Delete the keystore, and its passphrase from the system's keyring.",
    more="The wallet and its money stay where they are: be sure that you have the key elsewhere.",
)
def remove(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: Json = False
) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import NotFound
    from betteroms.settings import load
    from betteroms.wiring import account

    settings, watch = load(), render.Stopwatch(wiring.clock().now())
    kept = account.keystore(settings)
    if not kept.exists():
        raise NotFound([f"there is no keystore at {kept.path}"])
    address = kept.address()
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise typer.BadParameter(NEEDS_YES)
        if not typer.confirm(f"delete the key of {address}?", err=True):
            say("nothing was removed")
            raise typer.Exit
    kept.remove()
    forgotten = account.forget(address)
    result = {"address": address, "file": str(kept.path), "keyring": forgotten}
    if as_json:
        render.document("keys remove", result, watch.timing())
    else:
        render.text(f"removed: the keystore of {address}")
