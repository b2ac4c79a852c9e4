"""`generate-creds`: the credentials of a key, against a venue over sockets; and where they are written."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from betteroms.settings import load
from tests.cli.conftest import Ran
from tests.cli.members import hosts, inside, key_of, keyed, members_venue, people
from tests.sandbox.running import Venue
from tests.sandbox.stage import KINDS

Cli = Callable[..., Ran]
PEOPLE = people()
NAMES = ["POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE"]


@pytest.fixture
def venue() -> Iterator[Venue]:
    with members_venue() as running:
        yield running


def secrets_of(venue: Venue, kind: str) -> list[str]:
    key = key_of(venue, PEOPLE[kind])
    return [key.key, key.secret, key.passphrase]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_wallet_gets_credentials_and_nothing_secret_is_shown(
    kind: str, cli: Cli, venue: Venue
) -> None:
    somebody = PEOPLE[kind]
    ran = cli("generate-creds", **keyed(venue, somebody))
    assert (ran.code, ran.err) == (0, "")
    assert f"the key's own address: {somebody.signer}" in ran.out
    (chosen,) = [line for line in ran.out.splitlines() if "POLYMARKET_FUNDER" in line]
    assert chosen.startswith(f"{somebody.wallet}  type {somebody.signature_type}")
    assert "credentials: made now" in ran.out
    for secret in (somebody.private_key[2:], *secrets_of(venue, kind)):
        assert secret not in ran.out + ran.err
    again = cli("generate-creds", **keyed(venue, somebody))
    assert "credentials: those that were made before" in again.out
    assert len(inside(venue).members.keys_of(somebody.signer)) == 1


def test_written_they_can_be_read_and_every_other_line_stays(cli: Cli, venue: Venue, tmp_path: Path) -> None:
    somebody, file = PEOPLE["deposit"], tmp_path / ".env.local"
    file.write_text("# mine\nBETTEROMS_PAPER_CASH=7\nPOLYMARKET_API_KEY=old\n# end", encoding="utf-8")
    file.chmod(0o600)
    ran = cli("generate-creds", "--write", "--json", **keyed(venue, somebody))
    assert ran.code == 0, ran.err
    assert ran.document["result"]["written"] == str(file)
    assert ran.document["result"]["credentials"] is None
    key = key_of(venue, somebody)
    assert file.read_text(encoding="utf-8").splitlines() == [
        "# mine",
        "BETTEROMS_PAPER_CASH=7",
        f"POLYMARKET_API_KEY={key.key}",
        "# end",
        f"POLYMARKET_API_SECRET={key.secret}",
        f"POLYMARKET_API_PASSPHRASE={key.passphrase}",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = load({}, cwd=tmp_path)
    assert found.api_secret is not None
    assert found.api_secret.reveal() == key.secret
    assert key.key not in ran.out


def test_a_new_file_is_the_owners_alone_and_names_the_wallet_that_exists(
    cli: Cli, venue: Venue, tmp_path: Path
) -> None:
    somebody = PEOPLE["safe"]
    settings = keyed(venue, somebody)
    del settings["POLYMARKET_FUNDER"]
    before = os.umask(0)
    try:
        ran = cli("generate-creds", "--write", **settings)
    finally:
        os.umask(before)
    assert ran.code == 0, ran.err
    file = tmp_path / ".env.local"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"POLYMARKET_FUNDER={somebody.wallet}\n" in file.read_text(encoding="utf-8")


def test_where_no_wallet_exists_none_is_guessed(cli: Cli, venue: Venue, tmp_path: Path) -> None:
    ran = cli("generate-creds", "--write", "--json", POLYMARKET_PRIVATE_KEY="0x" + "77" * 32, **hosts(venue))
    assert ran.code == 0, ran.err
    rows = ran.document["result"]["wallets"]
    assert len(rows) == 5
    assert not any(row["chosen"] for row in rows)
    assert "POLYMARKET_FUNDER" not in (tmp_path / ".env.local").read_text(encoding="utf-8")


def test_shown_only_when_asked_by_name(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["proxy"]
    ran = cli("generate-creds", "--show", **keyed(venue, somebody))
    values = secrets_of(venue, "proxy")
    for name, value in zip(NAMES, values, strict=True):
        assert f"{name}={value}" in ran.out.splitlines()
    assert somebody.private_key[2:] not in ran.out
    told = cli("generate-creds", "--show", "--json", **keyed(venue, somebody)).document["result"]
    assert list(told["credentials"].values()) == values


def test_another_nonce_is_another_set(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    first = cli("generate-creds", "--show", "--json", **keyed(venue, somebody)).document["result"]
    second = cli("generate-creds", "--show", "--json", "--nonce", "3", **keyed(venue, somebody))
    assert second.document["result"]["credentials"] != first["credentials"]


def test_a_wallet_of_somebody_else_is_refused_before_anything_is_made(cli: Cli, venue: Venue) -> None:
    wrong = keyed(venue, PEOPLE["deposit"], POLYMARKET_FUNDER="0x" + "22" * 20)
    ran = cli("generate-creds", "--write", "--json", **wrong)
    assert (ran.code, ran.out) == (4, "")
    assert ran.error["code"] == "CREDENTIALS_UNUSABLE"
    assert len(ran.error["problems"]) == 5
    assert inside(venue).members.keys_of(PEOPLE["deposit"].signer) == []


def test_without_a_key_it_says_how_to_give_one(cli: Cli, venue: Venue) -> None:
    ran = cli("generate-creds", **hosts(venue))
    assert ran.code == 4
    assert "there is no private key: set POLYMARKET_PRIVATE_KEY, or betteroms keys import" in ran.err


def test_credentials_that_were_ended_are_told(cli: Cli, venue: Venue) -> None:
    key = key_of(venue, PEOPLE["eoa"])
    inside(venue).members.delete(key.key)
    ran = cli("generate-creds", **keyed(venue, PEOPLE["eoa"]))
    assert ran.code == 4
    assert "take another with --nonce" in ran.err


def test_a_venue_that_is_down_is_told(cli: Cli, venue: Venue) -> None:
    down = keyed(venue, PEOPLE["eoa"], BETTEROMS_CLOB_URL="http://127.0.0.1:1", BETTEROMS_HTTP_ATTEMPTS="1")
    ran = cli("generate-creds", "--write", **down)
    assert ran.code == 6


def test_an_open_file_is_refused(cli: Cli, venue: Venue, tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    file.write_text("BETTEROMS_PAPER_CASH=7\n", encoding="utf-8")
    file.chmod(0o644)
    ran = cli("generate-creds", "--write", **keyed(venue, PEOPLE["eoa"]))
    assert ran.code == 2
    assert "open to others" in ran.err
    assert file.read_text(encoding="utf-8") == "BETTEROMS_PAPER_CASH=7\n"


def test_a_variable_of_the_environment_that_beats_the_file_is_told(cli: Cli, venue: Venue) -> None:
    ran = cli("generate-creds", "--write", **keyed(venue, PEOPLE["eoa"], POLYMARKET_API_KEY="other"))
    assert "note: the environment sets POLYMARKET_API_KEY, too, and beats the file" in ran.err
