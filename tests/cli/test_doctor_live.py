"""`doctor` where there is a key: each line against a sandbox venue, and what each lack does to it."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from betteroms.adapters.polymarket.approvals import TRADING
from betteroms.domain.money import to_micros
from tests.cli.conftest import Ran
from tests.cli.members import DOLLARS, hosts, inside, key_of, member, members_venue, people
from tests.cli.test_doctor import told
from tests.sandbox.running import Venue
from tests.sandbox.stage import KINDS

Cli = Callable[..., Ran]
PEOPLE = people()
LIVE = ["switch", "wallet", "credentials", "protocol", "place", "standing", "tier", "allowances"]
LIVE += ["dollars", "gas", "ledger", "order ids"]


@pytest.fixture
def venue() -> Iterator[Venue]:
    with members_venue() as running:
        yield running


def looked(cli: Cli, **settings: str) -> dict[str, tuple[str, str]]:
    ran = cli("doctor", "--json", **settings)
    assert ran.code == 0, (ran.out, ran.err)
    return told(ran)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wallet_that_can_trade_is_well_in_every_line(kind: str, cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE[kind]
    settings = member(venue, somebody)
    assert cli("set-allowances", "--yes", **settings).code == 0
    found = looked(cli, **settings)
    assert list(found)[-len(LIVE) :] == LIVE
    assert {level for level, _ in found.values()} == {"ok"}, found
    assert found["wallet"][1].startswith(f"{somebody.wallet}, ")
    assert f"(type {somebody.signature_type}) of the key {somebody.signer}" in found["wallet"][1]
    assert found["switch"][1] == "OFF: live plans are refused"
    assert found["dollars"][1] == f"{DOLLARS} in the wallet"
    assert found["tier"][1].endswith("standard")
    assert found["gas"][1].endswith(" POL" if kind == "eoa" else "the relayer pays for the wallet")
    assert found["order ids"][1].startswith("proven for 0 of 3 contracts")


def test_offline_nothing_is_asked(cli: Cli, venue: Venue) -> None:
    nowhere = "http://127.0.0.1:1"
    down = member(venue, PEOPLE["eoa"], BETTEROMS_CLOB_URL=nowhere, BETTEROMS_RPC_URL=nowhere)
    found = told(cli("doctor", "--offline", "--json", **down))
    for name in LIVE[1:]:
        assert found[name] == ("skipped", "not asked (--offline)")


def test_an_address_of_somebody_else_fails_with_those_that_are_ours(cli: Cli, venue: Venue) -> None:
    settings = member(venue, PEOPLE["deposit"], POLYMARKET_FUNDER="0x" + "22" * 20)
    ran = cli("doctor", "--json", **settings)
    assert ran.code == 4
    level, text = told(ran)["wallet"]
    assert level == "failed"
    assert "is no wallet of the key" in text
    assert PEOPLE["deposit"].wallet in text
    assert told(ran)["allowances"] == ("skipped", "needs the line wallet to be ok")


def test_credentials_of_somebody_else_fail(cli: Cli, venue: Venue) -> None:
    key = key_of(venue, PEOPLE["safe"])
    wrong = member(venue, PEOPLE["eoa"], POLYMARKET_API_KEY=key.key)
    ran = cli("doctor", "--json", **wrong)
    assert ran.code == 4
    assert told(ran)["credentials"][1].startswith("the venue refuses them for this key")
    assert told(ran)["tier"] == ("skipped", "needs the line credentials to be ok")
    nonsense = cli("doctor", "--json", **member(venue, PEOPLE["eoa"], POLYMARKET_API_SECRET="x"))
    assert (nonsense.code, told(nonsense)["credentials"][0]) == (4, "failed")


def test_missing_credentials_and_approvals_say_which_command_helps(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    found = looked(cli, **member(venue, somebody, POLYMARKET_API_SECRET=""))
    incomplete = "incomplete: POLYMARKET_API_SECRET not set: betteroms generate-creds --write"
    assert found["credentials"] == ("warning", incomplete)
    assert found["allowances"][0] == "warning"
    assert found["allowances"][1].endswith(": betteroms set-allowances")
    assert all(each.reason in found["allowances"][1] for each in TRADING)


def test_dollars_that_the_venue_has_not_seen_or_may_not_move_are_told(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    settings = member(venue, somebody)
    assert cli("set-allowances", "--amount", "20", "--yes", **settings).code == 0
    level, text = looked(cli, **settings)["dollars"]
    assert (level, text) == ("warning", "100, of which only 20 may be moved: betteroms set-allowances")
    inside(venue).bank.move({(somebody.wallet.lower(), None): to_micros("5")})
    level, text = looked(cli, **settings)["dollars"]
    assert (level, text) == ("warning", "105 on the chain, 100 as the venue believes: it has not looked yet")


def test_little_gas_and_a_restricted_account_are_warnings(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    settings = member(venue, somebody)
    inside(venue).chain.coins.native[somebody.wallet.lower()] = 10**16
    inside(venue).members.closed_only.add(somebody.signer.lower())
    found = looked(cli, **settings)
    assert found["gas"] == ("warning", "0.01 POL: not enough to set allowances; trading itself needs none")
    assert found["standing"] == ("warning", "closed-only: this account may sell, and buy nothing")


def test_the_switch_and_what_is_proven_are_read_from_the_database(
    cli: Cli, venue: Venue, sql: psycopg.Connection[Any]
) -> None:
    somebody = PEOPLE["eoa"]
    settings = member(venue, somebody)
    assert cli("db", "upgrade").code == 0
    sql.execute(
        "INSERT INTO settings (name, value, changed_at) VALUES "
        "('live.switch', '{\"state\": \"SHADOW\"}', now())"
    )
    assert looked(cli, **settings)["switch"][1].startswith("SHADOW: ")


def test_a_keystore_that_nothing_opens_is_a_warning_and_the_rest_is_looked_at(
    cli: Cli, venue: Venue, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import sys

    somebody, home = PEOPLE["deposit"], str(tmp_path / "kept")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{somebody.private_key}\nlong enough\n"))
    assert cli("keys", "import", "--passphrase-stdin", BETTEROMS_HOME=home).code == 0
    found = looked(cli, **hosts(venue), BETTEROMS_HOME=home)
    assert found["key"][0] == "warning"
    assert "nothing opens the keystore" in found["key"][1]
    assert found["wallet"][1].startswith(somebody.wallet)
