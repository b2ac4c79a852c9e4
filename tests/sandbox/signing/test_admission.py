"""Who may post an order for whom, in the venue's words."""

from dataclasses import replace
from typing import Any, Final

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.accounts import ApiKey, Members
from betteroms.sandbox.model import Refused, SignedOrder
from betteroms.sandbox.signing import Wallet, WalletKind, wallets_of

OWNER: Final = "0x" + "11" * 20
STRANGER: Final = "0x" + "22" * 20
SESSION: Final = "0x" + "33" * 20
NOW_MS: Final = 1_790_000_000_000
UNKNOWN: Final = "maker address not allowed, please use the deposit wallet flow"
WRONG_SIGNER: Final = "the order signer address has to be the address of the API KEY"
EOA, PROXY, SAFE, DEPOSIT, OLD_DEPOSIT = wallets_of(OWNER)
WALLETS: Final = (EOA, PROXY, SAFE, DEPOSIT, OLD_DEPOSIT)


def order_of(wallet: Wallet, **changes: Any) -> SignedOrder:
    order = SignedOrder(
        salt=1,
        maker=wallet.address,
        signer=wallet.address if wallet.kind is WalletKind.DEPOSIT else wallet.owner,
        token_id="71",
        maker_amount=1,
        taker_amount=1,
        side=Side.BUY,
        signature_type=wallet.kind,
        timestamp=NOW_MS,
        metadata="0x" + "00" * 32,
        builder="0x" + "00" * 32,
        signature="0x",
    )
    return replace(order, **changes)


@pytest.fixture
def members() -> Members:
    return Members(seed=0)


@pytest.fixture
def key(members: Members) -> ApiKey:
    return members.create_key(OWNER, 0)


def admit(members: Members, signed: SignedOrder, key: ApiKey, **changes: Any) -> Wallet:
    options: dict[str, Any] = {"owner": key.key, "any_maker": True, "now_ms": NOW_MS} | changes
    return members.admit(signed, key=key, **options)


def refusal(members: Members, signed: SignedOrder, key: ApiKey, **changes: Any) -> tuple[str, int]:
    with pytest.raises(Refused) as refused:
        admit(members, signed, key, **changes)
    return refused.value.text, refused.value.status


@pytest.mark.parametrize("wallet", WALLETS, ids=lambda wallet: wallet.kind.name)
def test_an_account_trades_for_its_own_wallets(members: Members, key: ApiKey, wallet: Wallet) -> None:
    assert admit(members, order_of(wallet), key) == wallet


def test_the_order_names_the_key_that_posts_it(members: Members, key: ApiKey) -> None:
    other = members.create_key(OWNER, 1)
    text = "the order owner has to be the owner of the API KEY"
    for owner in (other.key, "", OWNER):
        assert refusal(members, order_of(EOA), key, owner=owner) == (text, 400)


@pytest.mark.parametrize("wallet", WALLETS, ids=lambda wallet: wallet.kind.name)
def test_nobody_posts_what_another_signed(members: Members, key: ApiKey, wallet: Wallet) -> None:
    stranger = members.create_key(STRANGER, 0)
    assert refusal(members, order_of(wallet), stranger) == (WRONG_SIGNER, 400)


@pytest.mark.parametrize("wallet", [PROXY, SAFE], ids=lambda wallet: wallet.kind.name)
def test_a_wallet_that_is_not_the_signers_may_not_make(members: Members, key: ApiKey, wallet: Wallet) -> None:
    members.create_key(STRANGER, 0)
    theirs = next(other for other in wallets_of(STRANGER) if other.kind is wallet.kind)
    for maker in (theirs.address, "0x" + "99" * 20):
        assert refusal(members, order_of(wallet, maker=maker), key) == (UNKNOWN, 400)


def test_a_deposit_wallet_that_nobody_knows_may_not_make(members: Members, key: ApiKey) -> None:
    unknown = "0x" + "99" * 20
    signed = order_of(DEPOSIT, maker=unknown, signer=unknown)
    assert refusal(members, signed, key) == (UNKNOWN, 400)


def test_an_account_does_not_trade_for_another_account(members: Members, key: ApiKey) -> None:
    assert refusal(members, order_of(EOA, maker=STRANGER), key) == (UNKNOWN, 400)


@pytest.mark.parametrize("wallet", WALLETS, ids=lambda wallet: wallet.kind.name)
def test_the_type_of_the_signature_is_the_wallets(members: Members, key: ApiKey, wallet: Wallet) -> None:
    for kind in WalletKind:
        if kind is not wallet.kind:
            text, status = refusal(members, order_of(wallet, signature_type=kind), key)
            assert (text in (UNKNOWN, WRONG_SIGNER), status) == (True, 400)


def test_what_is_no_address_signs_nothing(members: Members, key: ApiKey) -> None:
    for signer in ("", "0x", "hello"):
        assert refusal(members, order_of(SAFE, maker="0x12", signer=signer), key) == (WRONG_SIGNER, 400)


def test_a_deposit_wallet_signs_for_itself(members: Members, key: ApiKey) -> None:
    assert refusal(members, order_of(DEPOSIT, signer=OWNER), key) == (WRONG_SIGNER, 400)


def test_an_account_trades_for_itself_where_it_is_admitted(members: Members, key: ApiKey) -> None:
    assert refusal(members, order_of(EOA), key, any_maker=False) == (UNKNOWN, 400)
    assert admit(members, order_of(DEPOSIT), key, any_maker=False) == DEPOSIT
    members.admitted.add(OWNER)
    assert admit(members, order_of(EOA), key, any_maker=False) == EOA


def test_a_session_key_posts_for_its_wallet_while_it_is_good(members: Members, key: ApiKey) -> None:
    session = members.create_key(SESSION, 0)
    assert refusal(members, order_of(DEPOSIT), session) == (WRONG_SIGNER, 400)
    members.authorize_session_key(DEPOSIT.address, SESSION, NOW_MS // 1000 + 1)
    assert admit(members, order_of(DEPOSIT), session).address == DEPOSIT.address
    assert refusal(members, order_of(DEPOSIT), session, now_ms=NOW_MS + 1000) == (WRONG_SIGNER, 400)


def test_only_deposit_wallets_have_session_keys(members: Members, key: ApiKey) -> None:
    for wallet in (SAFE.address, STRANGER):
        with pytest.raises(Refused, match="wallet not found"):
            members.authorize_session_key(wallet, SESSION, 1)


def test_a_read_only_key_posts_nothing(members: Members, key: ApiKey) -> None:
    reader = members.create_readonly_key(OWNER)
    assert refusal(members, order_of(EOA), reader) == ("Unauthorized/Invalid api key", 401)


@pytest.mark.parametrize("banned", [OWNER, DEPOSIT.address])
def test_a_banned_address_posts_nothing(members: Members, key: ApiKey, banned: str) -> None:
    members.banned.add(banned)
    for side in Side:
        text = f"'{banned}' address banned"
        assert refusal(members, order_of(DEPOSIT, side=side), key) == (text, 400)


@pytest.mark.parametrize("closed", [OWNER, DEPOSIT.address, "the key"])
def test_in_closed_only_mode_one_may_sell_and_not_buy(members: Members, key: ApiKey, closed: str) -> None:
    assert not members.is_closed_only(key)
    members.closed_only.add(key.key if closed == "the key" else closed)
    assert members.is_closed_only(key) is (closed != DEPOSIT.address)
    named = OWNER if closed == OWNER else DEPOSIT.address
    assert refusal(members, order_of(DEPOSIT), key) == (f"'{named}' address in closed only mode", 400)
    assert admit(members, order_of(DEPOSIT, side=Side.SELL), key) == DEPOSIT
