"""`sandbox`: a local venue that speaks Polymarket's protocol, to rehearse on with test money."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import Books, Json, command, group
from betteroms.cli.trade import time_said

if TYPE_CHECKING:
    from betteroms.sandbox.opening import Wishes

app = group("A local venue to rehearse on: Polymarket's protocol, test keys, test money.")

PORT: Final = 8787
LOOPBACK: Final = "127.0.0.1"
AUDIT_SECONDS_MAX: Final = 30.0


class WalletName(StrEnum):
    """Whose settings are printed: a test wallet of each kind that the venue knows."""

    EOA = "eoa"
    PROXY = "proxy"
    SAFE = "safe"
    DEPOSIT = "deposit"


Port = Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Where it listens.")]
Seed = Annotated[
    int, typer.Option("--seed", metavar="NUMBER", min=0, help="What keys, ids and all chance follow from.")
]


def _file(name: str, what: str) -> Any:
    return typer.Option(name, metavar="FILE", readable=False, help=what)


@contextmanager
def _installed() -> Iterator[None]:
    """Raises ExtraMissing where an import fails for want of the extra."""
    from betteroms.domain.errors import ExtraMissing

    try:
        yield
    except ModuleNotFoundError as missing:
        package = (missing.name or "betteroms").partition(".")[0]
        if package == "betteroms":
            raise
        raise ExtraMissing("sandbox", f"the sandbox needs {package}, which is not installed") from missing


@command(
    app,
    "serve",
    example="betteroms sandbox serve",
    does="Run a venue on this machine until Ctrl-C.",
    more="It says where it listens once it answers. What it knows is in memory, unless --state keeps it.",
)
def serve(
    port: Port = PORT,
    books: Books = None,
    seed: Seed = 0,
    state: Annotated[Path | None, _file("--state", "Keep the venue in this file, and go on from it.")] = None,
    faults: Annotated[Path | None, _file("--faults", "What is to go wrong: a script of faults.")] = None,
    script: Annotated[Path | None, _file("--script", "What counterparties do, and when.")] = None,
    life: Annotated[
        bool, typer.Option("--life", help="Counterparties quote, take and move prices, by chance.")
    ] = False,
    transcript: Annotated[
        Path | None, _file("--transcript", "Write down all that was asked, answered and done.")
    ] = None,
    hand_clock: Annotated[
        bool, typer.Option("--hand-clock", help="Time stands still until /sandbox/clock moves it.")
    ] = False,
    start_at: Annotated[
        datetime | None,
        typer.Option(
            "--start-at", parser=time_said, metavar="TIME", help="Where a clock moved by hand begins (now)."
        ),
    ] = None,
    no_signatures: Annotated[
        bool, typer.Option("--no-signatures", help="Take orders whatever their signature is.")
    ] = False,
    no_rate_limits: Annotated[
        bool, typer.Option("--no-rate-limits", help="Refuse nobody for asking too often.")
    ] = False,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Which address to listen on.")
    ] = LOOPBACK,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen on an address that others can reach.")
    ] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring

    if start_at and not hand_clock:
        raise typer.BadParameter("--start-at is for a clock that is moved by hand: add --hand-clock")
    watch = render.Stopwatch(wiring.clock().now())
    with _installed():
        from betteroms.sandbox.opening import Wishes

        wishes = Wishes(
            seed=seed,
            books=books,
            state=state,
            faults=faults,
            script=script,
            life=life,
            transcript=transcript,
            hand_clock=hand_clock,
            start_ms=int(start_at.timestamp()) * 1000 if start_at else None,
            check_signatures=not no_signatures,
            rate_limited=not no_rate_limits,
        )
        _serve(wishes, host=host, port=port, allow_remote=allow_remote, watch=watch, as_json=as_json)


def _serve(
    wishes: "Wishes", *, host: str, port: int, allow_remote: bool, watch: render.Stopwatch, as_json: bool
) -> None:
    from betteroms.domain.errors import SandboxUnusable
    from betteroms.sandbox.http.serve import NotLoopback
    from betteroms.sandbox.http.serve import serve as listen
    from betteroms.sandbox.opening import Unusable, opened

    def ready(bound: int) -> None:
        told = {"url": f"http://{_bracketed(host)}:{bound}", "port": bound, **venue.told()}
        if as_json:
            render.document("sandbox serve", told, watch.timing())
        else:
            markets = render.counted(told["markets"], "market")
            render.text(f"the sandbox listens on {told['url']}: {markets}, seed {told['seed']}")
        if sys.stdout is not None:
            sys.stdout.flush()
        say("Ctrl-C stops it; betteroms sandbox env prints the settings that lead to it")

    try:
        with opened(wishes) as venue:
            for line in venue.remarks:
                say(line)
            try:
                listen(
                    venue.app,
                    venue.world,
                    host=host,
                    port=port,
                    allow_remote=allow_remote,
                    on_bound=ready,
                    beside=venue.look,
                )
            except OSError as wrong:
                raise SandboxUnusable([_why_not(wrong, host, port)]) from wrong
    except Unusable as wrong:
        raise SandboxUnusable(wrong.complaints) from wrong
    except NotLoopback as wrong:
        raise typer.BadParameter(
            f"{host} can be reached by others, who may trade there and see everything; "
            "--allow-remote listens all the same"
        ) from wrong
    say("stopped")


def _why_not(wrong: OSError, host: str, port: int) -> str:
    """Why the address cannot be had."""
    import errno

    if wrong.errno == errno.EADDRINUSE:
        return f"port {port} is in use, perhaps by another sandbox; --port 0 takes any free one"
    return f"{_bracketed(host)}:{port} cannot be listened on: {wrong.strerror or wrong}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@command(
    app,
    "env",
    example="betteroms sandbox env",
    does="Print the settings that point BetterOMS at the sandbox.",
    more="The key is a test key, known to everybody. As .env.local the lines must be open to nobody else.",
)
def env(
    port: Port = PORT,
    wallet: Annotated[
        WalletName, typer.Option("--wallet", help="Which test wallet to trade for.")
    ] = WalletName.DEPOSIT,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    from betteroms import wiring

    watch = render.Stopwatch(wiring.clock().now())
    with _installed():
        settings = _settings(port, wallet.value, seed)
    if as_json:
        render.document("sandbox env", settings, watch.timing())
        return
    for name, value in settings.items():
        render.text(f"{name}={value}")


def _settings(port: int, wallet: str, seed: int) -> Mapping[str, str]:
    from betteroms.sandbox.hashing import checksum
    from betteroms.sandbox.relayer import relayer_key
    from betteroms.sandbox.seeding import test_wallets
    from betteroms.sandbox.world import named

    (test_wallet,) = [each for each in test_wallets(seed) if each.name == wallet]
    key = relayer_key(partial(named, seed), test_wallet.owner)
    relayed = {} if wallet == WalletName.EOA else {"POLYMARKET_RELAYER_API_KEY": key}
    url = f"{LOOPBACK}:{port}"
    return {
        "POLYMARKET_PRIVATE_KEY": test_wallet.private_key,
        "POLYMARKET_FUNDER": checksum(test_wallet.address),
        **relayed,
        "BETTEROMS_CLOB_URL": f"http://{url}",
        "BETTEROMS_GAMMA_URL": f"http://{url}/gamma",
        "BETTEROMS_DATA_URL": f"http://{url}/data-api",
        "BETTEROMS_RELAYER_URL": f"http://{url}/relayer",
        "BETTEROMS_RPC_URL": f"http://{url}/rpc",
        "BETTEROMS_WS_URL": f"ws://{url}/ws",
        "BETTEROMS_GEOBLOCK_URL": f"http://{url}/api/geoblock",
    }


@command(
    app,
    "audit",
    example="betteroms sandbox audit",
    does="Tell what really happened at a running sandbox.",
    more="Orders, fills and balances as the venue has them, and whether they agree; if not, exit code 1.",
)
def audit(port: Port = PORT, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.cli import exits
    from betteroms.cli.audited import show_audit

    watch = render.Stopwatch(wiring.clock().now())
    told = _audited(port)
    if as_json:
        render.document("sandbox audit", told, watch.timing())
    else:
        show_audit(told)
    if not all(each["holds"] for each in told["invariants"]):
        raise typer.Exit(exits.UNEXPECTED)


def _audited(port: int) -> Mapping[str, Any]:
    """What the venue tells auditors.

    Raises:
        VenueUnreachable: nobody listens there, or somebody else does.
    """
    import httpx

    from betteroms.domain.errors import VenueUnreachable

    url = f"http://{LOOPBACK}:{port}/sandbox/audit"
    try:
        told: Mapping[str, Any] = httpx.get(url, timeout=AUDIT_SECONDS_MAX).raise_for_status().json()
        told["invariants"]
    except httpx.HTTPError as error:
        raise VenueUnreachable(f"no sandbox answers on port {port}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise VenueUnreachable(f"what answers on port {port} is no sandbox") from error
    return told
