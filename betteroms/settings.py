"""The environment and `.env.local`, read once into one frozen value.

The only reader of the environment in the project. `docs/settings.md` tells what each variable does and
`.env.local.example` lists them all; tests keep the three in step.
"""

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from betteroms.domain.errors import SettingsInvalid
from betteroms.domain.money import MICROS, Usdc, to_micros, to_text
from betteroms.domain.secret import Secret

if TYPE_CHECKING:
    from betteroms.domain.risk.limits import Limits
    from betteroms.executors.paper import PaperSettings

LOCAL_FILE: Final = ".env.local"
LOCAL_FILE_LENGTH_MAX: Final = 65_536
NODE: Final = Secret("https://polygon.drpc.org")
"""The chain node that the venue's own client asks. Source: VENUE 2.4."""
PAPER_CASH: Final = Usdc(10_000 * MICROS)
DOLLARS_MAX: Final = Usdc(10**12 * MICROS)
"""Below this amount everything fits the database's columns."""
SLIPPAGE_TICKS_MAX: Final = 10_000
RUN_ORDERS_MAX: Final = 1_000_000
HTTP_ATTEMPTS_MAX: Final = 10
HTTP_TIMEOUT_MIN: Final = timedelta(milliseconds=100)
HTTP_TIMEOUT_MAX: Final = timedelta(minutes=5)
BOOKS_PER_REQUEST_MAX: Final = 500
"""Source: VENUE 5.1, the most that one POST /books takes."""
MINUTES_PER_HOUR: Final = 60
MINUTES_PER_DAY: Final = 1440
# The order of the curve secp256k1: private keys lie below it.
_KEY_BOUND: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_LOOPBACK: Final = re.compile(r"localhost|::1|127(\.[0-9]{1,3}){3}")
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:@\[\]]*)(:[0-9]{0,5})?")


def _private_key(text: str) -> Secret:
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise ValueError("a private key is 64 hexadecimal digits, with or without 0x; this is not one")
    if not 0 < int(digits, 16) < _KEY_BOUND:
        raise ValueError("no wallet has this private key")
    return Secret(f"0x{digits.lower()}")


def _secret(text: str) -> Secret:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("holds a space or a character that no credential has")
    return Secret(text)


def _address(text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise ValueError("a wallet address is 0x and 40 hexadecimal digits")
    return text


def _split(text: str) -> SplitResult:
    # What urlsplit complains of may quote the password, so its words are not passed on.
    try:
        return urlsplit(text)
    except ValueError:
        raise ValueError("is not a URL") from None


def _database(text: str) -> Secret:
    parts = _split(text)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError("must begin with postgresql://")
    if not text.isprintable() or " " in text:
        raise ValueError("holds a space or an unprintable character; write it as %20 and the like")
    if not all(_HOST.fullmatch(host) for host in parts.netloc.rpartition("@")[2].split(",")):
        raise ValueError("in a password, write @ : / ? # as %40 %3A %2F %3F %23")
    return Secret(f"postgresql:{text.partition(':')[2]}")


def _url(secure: str, text: str, *, keyed: bool = False) -> str:
    """A URL of the venue: encrypted, unless it is this machine's.

    `keyed` admits a query, where providers of chain nodes like to put their key.
    """
    parts = _split(text)
    plain = {"https": "http", "wss": "ws"}[secure]
    try:
        usable = parts.scheme in (secure, plain) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise ValueError(f"must be a URL that begins with {secure}://")
    if parts.scheme == plain and not _LOOPBACK.fullmatch(parts.hostname or ""):
        raise ValueError(f"{plain}:// is only for this machine (127.0.0.1); use {secure}://")
    if "@" in parts.netloc or parts.fragment or (parts.query and not keyed):
        raise ValueError("must not hold a user, a query or a fragment")
    return text.rstrip("/")


def _https(text: str) -> str:
    return _url("https", text)


def _wss(text: str) -> str:
    return _url("wss", text)


def _node(text: str) -> Secret:
    return Secret(_url("https", text, keyed=True))


def _directory(text: str) -> Path:
    # A relative home would be another, empty ledger in each directory the command is called from.
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError("~ cannot be resolved here; write the path out") from None
    if not path.is_absolute():
        raise ValueError("is not an absolute path")
    return path


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"{_shown(text)} is not a whole number from {least} to {most}")
        return int(text)

    return read


def _minutes(text: str) -> int:
    minutes = _whole(1, MINUTES_PER_DAY)(text)
    if MINUTES_PER_HOUR % minutes and (minutes % MINUTES_PER_HOUR or MINUTES_PER_DAY % minutes):
        raise ValueError(f"cron cannot repeat every {minutes} minutes; take a divisor of 60, or of 24 hours")
    return minutes


def _dollars(text: str) -> Usdc:
    micros = to_micros(text)
    if not 0 <= micros < DOLLARS_MAX:
        raise ValueError(f"{_shown(text)} is not an amount of dollars")
    return Usdc(micros)


def _cap(text: str) -> Usdc:
    # Elsewhere 0 often means "no limit": too dangerous to be taken either way.
    cap = _dollars(text)
    if cap == 0:
        raise ValueError("a cap of 0 would refuse every order; leave it unset for no cap")
    return cap


def _fraction(text: str) -> int:
    micros = to_micros(text)
    if not 0 < micros <= MICROS:
        raise ValueError(f"{_shown(text)} is not above 0 and at most 1")
    return micros


def _seconds(text: str) -> timedelta:
    micros = to_micros(text)
    least, most = (bound // timedelta(microseconds=1) for bound in (HTTP_TIMEOUT_MIN, HTTP_TIMEOUT_MAX))
    if not least <= micros <= most:
        raise ValueError(f"{_shown(text)} is not from {to_text(least)} to {to_text(most)} seconds")
    return timedelta(microseconds=micros)


def _seconds_text(duration: timedelta) -> str:
    return to_text(duration // timedelta(microseconds=1))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


@dataclass(frozen=True, slots=True)
class Variable:
    """How one environment variable is read: where it goes, and how it is printed unless it is a secret."""

    attribute: str
    read: Callable[[str], Any]
    show: Callable[[Any], str] | None = str


VARIABLES: Final[Mapping[str, Variable]] = {
    "POLYMARKET_PRIVATE_KEY": Variable("private_key", _private_key, None),
    "POLYMARKET_API_KEY": Variable("api_key", _secret, None),
    "POLYMARKET_API_SECRET": Variable("api_secret", _secret, None),
    "POLYMARKET_API_PASSPHRASE": Variable("api_passphrase", _secret, None),
    "POLYMARKET_FUNDER": Variable("funder", _address),
    "DATABASE_URL": Variable("database_url", _database, None),
    "BETTEROMS_HOME": Variable("home", _directory),
    "CRON_INTERVAL_MINUTES": Variable("cron_interval_minutes", _minutes),
    "BETTEROMS_CLOB_URL": Variable("clob_url", _https),
    "BETTEROMS_GAMMA_URL": Variable("gamma_url", _https),
    "BETTEROMS_DATA_URL": Variable("data_url", _https),
    "BETTEROMS_RELAYER_URL": Variable("relayer_url", _https),
    "BETTEROMS_RPC_URL": Variable("rpc_url", _node, None),
    "BETTEROMS_WS_URL": Variable("ws_url", _wss),
    "BETTEROMS_PAPER_CASH": Variable("paper_cash", _dollars, to_text),
    "BETTEROMS_PAPER_LIQUIDITY_FRACTION": Variable("paper_liquidity_fraction", _fraction, to_text),
    "BETTEROMS_PAPER_SLIPPAGE_TICKS": Variable("paper_slippage_ticks", _whole(0, SLIPPAGE_TICKS_MAX)),
    "BETTEROMS_MAX_ORDER_NOTIONAL_USD": Variable("order_notional_max", _cap, to_text),
    "BETTEROMS_MAX_RUN_NOTIONAL_USD": Variable("run_notional_max", _cap, to_text),
    "BETTEROMS_MAX_ORDERS_PER_RUN": Variable("run_orders_max", _whole(1, RUN_ORDERS_MAX)),
    "BETTEROMS_HTTP_ATTEMPTS": Variable("http_attempts", _whole(1, HTTP_ATTEMPTS_MAX)),
    "BETTEROMS_HTTP_TIMEOUT_SECONDS": Variable("http_timeout", _seconds, _seconds_text),
    "BETTEROMS_BOOKS_PER_REQUEST": Variable("books_per_request", _whole(1, BOOKS_PER_REQUEST_MAX)),
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
    database_url: Secret | None = None
    home: Path
    cron_interval_minutes: int = 60
    clob_url: str = "https://clob.polymarket.com"
    gamma_url: str = "https://gamma-api.polymarket.com"
    data_url: str = "https://data-api.polymarket.com"
    relayer_url: str = "https://relayer-v2.polymarket.com"
    rpc_url: Secret = NODE
    ws_url: str = "wss://ws-subscriptions-clob.polymarket.com/ws"
    paper_cash: Usdc = PAPER_CASH
    paper_liquidity_fraction: int = MICROS
    paper_slippage_ticks: int = 0
    order_notional_max: Usdc | None = None
    run_notional_max: Usdc | None = None
    run_orders_max: int | None = None
    http_attempts: int = 4
    http_timeout: timedelta = timedelta(seconds=10)
    books_per_request: int = BOOKS_PER_REQUEST_MAX

    def limits(self) -> "Limits":
        """The caps on orders and runs, as the risk module takes them."""
        from betteroms.domain.risk.limits import Limits

        return Limits(
            order_notional_max=self.order_notional_max,
            run_notional_max=self.run_notional_max,
            run_orders_max=self.run_orders_max,
        )

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


def _gathered(environ: Mapping[str, str], cwd: Path) -> tuple[dict[str, Any], list[str]]:
    problems: list[str] = []
    said = {name: (text, f"{LOCAL_FILE} line {line}") for name, text, line in _local(cwd, problems)}
    said.update((name, (text, "environment")) for name, text in environ.items() if text.strip())
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
