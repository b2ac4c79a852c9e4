"""The environment and `.env.local`, read once into one frozen value.

The only reader of the environment in the project. `docs/settings.md` tells what each variable does and
`.env.local.example` lists them all; tests keep the three in step.
"""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from betteroms.domain.errors import SettingsInvalid
from betteroms.domain.money import MICROS, Price, Usdc, to_text
from betteroms.domain.secret import Secret
from betteroms.domain.terms import SellFrom
from betteroms.settings_text import (
    NOTICES_DEFAULT,
    address,
    book_age,
    cap,
    database,
    directory,
    dollars,
    fraction,
    https,
    minutes,
    node,
    notices,
    private_key,
    seconds,
    seconds_text,
    secret,
    sell_from,
    services,
    whole,
    wss,
    yes_or_no,
    yes_text,
)

if TYPE_CHECKING:
    from betteroms.domain.risk.limits import Limits
    from betteroms.executors.paper import PaperSettings

LOCAL_FILE: Final = ".env.local"
ENVIRONMENT: Final = "environment"
INTERVAL: Final = "CRON_INTERVAL_MINUTES"
LOCAL_FILE_LENGTH_MAX: Final = 65_536
NODE: Final = Secret("https://polygon.drpc.org")
"""The chain node that the venue's own client asks. Source: VENUE 2.4."""
PAPER_CASH: Final = Usdc(10_000 * MICROS)
SPREAD_MAX: Final = Price(100_000)
BOOK_AGE_MAX: Final = timedelta(seconds=60)
"""What may be opened without a word of the operator: no wider spread, no older book (DECISIONS 4.6, 10.3)."""
SLIPPAGE_TICKS_MAX: Final = 10_000
RUN_ORDERS_MAX: Final = 1_000_000
HTTP_ATTEMPTS_MAX: Final = 10
BOOKS_PER_REQUEST_MAX: Final = 500
"""Source: VENUE 5.1, the most that one POST /books takes."""


@dataclass(frozen=True, slots=True)
class Variable:
    """How one environment variable is read: where it goes, and how it is printed unless it is a secret."""

    attribute: str
    read: Callable[[str], Any]
    show: Callable[[Any], str] | None = str


VARIABLES: Final[Mapping[str, Variable]] = {
    "POLYMARKET_PRIVATE_KEY": Variable("private_key", private_key, None),
    "POLYMARKET_API_KEY": Variable("api_key", secret, None),
    "POLYMARKET_API_SECRET": Variable("api_secret", secret, None),
    "POLYMARKET_API_PASSPHRASE": Variable("api_passphrase", secret, None),
    "POLYMARKET_FUNDER": Variable("funder", address),
    "POLYMARKET_RELAYER_API_KEY": Variable("relayer_api_key", secret, None),
    "POLYMARKET_RELAYER_API_KEY_ADDRESS": Variable("relayer_api_key_address", address),
    "BETTEROMS_SESSION_KEY": Variable("session_key", yes_or_no, yes_text),
    "BETTEROMS_KEYSTORE_PASSPHRASE_FILE": Variable("keystore_passphrase_file", directory),
    "DATABASE_URL": Variable("database_url", database, None),
    "BETTEROMS_HOME": Variable("home", directory),
    "CRON_INTERVAL_MINUTES": Variable("cron_interval_minutes", minutes),
    "BETTEROMS_CLOB_URL": Variable("clob_url", https),
    "BETTEROMS_GAMMA_URL": Variable("gamma_url", https),
    "BETTEROMS_DATA_URL": Variable("data_url", https),
    "BETTEROMS_RELAYER_URL": Variable("relayer_url", https),
    "BETTEROMS_RPC_URL": Variable("rpc_url", node, None),
    "BETTEROMS_WS_URL": Variable("ws_url", wss),
    "BETTEROMS_GEOBLOCK_URL": Variable("geoblock_url", https),
    "BETTEROMS_PAPER_CASH": Variable("paper_cash", dollars, to_text),
    "BETTEROMS_PAPER_LIQUIDITY_FRACTION": Variable("paper_liquidity_fraction", fraction, to_text),
    "BETTEROMS_PAPER_SLIPPAGE_TICKS": Variable("paper_slippage_ticks", whole(0, SLIPPAGE_TICKS_MAX)),
    "BETTEROMS_MAX_ORDER_NOTIONAL_USD": Variable("order_notional_max", cap, to_text),
    "BETTEROMS_MAX_RUN_NOTIONAL_USD": Variable("run_notional_max", cap, to_text),
    "BETTEROMS_MAX_ORDERS_PER_RUN": Variable("run_orders_max", whole(1, RUN_ORDERS_MAX)),
    "BETTEROMS_MAX_DAY_NOTIONAL_USD": Variable("day_notional_max", cap, to_text),
    "BETTEROMS_MAX_MARKET_NOTIONAL_USD": Variable("market_notional_max", cap, to_text),
    "BETTEROMS_MAX_EVENT_LOSS_USD": Variable("event_loss_max", cap, to_text),
    "BETTEROMS_MAX_OPEN_POSITIONS": Variable("open_positions_max", whole(1, RUN_ORDERS_MAX)),
    "BETTEROMS_MAX_DAILY_LOSS_USD": Variable("daily_loss_max", cap, to_text),
    "BETTEROMS_MAX_DRAWDOWN_USD": Variable("drawdown_max", cap, to_text),
    "BETTEROMS_MAX_SPREAD": Variable("spread_max", fraction, to_text),
    "BETTEROMS_MIN_DEPTH_USD": Variable("depth_min", dollars, to_text),
    "BETTEROMS_MAX_BOOK_AGE_SECONDS": Variable("book_age_max", book_age, seconds_text),
    "BETTEROMS_SELL_FROM": Variable("sell_from", sell_from),
    "BETTEROMS_HTTP_ATTEMPTS": Variable("http_attempts", whole(1, HTTP_ATTEMPTS_MAX)),
    "BETTEROMS_HTTP_TIMEOUT_SECONDS": Variable("http_timeout", seconds, seconds_text),
    "BETTEROMS_BOOKS_PER_REQUEST": Variable("books_per_request", whole(1, BOOKS_PER_REQUEST_MAX)),
    "BETTEROMS_S3_ENDPOINT_URL": Variable("s3_endpoint_url", https),
    "BETTEROMS_NOTIFY_URLS": Variable("notify_urls", services, None),
    "BETTEROMS_NOTIFY_EVENTS": Variable("notify_events", notices, ",".join),
}
"""Every variable we read; nothing else beginning with BETTEROMS_ is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator set, checked; None where nothing was set and nothing is assumed.

    `paper_liquidity_fraction` is in millionths. `home` is where our files live: the bundled database,
    logs, saved credentials.
    """

    private_key: Secret | None = None
    api_key: Secret | None = None
    api_secret: Secret | None = None
    api_passphrase: Secret | None = None
    funder: str | None = None
    relayer_api_key: Secret | None = None
    relayer_api_key_address: str | None = None
    session_key: bool = False
    keystore_passphrase_file: Path | None = None
    database_url: Secret | None = None
    home: Path
    cron_interval_minutes: int = 60
    clob_url: str = "https://clob.polymarket.com"
    gamma_url: str = "https://gamma-api.polymarket.com"
    data_url: str = "https://data-api.polymarket.com"
    relayer_url: str = "https://relayer-v2.polymarket.com"
    rpc_url: Secret = NODE
    ws_url: str = "wss://ws-subscriptions-clob.polymarket.com/ws"
    geoblock_url: str = "https://polymarket.com/api/geoblock"
    paper_cash: Usdc = PAPER_CASH
    paper_liquidity_fraction: int = MICROS
    paper_slippage_ticks: int = 0
    order_notional_max: Usdc | None = None
    run_notional_max: Usdc | None = None
    run_orders_max: int | None = None
    day_notional_max: Usdc | None = None
    market_notional_max: Usdc | None = None
    event_loss_max: Usdc | None = None
    open_positions_max: int | None = None
    daily_loss_max: Usdc | None = None
    drawdown_max: Usdc | None = None
    spread_max: Price = SPREAD_MAX
    depth_min: Usdc | None = None
    book_age_max: timedelta = BOOK_AGE_MAX
    sell_from: SellFrom = SellFrom.MINED
    http_attempts: int = 4
    http_timeout: timedelta = timedelta(seconds=10)
    books_per_request: int = BOOKS_PER_REQUEST_MAX
    s3_endpoint_url: str | None = None
    notify_urls: Secret | None = None
    notify_events: tuple[str, ...] = NOTICES_DEFAULT

    def limits(self) -> "Limits":
        """The caps, as the risk module takes them: each has its name here, too."""
        from betteroms.domain.risk.limits import CAPS, Limits

        return Limits(**{name: getattr(self, name) for name in CAPS})

    def paper(self) -> "PaperSettings":
        """How paper fills, as its executor takes it."""
        from betteroms.executors.paper import PaperSettings

        return PaperSettings(
            liquidity_fraction=self.paper_liquidity_fraction, slippage_ticks=self.paper_slippage_ticks
        )

    def public(self) -> dict[str, str]:
        """What is in force, by variable, without anything secret: to be kept with a run.

        The chain node and the database are left out too: their URLs may hold keys and passwords.
        """
        shown: dict[str, str] = {}
        for name, variable in VARIABLES.items():
            value = getattr(self, variable.attribute)
            if variable.show is not None and value is not None:
                shown[name] = variable.show(value)
        return shown

    def capped(self, limits: "Limits") -> "Settings":
        """The same settings with these caps."""
        from betteroms.domain.risk.limits import CAPS

        return replace(self, **{name: getattr(limits, name) for name in CAPS})

    def secrets(self) -> list[str]:
        """Whatever must not be repeated anywhere: secret values, and the passwords in those that are URLs."""
        values = [getattr(self, variable.attribute) for variable in VARIABLES.values() if not variable.show]
        texts = [word for value in values if value is not None for word in value.reveal().split()]
        passwords = [urlsplit(text).password for text in texts if "@" in text]
        return [*texts, *(password for password in passwords if password)]

    def require(self, *names: str) -> None:
        """Insist on variables that are optional elsewhere.

        Raises:
            SettingsInvalid: some of them are not set; all of these are named.
        """
        missing = [name for name in names if getattr(self, VARIABLES[name].attribute) is None]
        if missing:
            raise SettingsInvalid([f"{name} is not set (see docs/settings.md)" for name in missing])


def load(environ: Mapping[str, str] | None = None, *, cwd: Path | None = None) -> Settings:
    """Read the environment, and `.env.local` in `cwd` for what the environment does not say.

    An empty value counts as not set.

    Raises:
        SettingsInvalid: something is wrong; every complaint names its variable, none quotes a secret.
    """
    # The raw texts live in another frame, so that not even a traceback with locals shows them.
    values, problems = _gathered(os.environ if environ is None else environ, cwd or Path())
    if problems:
        raise SettingsInvalid(problems)
    return Settings(**values)


def places(environ: Mapping[str, str] | None = None, *, cwd: Path | None = None) -> dict[str, str]:
    """Where each variable that says something is set: `environment`, or the line of `.env.local`."""
    said = _said(os.environ if environ is None else environ, cwd or Path(), [])
    return {name: place for name, (_, place) in said.items()}


def restored(kept: Mapping[str, str]) -> Settings:
    """The settings that a run kept (`Settings.public`); what another version knew and this one does not goes.

    Raises:
        SettingsInvalid: a value is none that could have been kept.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name in sorted(kept.keys() & VARIABLES.keys()):
        variable = VARIABLES[name]
        # A budget that is spent leaves a cap of 0, which nobody may set.
        read = dollars if variable.read is cap else variable.read
        try:
            values[variable.attribute] = read(kept[name])
        except ValueError as wrong:
            problems.append(f"{name}, as the run kept it: {wrong}")
    if problems:
        raise SettingsInvalid(problems)
    values.setdefault("home", Path())
    return Settings(**values)


def to_be_handed_on(
    settings: Settings, environ: Mapping[str, str] | None = None, *, cwd: Path
) -> dict[str, str]:
    """The variables that a process with an environment of its own needs for the same settings in `cwd`.

    That is, what the environment sets, and the home; `.env.local` is read by the process itself. How often
    cron calls us is left out.

    Raises:
        SettingsInvalid: the environment sets a secret, which is nothing to be written down; all are named.
    """
    said = _said(os.environ if environ is None else environ, cwd, [])
    fields = {name: spec.attribute for name, spec in VARIABLES.items() if name in said and name != INTERVAL}
    public = settings.public()
    handed = {name: public[name] for name in fields if name in public and said[name][1] == ENVIRONMENT}
    if "BETTEROMS_HOME" not in said:
        # Its default follows HOME and XDG_DATA_HOME, which may be others there: another, empty ledger.
        handed["BETTEROMS_HOME"] = str(settings.home)
    there = load(handed, cwd=cwd)
    lost = [name for name, field in fields.items() if getattr(there, field) != getattr(settings, field)]
    if lost:
        why = "is set in the environment, which cron does not have, and too secret to be written down"
        raise SettingsInvalid([f"{name}: {why}; put it into {cwd / LOCAL_FILE}" for name in lost])
    return handed


def _said(environ: Mapping[str, str], cwd: Path, problems: list[str]) -> dict[str, tuple[str, str]]:
    said = {name: (text, f"{LOCAL_FILE} line {line}") for name, text, line in _local(cwd, problems)}
    said.update((name, (text, ENVIRONMENT)) for name, text in environ.items() if text.strip())
    return said


def _gathered(environ: Mapping[str, str], cwd: Path) -> tuple[dict[str, Any], list[str]]:
    problems: list[str] = []
    said = _said(environ, cwd, problems)
    values: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        if name not in said:
            continue
        text, place = said[name]
        try:
            values[variable.attribute] = variable.read(text.strip())
        except ValueError as wrong:
            problems.append(f"{name} ({place}): {wrong}")
    for name in sorted(said.keys() - VARIABLES.keys()):
        if name.startswith("BETTEROMS_"):
            problems.append(f"{name} ({said[name][1]}): there is no such setting{_meant(name)}")
    if "home" not in values and not problems:
        values["home"] = _home(problems)
    return values, problems


def _local(cwd: Path, problems: list[str]) -> Iterator[tuple[str, str, int]]:
    """What the file says: name, text and line of everything that is not empty."""
    path = cwd / LOCAL_FILE
    try:
        with path.open(encoding="utf-8-sig") as file:
            if os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                problems.append(f"{LOCAL_FILE}: open to others; type: chmod 600 {shlex.quote(str(path))}")
                return
            content = file.read(LOCAL_FILE_LENGTH_MAX + 1)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as wrong:
        problems.append(f"{LOCAL_FILE}: cannot be read ({type(wrong).__name__})")
        return
    if len(content) > LOCAL_FILE_LENGTH_MAX:
        problems.append(f"{LOCAL_FILE}: longer than {LOCAL_FILE_LENGTH_MAX} characters")
        return
    yield from _assignments(content, problems)


def _assignments(content: str, problems: list[str]) -> Iterator[tuple[str, str, int]]:
    from io import StringIO

    from dotenv.parser import parse_stream

    lines: dict[str, int] = {}
    for binding in parse_stream(StringIO(content)):
        before = binding.original.string[: -len(binding.original.string.lstrip()) or None]
        line = binding.original.line + before.count("\n")
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(f"{LOCAL_FILE} line {line}: is not NAME=value")
        elif binding.key is not None and binding.key in lines:
            problems.append(
                f"{binding.key} ({LOCAL_FILE} line {line}): was set in line {lines[binding.key]} already"
            )
        elif binding.key is not None and binding.value and binding.value.strip():
            lines[binding.key] = line
            yield binding.key, binding.value, line


def _meant(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, VARIABLES, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _home(problems: list[str]) -> Path:
    from platformdirs import user_data_path

    path = user_data_path("betteroms", appauthor=False)
    if not path.is_absolute():
        problems.append("BETTEROMS_HOME: this user has no home directory; set an absolute path")
    return path
