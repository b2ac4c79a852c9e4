"""The environment becomes one frozen value, or one complaint that names everything wrong in it."""

import dataclasses
import json
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from betteroms.domain.errors import SettingsInvalid
from betteroms.domain.money import Price, Usdc
from betteroms.domain.risk.limits import Limits
from betteroms.domain.secret import Secret
from betteroms.executors.paper import PaperSettings
from betteroms.settings import LOCAL_FILE, VARIABLES, Settings, load

ROOT = Path(__file__).parent.parent
KEY = "0x" + "4c" * 32
SECRETS = {
    "POLYMARKET_PRIVATE_KEY": KEY,
    "POLYMARKET_API_KEY": "6b2a3c1d-api-key",
    "POLYMARKET_API_SECRET": "c2VjcmV0LW9mLXRoZS1hcGk=",
    "POLYMARKET_API_PASSPHRASE": "passphrase-of-the-api",
    "DATABASE_URL": "postgresql://oms:database-password@db.example:5432/oms",
    "BETTEROMS_RPC_URL": "https://node.example/v2/key-of-the-node",
}
TELLTALES = ("4c" * 8, "6b2a3c1d", "c2VjcmV0", "passphrase-of", "database-password", "key-of-the-node")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Settings]:
    """Load from these variables, in an empty directory unless the test wrote a file there."""

    def reading(environ: Mapping[str, str] | None = None, **variables: str) -> Settings:
        home = {"BETTEROMS_HOME": str(tmp_path / "home")}
        return load({**home, **(environ or {}), **variables}, cwd=tmp_path)

    return reading


def complaints(read: Callable[..., Settings], environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as invalid:
        read(environ or {})
    return invalid.value.problems


def test_an_empty_environment_is_enough_for_paper(read: Callable[..., Settings], tmp_path: Path) -> None:
    assert read() == Settings(home=tmp_path / "home")


def test_what_is_assumed_is_what_the_documents_say(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.paper_cash == Usdc(10_000_000_000)
    assert settings.paper() == PaperSettings(liquidity_fraction=1_000_000, slippage_ticks=0)
    assert settings.limits() == Limits(spread_max=Price(100_000), book_age_max=timedelta(seconds=60))
    assert settings.http_attempts == 4
    assert settings.http_timeout == timedelta(seconds=10)
    assert settings.books_per_request == 500
    assert settings.private_key is None
    assert settings.database_url is None


def test_every_field_is_set_by_exactly_one_variable() -> None:
    attributes = [variable.attribute for variable in VARIABLES.values()]
    assert sorted(attributes) == sorted(spec.name for spec in dataclasses.fields(Settings))


def test_each_default_is_what_its_own_text_would_be_read_as(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for name, text in settings.public().items():
        assert VARIABLES[name].read(text) == getattr(settings, VARIABLES[name].attribute), name


def test_caps_become_limits(read: Callable[..., Settings]) -> None:
    settings = read(
        BETTEROMS_MAX_ORDER_NOTIONAL_USD="50.25",
        BETTEROMS_MAX_RUN_NOTIONAL_USD="1000",
        BETTEROMS_MAX_ORDERS_PER_RUN="7",
        BETTEROMS_MAX_DAY_NOTIONAL_USD="2000",
        BETTEROMS_MAX_MARKET_NOTIONAL_USD="300",
        BETTEROMS_MAX_EVENT_LOSS_USD="400",
        BETTEROMS_MAX_OPEN_POSITIONS="20",
        BETTEROMS_MAX_DAILY_LOSS_USD="60.5",
        BETTEROMS_MAX_DRAWDOWN_USD="150",
        BETTEROMS_MAX_SPREAD="0.05",
        BETTEROMS_MIN_DEPTH_USD="25",
        BETTEROMS_MAX_BOOK_AGE_SECONDS="30",
    )
    assert settings.limits() == Limits(
        order_notional_max=Usdc(50_250_000),
        run_notional_max=Usdc(1_000_000_000),
        run_orders_max=7,
        day_notional_max=Usdc(2_000_000_000),
        market_notional_max=Usdc(300_000_000),
        event_loss_max=Usdc(400_000_000),
        open_positions_max=20,
        daily_loss_max=Usdc(60_500_000),
        drawdown_max=Usdc(150_000_000),
        spread_max=Price(50_000),
        depth_min=Usdc(25_000_000),
        book_age_max=timedelta(seconds=30),
    )


def test_paper_settings_are_read_exactly(read: Callable[..., Settings]) -> None:
    settings = read(
        BETTEROMS_PAPER_CASH="0.000001",
        BETTEROMS_PAPER_LIQUIDITY_FRACTION="0.333333",
        BETTEROMS_PAPER_SLIPPAGE_TICKS="2",
    )
    assert settings.paper_cash == 1
    assert settings.paper() == PaperSettings(liquidity_fraction=333_333, slippage_ticks=2)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("BETTEROMS_MAX_ORDER_NOTIONAL", "; did you mean BETTEROMS_MAX_ORDER_NOTIONAL_USD?"),
        ("BETTEROMS_CLOB_URLS", "; did you mean BETTEROMS_CLOB_URL?"),
        ("BETTEROMS_ZZZZZZZZZZZZZZZZZZZZ", ""),
    ],
)
def test_a_mistyped_name_is_not_silently_ignored(
    read: Callable[..., Settings], name: str, suggestion: str
) -> None:
    assert complaints(read, {name: "1"}) == (f"{name} (environment): there is no such setting{suggestion}",)


@pytest.mark.parametrize("text", [KEY, KEY[2:], "0X" + KEY[2:].upper(), f"  {KEY}\t"])
def test_a_private_key_may_be_written_with_or_without_0x(read: Callable[..., Settings], text: str) -> None:
    assert read(POLYMARKET_PRIVATE_KEY=text).private_key == Secret(KEY)


@pytest.mark.parametrize(
    "text",
    [
        KEY[:-1],
        KEY + "0",
        "0x" + "g" * 64,
        "abandon ability able",
        "0x" + "0" * 64,
        "0x" + "f" * 64,
        "٤" * 64,
    ],
)
def test_what_cannot_be_a_private_key_is_refused_without_being_quoted(
    read: Callable[..., Settings], text: str
) -> None:
    (problem,) = complaints(read, {"POLYMARKET_PRIVATE_KEY": text})
    assert problem.startswith("POLYMARKET_PRIVATE_KEY (environment): ")
    assert text not in problem
    assert text[:6] not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLYMARKET_API_KEY", "ke y"),
        ("POLYMARKET_API_SECRET", "kéy"),
        ("POLYMARKET_API_PASSPHRASE", "key\nX-Header: 1"),
        ("POLYMARKET_FUNDER", "0x1234"),
        ("POLYMARKET_FUNDER", KEY),
        ("DATABASE_URL", "mysql://oms:hidden@db.example/oms"),
        ("DATABASE_URL", "postgresql+asyncpg://oms:hidden@db.example/oms"),
        ("DATABASE_URL", "oms.db"),
        ("DATABASE_URL", "postgresql://oms:hid@den@db.example:5432a/oms"),
        ("DATABASE_URL", "postgresql://oms:hid/den@db.example/oms"),
        ("DATABASE_URL", "postgresql://oms:hid?den@db.example/oms"),
        ("DATABASE_URL", "postgresql://oms:hidden@[db.example/oms"),
        ("DATABASE_URL", "postgresql://oms:hid den@db.example/oms"),
        ("BETTEROMS_HOME", "relative/hidden"),
        ("BETTEROMS_HOME", "~nobody-of-that-name/hidden"),
        ("BETTEROMS_CLOB_URL", "clob.example"),
        ("BETTEROMS_CLOB_URL", "https://"),
        ("BETTEROMS_CLOB_URL", "https://clob.example:99999"),
        ("BETTEROMS_GAMMA_URL", "http://gamma.example"),
        ("BETTEROMS_GAMMA_URL", "http://127.0.0.1.example"),
        ("BETTEROMS_DATA_URL", "https://me:hidden@data.example"),
        ("BETTEROMS_RELAYER_URL", "https://relayer.example?key=hidden"),
        ("BETTEROMS_RPC_URL", "http://node.example/hidden"),
        ("BETTEROMS_WS_URL", "https://ws.example"),
        ("BETTEROMS_PAPER_CASH", "-1"),
        ("BETTEROMS_PAPER_CASH", "1e12"),
        ("BETTEROMS_PAPER_CASH", "NaN"),
        ("BETTEROMS_PAPER_LIQUIDITY_FRACTION", "0"),
        ("BETTEROMS_PAPER_LIQUIDITY_FRACTION", "1.01"),
        ("BETTEROMS_PAPER_SLIPPAGE_TICKS", "-1"),
        ("BETTEROMS_PAPER_SLIPPAGE_TICKS", "0.5"),
        ("BETTEROMS_PAPER_SLIPPAGE_TICKS", "1_0"),
        ("BETTEROMS_MAX_ORDER_NOTIONAL_USD", "0"),
        ("BETTEROMS_MAX_RUN_NOTIONAL_USD", "$5"),
        ("BETTEROMS_MAX_ORDERS_PER_RUN", "0"),
        ("BETTEROMS_MAX_DRAWDOWN_USD", "0"),
        ("BETTEROMS_MAX_SPREAD", "1.01"),
        ("BETTEROMS_MAX_BOOK_AGE_SECONDS", "0.5"),
        ("BETTEROMS_MAX_BOOK_AGE_SECONDS", "86401"),
        ("BETTEROMS_HTTP_ATTEMPTS", "11"),
        ("BETTEROMS_HTTP_TIMEOUT_SECONDS", "0"),
        ("BETTEROMS_HTTP_TIMEOUT_SECONDS", "301"),
        ("BETTEROMS_BOOKS_PER_REQUEST", "501"),
        ("BETTEROMS_BOOKS_PER_REQUEST", "9" * 5_000),
        ("CRON_INTERVAL_MINUTES", "0"),
        ("CRON_INTERVAL_MINUTES", "90"),
    ],
)
def test_a_wrong_value_is_named_and_hidden_parts_stay_hidden(
    read: Callable[..., Settings], name: str, value: str
) -> None:
    (problem,) = complaints(read, {name: value})
    assert problem.startswith(f"{name} (environment): ")
    assert len(problem) < 200
    assert not re.search("hid|4c4c", problem)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://a:b@h/d", "postgresql://a:b@h/d"),
        (
            "postgresql+psycopg://a:b%40@h:5432/d?sslmode=require",
            "postgresql://a:b%40@h:5432/d?sslmode=require",
        ),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=/run/postgresql"),
        ("postgresql://a@h1:5432,h2:5433/d", "postgresql://a@h1:5432,h2:5433/d"),
        ("postgresql://a@[::1]:5433/d", "postgresql://a@[::1]:5433/d"),
    ],
)
def test_a_database_url_is_brought_to_one_spelling(
    read: Callable[..., Settings], given: str, kept: str
) -> None:
    assert read(DATABASE_URL=given).database_url == Secret(kept)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("BETTEROMS_CLOB_URL", "https://clob.example/", "https://clob.example"),
        ("BETTEROMS_CLOB_URL", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("BETTEROMS_GAMMA_URL", "http://localhost:1/gamma/", "http://localhost:1/gamma"),
        ("BETTEROMS_DATA_URL", "http://[::1]:1", "http://[::1]:1"),
        ("BETTEROMS_WS_URL", "ws://127.0.0.1:9/ws", "ws://127.0.0.1:9/ws"),
    ],
)
def test_plain_connections_are_for_this_machine_only(
    read: Callable[..., Settings], name: str, given: str, kept: str
) -> None:
    assert read({name: given}).public()[name] == kept


@pytest.mark.parametrize("minutes", ["1", "5", "15", "30", "60", "120", "720", "1440"])
def test_cron_takes_what_cron_can_repeat(read: Callable[..., Settings], minutes: str) -> None:
    assert read(CRON_INTERVAL_MINUTES=minutes).cron_interval_minutes == int(minutes)


def test_a_home_may_begin_with_a_tilde(
    read: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert read(BETTEROMS_HOME="~/oms").home == tmp_path / "oms"


def test_without_a_home_it_is_the_users_data_directory(tmp_path: Path) -> None:
    home = load({}, cwd=tmp_path).home
    assert home.is_absolute()
    assert home.name == "betteroms"


def test_a_user_without_a_home_directory_is_asked_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What platformdirs answers to a number without an account, as containers give them.
    unknown = Path("~/.local/share/betteroms")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *args, **options: unknown)
    with pytest.raises(SettingsInvalid, match="BETTEROMS_HOME: this user has no home directory"):
        load({}, cwd=tmp_path)


def test_nothing_secret_is_ever_printed(read: Callable[..., Settings]) -> None:
    settings = read(SECRETS)
    shown = " ".join(
        [
            repr(settings),
            str(settings),
            f"{settings} {settings.private_key:>80} {settings.database_url!s}",
            repr(dataclasses.asdict(settings)),
            repr(dataclasses.astuple(settings)),
            json.dumps(dataclasses.asdict(settings), default=str),
            json.dumps(settings.public()),
            repr(dataclasses.replace(settings, http_attempts=1)),
        ]
    )
    assert settings.private_key == Secret(KEY)
    assert not [telltale for telltale in TELLTALES if telltale in shown]


def test_no_traceback_shows_a_secret_even_with_its_locals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{name}={text}" for name, text in SECRETS.items()]
    local = tmp_path / LOCAL_FILE
    local.write_text("\n".join([*lines, "BETTEROMS_PAPER_CASH=lots", f"POLYMARKET_FUNDER={KEY}"]))
    local.chmod(0o600)
    monkeypatch.chdir(tmp_path)
    try:
        load()
    except SettingsInvalid as wrong:
        told = "".join(traceback.TracebackException.from_exception(wrong, capture_locals=True).format())
        told += "".join(traceback.format_exception(wrong)) + str(wrong) + repr(wrong) + repr(wrong.problems)
    assert "BETTEROMS_PAPER_CASH" in told
    assert not [telltale for telltale in TELLTALES if telltale in told.replace(repr(lines), "")]


def test_what_is_kept_with_a_run_reads_back_as_the_same_settings(
    read: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = read(
        SECRETS,
        BETTEROMS_MAX_ORDER_NOTIONAL_USD="50.5",
        BETTEROMS_HTTP_TIMEOUT_SECONDS="2.5",
        POLYMARKET_FUNDER="0x" + "aB" * 20,
    )
    kept = settings.public()
    assert json.loads(json.dumps(kept)) == kept
    assert not set(SECRETS) & set(kept)
    bare = dataclasses.replace(
        settings,
        private_key=None,
        api_key=None,
        api_secret=None,
        api_passphrase=None,
        database_url=None,
        rpc_url=Settings(home=tmp_path).rpc_url,
    )
    assert load(kept, cwd=tmp_path) == bare


def test_what_a_command_needs_is_asked_for_all_at_once(read: Callable[..., Settings]) -> None:
    settings = read(POLYMARKET_API_KEY="key")
    settings.require("POLYMARKET_API_KEY", "BETTEROMS_HOME")
    with pytest.raises(SettingsInvalid) as missing:
        settings.require("POLYMARKET_PRIVATE_KEY", "POLYMARKET_API_KEY", "POLYMARKET_FUNDER")
    assert missing.value.problems == (
        "POLYMARKET_PRIVATE_KEY is not set (see docs/settings.md)",
        "POLYMARKET_FUNDER is not set (see docs/settings.md)",
    )


def test_settings_cannot_be_changed(read: Callable[..., Settings]) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().http_attempts = 5  # type: ignore[misc]


def test_importing_the_settings_imports_nothing_heavy() -> None:
    script = "import sys, betteroms.settings; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"platformdirs", "dotenv", "pydantic", "logging", "difflib", "asyncio", "httpx", "sqlalchemy"}
    assert not heavy & set(done.stdout.split())
