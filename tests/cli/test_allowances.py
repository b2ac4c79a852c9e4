"""`set-allowances`: each kind of wallet against a chain and a relayer over sockets."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from betteroms.adapters.polymarket.approvals import EVERY, TRADING, call_of
from betteroms.domain.approval import UNLIMITED, Approval, Holds, Standing, wanted
from betteroms.domain.money import to_micros
from tests.cli.conftest import Ran
from tests.cli.members import DOLLARS, inside, member, members_venue, people
from tests.sandbox.running import Venue
from tests.sandbox.stage import KINDS, Trader
from tests.vectors import vector

Cli = Callable[..., Ran]
PEOPLE = people()
KNOWN = vector("allowances")["data"]


@pytest.fixture
def venue() -> Iterator[Venue]:
    with members_venue() as running:
        yield running


def granted(venue: Venue, somebody: Trader, approval: Approval) -> int:
    """What the chain says."""
    bank, wallet, spender = inside(venue).bank, somebody.wallet.lower(), approval.spender.lower()
    if approval.holds is Holds.DOLLARS:
        return bank.allowance(wallet, spender)
    return int(bank.is_operator(wallet, approval.token.lower(), spender))


def rows(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = ran.document["result"]["approvals"]
    return found


def nonce(venue: Venue, somebody: Trader) -> int:
    return inside(venue).chain.next_nonce(somebody.signer.lower(), pending=True)


def test_the_calls_are_those_of_the_venues_client() -> None:
    ours = {(each.token, each.spender): f"0x{call_of(_unlimited(each)).hex()}" for each in EVERY}
    assert ours == {(row["token"], row["spender"]): row["calldata"] for row in KNOWN if "full" in row["sets"]}
    trading = {(each.token, each.spender) for each in TRADING}
    assert trading >= {(row["token"], row["spender"]) for row in KNOWN if "trade" in row["sets"]}
    more = [row for row in KNOWN if "v3" in row["sets"] and (row["token"], row["spender"]) in trading]
    assert len(trading) == len([row for row in KNOWN if "trade" in row["sets"]]) + len(more)
    assert len({each.reason for each in EVERY}) == len(EVERY)


def _unlimited(approval: Approval) -> Standing:
    return Standing(approval=approval, granted=0, wanted=wanted(approval, UNLIMITED))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_wallet_approves_what_trading_needs_and_no_more(
    kind: str, cli: Cli, venue: Venue
) -> None:
    somebody = PEOPLE[kind]
    settings = member(venue, somebody)
    ran = cli("set-allowances", "--yes", "--json", **settings)
    assert all(row["met"] for row in rows(ran))
    assert ran.document["result"]["changed"] == len(TRADING)
    assert ran.document["result"]["wallet"] == somebody.wallet
    for each in EVERY:
        assert granted(venue, somebody, each) == (wanted(each, UNLIMITED) if each.trading else 0)
    before = nonce(venue, somebody)
    again = cli("set-allowances", "--yes", "--json", **settings)
    assert (again.document["result"]["changed"], nonce(venue, somebody)) == (0, before)
    assert "nothing to do" in cli("set-allowances", **settings).out


def test_the_venue_is_told_to_look_again(cli: Cli, venue: Venue) -> None:
    from polymarket import ApiKeyCreds, SecureClient

    from tests.cli.members import key_of
    from tests.sandbox.running import sdk_environment

    somebody, key = PEOPLE["eoa"], key_of(venue, PEOPLE["eoa"])
    credentials = ApiKeyCreds(key=key.key, secret=key.secret, passphrase=key.passphrase)
    client = SecureClient.create(
        private_key=somebody.private_key,
        wallet=somebody.wallet,
        environment=sdk_environment(venue.port),
        credentials=credentials,
    )
    try:
        believed = client.get_balance_allowance(asset_type="COLLATERAL")
        assert set(believed.allowances.values()) == {0}
        assert cli("set-allowances", "--yes", **member(venue, somebody)).code == 0
        believed = client.get_balance_allowance(asset_type="COLLATERAL")
        assert set(believed.allowances.values()) == {UNLIMITED}
    finally:
        client.close()


def test_amounts_may_be_exact_or_named_and_everything_can_be_taken_back(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    settings = member(venue, somebody)
    dollars = [each for each in TRADING if each.holds is Holds.DOLLARS]
    for amount, most in (("exact", to_micros(DOLLARS)), ("12.5", to_micros("12.5"))):
        assert rows(cli("set-allowances", "--amount", amount, "--yes", "--json", **settings))
        assert {granted(venue, somebody, each) for each in dollars} == {most}
    rows(cli("set-allowances", "--full", "--yes", "--json", **settings))
    assert all(granted(venue, somebody, each) for each in EVERY)
    taken = rows(cli("set-allowances", "--revoke", "--yes", "--json", **settings))
    assert {row["granted"] for row in taken} == {"0", "none"}
    assert not any(granted(venue, somebody, each) for each in EVERY)


def test_an_exact_amount_of_an_empty_wallet_still_lets_shares_be_sold(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    inside(venue).bank.move({(somebody.wallet.lower(), None): -to_micros(DOLLARS)})
    told = rows(cli("set-allowances", "--amount", "exact", "--yes", "--json", **member(venue, somebody)))
    assert {row["granted"] for row in told} == {"0", "all"}


def test_what_is_wanted_is_shown_and_nothing_is_sent_where_nobody_agrees(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["deposit"]
    ran = cli("set-allowances", **member(venue, somebody))
    assert ran.code == 2
    assert "nobody can be asked here: --yes sends it" in ran.err
    assert f"wallet {somebody.wallet} (deposit wallet)" in ran.out
    assert ran.out.count("to do") == len(TRADING)
    assert not any(granted(venue, somebody, each) for each in EVERY)


@pytest.mark.parametrize("words", [("--amount", "0"), ("--amount", "-1"), ("--amount", "much")])
def test_an_amount_that_is_none_is_refused(words: tuple[str, ...], cli: Cli, venue: Venue) -> None:
    assert cli("set-allowances", *words, "--yes", **member(venue, PEOPLE["eoa"])).code == 2


def test_taking_back_has_no_amount(cli: Cli, venue: Venue) -> None:
    ran = cli("set-allowances", "--revoke", "--amount", "5", "--yes", **member(venue, PEOPLE["eoa"]))
    assert ran.code == 2


def test_without_pol_it_says_how_much_is_needed_and_sends_nothing(cli: Cli, venue: Venue) -> None:
    somebody = PEOPLE["eoa"]
    inside(venue).chain.coins.native[somebody.wallet.lower()] = 10**12
    ran = cli("set-allowances", "--yes", **member(venue, somebody))
    assert ran.code == 5
    assert "POL for gas and has 0.0001: send it some" in ran.err
    assert nonce(venue, somebody) == 0


def test_a_wallet_that_is_a_contract_needs_the_relayers_key(cli: Cli, venue: Venue) -> None:
    settings = member(venue, PEOPLE["safe"], POLYMARKET_RELAYER_API_KEY="")
    ran = cli("set-allowances", "--yes", **settings)
    assert ran.code == 4
    assert "POLYMARKET_RELAYER_API_KEY" in ran.err
    wrong = member(venue, PEOPLE["safe"], POLYMARKET_RELAYER_API_KEY="wrong")
    ran = cli("set-allowances", "--yes", **wrong)
    assert ran.code == 5
    assert "the relayer refused it" in ran.err
    assert "wrong" not in ran.err


def test_a_wallet_that_does_not_exist_is_not_made_on_the_way(cli: Cli, venue: Venue) -> None:
    from tests.sandbox.stage import trader

    nobody = trader("nobody-yet", "deposit")
    ran = cli("set-allowances", "--yes", **member(venue, nobody))
    assert ran.code == 5
    assert "does not exist yet: sign in at the venue's page once" in ran.err
    assert not inside(venue).chain.wallets.deployed(nobody.wallet.lower())


def test_a_node_of_another_chain_or_none_at_all_is_told_without_its_url(cli: Cli, venue: Venue) -> None:
    settings = member(venue, PEOPLE["eoa"], BETTEROMS_RPC_URL="http://127.0.0.1:1/v3/my-node-key")
    ran = cli("--debug", "set-allowances", "--yes", **settings)
    assert ran.code == 6
    assert "the chain's node (BETTEROMS_RPC_URL): no answer" in ran.err
    assert "my-node-key" not in ran.err
