"""`.env.local` is read whole, and closed to others, or not at all; the documents tell the truth of it."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from betteroms.domain.errors import SettingsInvalid
from betteroms.domain.money import Usdc
from betteroms.domain.secret import Secret
from betteroms.settings import LOCAL_FILE, LOCAL_FILE_LENGTH_MAX, VARIABLES, Settings, load

ROOT = Path(__file__).parent.parent
KEY = "0x" + "4c" * 32


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Settings]:
    """Load from these variables, in an empty directory unless the test wrote a file there."""

    def reading(environ: Mapping[str, str] | None = None, **variables: str) -> Settings:
        home = {"BETTEROMS_HOME": str(tmp_path / "home")}
        return load({**home, **(environ or {}), **variables}, cwd=tmp_path)

    return reading


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write `.env.local`."""

    def writing(text: str | bytes, mode: int = 0o600) -> Path:
        path = tmp_path / LOCAL_FILE
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return writing


def complaints(read: Callable[..., Settings], environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as invalid:
        read(environ or {})
    return invalid.value.problems


def test_an_empty_value_is_no_value(read: Callable[..., Settings], write: Callable[..., Path]) -> None:
    write("BETTEROMS_PAPER_CASH=7\nBETTEROMS_HTTP_ATTEMPTS=\n")
    settings = read(BETTEROMS_PAPER_CASH="", BETTEROMS_PAPER_SLIPPAGE_TICKS=" ")
    assert settings.paper_cash == Usdc(7_000_000)
    assert settings.paper_slippage_ticks == 0
    assert settings.http_attempts == 4


def test_the_environment_beats_the_file(read: Callable[..., Settings], write: Callable[..., Path]) -> None:
    write("BETTEROMS_PAPER_CASH=7\nBETTEROMS_HTTP_ATTEMPTS=9\n")
    settings = read(BETTEROMS_PAPER_CASH="8")
    assert (settings.paper_cash, settings.http_attempts) == (8_000_000, 9)


def test_the_process_environment_and_directory_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Path]
) -> None:
    write("BETTEROMS_PAPER_CASH=7\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BETTEROMS_HOME", str(tmp_path))
    monkeypatch.setenv("BETTEROMS_HTTP_ATTEMPTS", "3")
    settings = load()
    assert (settings.paper_cash, settings.http_attempts) == (7_000_000, 3)


def test_the_file_may_use_quotes_comments_export_and_a_byte_order_mark(
    read: Callable[..., Settings], write: Callable[..., Path]
) -> None:
    text = "# ours\nexport BETTEROMS_PAPER_CASH=\"12\"  # small\n\nPOLYMARKET_API_SECRET='a$b${c}'\nOTHER=1\n"
    write(b"\xef\xbb\xbf" + text.encode())
    settings = read()
    assert settings.paper_cash == Usdc(12_000_000)
    assert settings.api_secret == Secret("a$b${c}")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
def test_a_file_open_to_others_is_refused_with_the_command_that_closes_it(
    read: Callable[..., Settings], write: Callable[..., Path], mode: int
) -> None:
    path = write(f"POLYMARKET_PRIVATE_KEY={KEY}\n", mode)
    assert complaints(read) == (f".env.local: open to others; type: chmod 600 {path}",)


def test_every_problem_is_named_at_once(read: Callable[..., Settings], write: Callable[..., Path]) -> None:
    write("\nBETTEROMS_PAPER_CASH=lots\n\nBETTEROMS_PAPER_CSH=1\n")
    assert complaints(
        read, {"CRON_INTERVAL_MINUTES": "7", "BETTEROMS_MAX_ORDER_NOTIONAL_USD": "1.1234567", "OTHER": "x"}
    ) == (
        "CRON_INTERVAL_MINUTES (environment): cron cannot repeat every 7 minutes; "
        "take a divisor of 60, or of 24 hours",
        "BETTEROMS_PAPER_CASH (.env.local line 2): 'lots' is not a number",
        "BETTEROMS_MAX_ORDER_NOTIONAL_USD (environment): 1.1234567 has more than six decimals",
        "BETTEROMS_PAPER_CSH (.env.local line 4): there is no such setting; "
        "did you mean BETTEROMS_PAPER_CASH?",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("POLYMARKET_API_KEY\x00=1\n", None),
        ("=5\n", ".env.local line 1: is not NAME=value"),
        ("# fine\n\n\n'no equals\n", ".env.local line 4: is not NAME=value"),
        ('BETTEROMS_PAPER_CASH="5\n', ".env.local line 1: is not NAME=value"),
        ("OTHER=1\nOTHER=2\n", "OTHER (.env.local line 2): was set in line 1 already"),
        (b"BETTEROMS_PAPER_CASH=\xff\n", ".env.local: cannot be read (UnicodeDecodeError)"),
        ("#" * (LOCAL_FILE_LENGTH_MAX + 1), f".env.local: longer than {LOCAL_FILE_LENGTH_MAX} characters"),
    ],
)
def test_a_file_that_cannot_be_understood_is_not_half_understood(
    read: Callable[..., Settings], write: Callable[..., Path], text: str | bytes, problem: str | None
) -> None:
    write(text)
    if problem is None:
        assert read().paper_cash == Usdc(10_000_000_000)
    else:
        assert complaints(read) == (problem,)


def test_a_directory_in_place_of_the_file_is_reported(read: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / LOCAL_FILE).mkdir()
    assert complaints(read) == (".env.local: cannot be read (IsADirectoryError)",)


def test_the_example_file_lists_every_setting_in_its_place() -> None:
    text = (ROOT / ".env.local.example").read_text(encoding="utf-8")
    assert re.findall(r"^# ?([A-Z0-9_]+)=", text, flags=re.MULTILINE) == list(VARIABLES)


def test_the_example_file_as_it_is_sets_nothing(
    read: Callable[..., Settings], write: Callable[..., Path], tmp_path: Path
) -> None:
    write((ROOT / ".env.local.example").read_bytes())
    assert read() == Settings(home=tmp_path / "home")


def test_the_example_file_with_everything_switched_on_shows_the_defaults(
    read: Callable[..., Settings], write: Callable[..., Path]
) -> None:
    text = (ROOT / ".env.local.example").read_text(encoding="utf-8")
    write(re.sub(r"^# ?([A-Z0-9_]+=)", r"\1", text, flags=re.MULTILINE))
    settings = read()
    assert settings.public() == Settings(home=settings.home).public()
    assert settings.rpc_url == Settings(home=settings.home).rpc_url


def test_the_table_of_settings_is_complete_and_its_defaults_are_true(tmp_path: Path) -> None:
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) \|", text, flags=re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(VARIABLES)
    settings = Settings(home=tmp_path)
    defaults = {**settings.public(), "BETTEROMS_RPC_URL": settings.rpc_url.reveal()}
    documented = {name: default.strip("`") for name, default in rows if default.startswith("`")}
    del defaults["BETTEROMS_HOME"]
    assert documented == defaults
