"""`keys`: the keystore from the command line, and where the key of other commands comes from."""

import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account import Account

from tests.cli.conftest import Ran
from tests.cli.members import hosts, members_venue, people
from tests.sandbox.running import Venue

Cli = Callable[..., Ran]
KEY = "0x" + "4f" * 32
OTHER = "0x" + "5e" * 32
ADDRESS = Account.from_key(KEY).address
PASSPHRASE = "correct horse battery"


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    return {"BETTEROMS_HOME": str(tmp_path / "kept")}


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts words into stdin, which is no terminal."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def imported(cli: Cli, feed: Callable[[str], None], place: dict[str, str], key: str = KEY) -> Ran:
    feed(f"{key}\n{PASSPHRASE}\n")
    return cli("keys", "import", "--passphrase-stdin", "--json", **place)


def test_a_key_is_kept_shown_by_its_address_and_removed(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str]
) -> None:
    ran = imported(cli, feed, place)
    assert (ran.code, ran.err) == (0, "")
    file = Path(ran.document["result"]["file"])
    assert ran.document["result"]["address"] == ADDRESS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = cli("keys", "show-address", "--json", **place).document["result"]
    assert (shown["address"], shown["from"]) == (ADDRESS, str(file))
    assert [row["signatureType"] for row in shown["wallets"]] == [3, 3, 1, 2, 0]
    assert shown["wallets"][-1]["address"] == ADDRESS
    feed("")
    assert cli("keys", "remove", **place).code == 2
    assert file.exists()
    assert cli("keys", "remove", "--yes", **place).code == 0
    assert not file.exists()
    assert cli("keys", "remove", "--yes", **place).code == 3


def test_a_key_without_its_0x_is_the_same(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str]
) -> None:
    assert imported(cli, feed, place, key=KEY[2:].upper()).document["result"]["address"] == ADDRESS


def test_a_keystore_is_replaced_only_when_told(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str]
) -> None:
    assert imported(cli, feed, place).code == 0
    assert imported(cli, feed, place, key=OTHER).code == 2
    feed(f"{OTHER}\n{PASSPHRASE}\n")
    ran = cli("keys", "import", "--passphrase-stdin", "--force", **place)
    assert ran.code == 0
    assert Account.from_key(OTHER).address in ran.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no private key was given"),
        ("zz\nlong enough\n", "a private key is 64 hexadecimal digits"),
        (f"{'4f' * 31}\nlong enough\n", "a private key is 64 hexadecimal digits"),
        (f"{KEY}\nshort\n", "8 characters or more"),
        (f"{KEY}\n", "8 characters or more"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_not_repeated(
    text: str, words: str, cli: Cli, feed: Callable[[str], None], place: dict[str, str]
) -> None:
    feed(text)
    ran = cli("keys", "import", "--passphrase-stdin", **place)
    assert ran.code == 2
    assert words in ran.err
    assert "4f4f" not in ran.err
    assert "short" not in ran.err
    assert not Path(place["BETTEROMS_HOME"]).exists()


def test_a_passphrase_may_lie_in_a_file(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    file.chmod(0o600)
    feed(f"{KEY}\n")
    assert cli("keys", "import", **place).code == 2
    feed(f"{KEY}\n")
    ran = cli("keys", "import", **place, BETTEROMS_KEYSTORE_PASSPHRASE_FILE=str(file))
    assert ran.code == 0, ran.err


def test_without_any_key_that_is_told(cli: Cli, place: dict[str, str]) -> None:
    ran = cli("keys", "show-address", "--json", **place)
    assert (ran.code, ran.error["code"]) == (4, "CREDENTIALS_UNUSABLE")


def test_the_address_that_is_chosen_is_marked(cli: Cli, place: dict[str, str]) -> None:
    ran = cli("keys", "show-address", POLYMARKET_PRIVATE_KEY=KEY, POLYMARKET_FUNDER=ADDRESS.lower(), **place)
    assert f"{ADDRESS}  type 0  the key's own address  (POLYMARKET_FUNDER)" in ran.out.splitlines()
    assert "from  POLYMARKET_PRIVATE_KEY" in ran.out
    assert KEY[2:] not in ran.out


@pytest.fixture
def venue() -> Iterator[Venue]:
    with members_venue() as running:
        yield running


def test_a_command_opens_the_keystore_where_there_is_something_to_open_it_with(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str], venue: Venue, tmp_path: Path
) -> None:
    somebody = people()["deposit"]
    assert imported(cli, feed, place, key=somebody.private_key).code == 0
    settings = {**hosts(venue), **place}
    feed("")
    ran = cli("generate-creds", **settings)
    assert ran.code == 4
    assert "nothing opens the keystore" in ran.err
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE, encoding="utf-8")
    file.chmod(0o600)
    ran = cli("generate-creds", "--json", **settings, BETTEROMS_KEYSTORE_PASSPHRASE_FILE=str(file))
    assert ran.code == 0, ran.err
    assert ran.document["result"]["address"] == somebody.signer
    file.write_text("something else", encoding="utf-8")
    ran = cli("generate-creds", "--json", **settings, BETTEROMS_KEYSTORE_PASSPHRASE_FILE=str(file))
    assert (ran.code, ran.error["message"]) == (4, "the passphrase does not open the keystore")


def test_the_environments_key_goes_before_the_keystores(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str]
) -> None:
    assert imported(cli, feed, place).code == 0
    shown = cli("keys", "show-address", "--json", **place, POLYMARKET_PRIVATE_KEY=OTHER)
    assert shown.document["result"]["address"] == Account.from_key(OTHER).address
    feed(f"{KEY}\n{PASSPHRASE}\n")
    again = cli("keys", "import", "--passphrase-stdin", "--force", **place, POLYMARKET_PRIVATE_KEY=OTHER)
    assert "note: POLYMARKET_PRIVATE_KEY is set as well, and goes before the keystore" in again.err


def test_the_keystore_file_is_one_that_others_can_open(
    cli: Cli, feed: Callable[[str], None], place: dict[str, str]
) -> None:
    file = Path(imported(cli, feed, place).document["result"]["file"])
    content = json.loads(file.read_text(encoding="utf-8"))
    assert bytes(Account.decrypt(content, PASSPHRASE)).hex() == KEY[2:]
