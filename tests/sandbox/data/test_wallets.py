"""The wallets to rehearse with: keys that everybody can make, at addresses where clients look for them."""

import pytest
from eth_account import Account

from betteroms.sandbox.addresses import EXCHANGES
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.hashing import checksum, keccak
from betteroms.sandbox.seeding import test_wallets as wallets_of_seed
from betteroms.sandbox.signing.wallets import WalletKind
from tests.sandbox.data.asking import ask, new_world
from tests.sandbox.stage import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_follows_from_the_seed_and_the_name(kind: str) -> None:
    (wallet,) = [wallet for wallet in wallets_of_seed(7) if wallet.name == kind]
    assert wallet.private_key == "0x" + keccak(f"betteroms-sandbox:7:{kind}".encode()).hex()
    assert checksum(wallet.owner) == Account.from_key(wallet.private_key).address
    assert wallet.kind is WalletKind[kind.upper()]


def test_every_kind_has_its_own_key_and_money() -> None:
    world = new_world(seed=3)
    wallets = wallets_of_seed(3)
    assert [wallet.name for wallet in wallets] == list(KINDS)
    assert len({wallet.owner for wallet in wallets}) == len({wallet.address for wallet in wallets}) == 4
    for wallet in wallets:
        assert world.bank.balance(wallet.address) == 10_000_000_000
        assert all(world.bank.allowance(wallet.address, exchange) == UNLIMITED for exchange in EXCHANGES)
        assert world.members.wallets[wallet.address].owner == wallet.owner


def test_the_data_api_tells_what_is_approved() -> None:
    world = new_world()
    wallet = wallets_of_seed(0)[3]
    told = ask(world, "/data-api/v2/approvals", user=checksum(wallet.address))["data"]
    assert (told["address"], told["chain_id"]) == (checksum(wallet.address), 137)
    approved = [row["approved"] for row in told["contracts"]]
    assert (len(approved), approved.count(False)) == (17, 3)  # two auto-redeemers, and the perps' deposit
    nobody = ask(world, "/data-api/v2/approvals", user="0x" + "1" * 40)["data"]["contracts"]
    assert not any(row["approved"] for row in nobody)
    assert {row["amount"] for row in nobody} == {"0", None}
