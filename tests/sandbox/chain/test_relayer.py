"""The relayer: what it takes, from whom, and what becomes of it.

Envelopes are signed by the venue's own client.
"""

from typing import Any

import pytest
from eth_account import Account
from polymarket._internal.actions.relayer.calls import (
    TransactionCall,
    authorize_session_signer_call,
    encode_proxy_call,
    encode_safe_multisend_call,
    erc20_approval_call,
    erc20_transfer_call,
)
from polymarket._internal.actions.relayer.gasless import (
    build_deposit_wallet_payload,
    build_proxy_payload,
    build_safe_payload,
)
from polymarket._internal.actions.relayer.signing.deposit_wallet import sign_deposit_wallet_batch
from polymarket._internal.actions.relayer.signing.proxy import (
    build_proxy_transaction_hash,
    sign_proxy_message,
)
from polymarket._internal.actions.relayer.signing.safe import sign_safe_transaction
from polymarket._internal.wallet import wrap_deposit_wallet_session_signer_signature

from betteroms.sandbox import addresses
from betteroms.sandbox.chain import Call
from betteroms.sandbox.model import Refused
from betteroms.sandbox.relayer.relayer import State
from betteroms.sandbox.signing import Wallet, WalletKind
from betteroms.sandbox.signing.wallets import deposit_wallet, proxy_wallet, safe_wallet
from betteroms.sandbox.world import CONFIRMED_AFTER_MS, MINED_AFTER_MS, World
from tests.sandbox.chain.scene import (
    ACCOUNT,
    OTHER,
    SIGNER,
    STARTS_MS,
    later,
    new_world,
    result,
    unchanged,
)
from tests.vectors import vector

DEPOSIT, SAFE, PROXY = deposit_wallet(ACCOUNT), safe_wallet(ACCOUNT), proxy_wallet(ACCOUNT)
SESSION = Account.from_key("0x" + "7b" * 32)
DEADLINE = str(STARTS_MS // 1000 + 600)
PUSD: Any = addresses.PUSD
"""The client tells addresses apart by a type of its own; so they are anything here."""
RECIPIENT: Any = OTHER
SPENDER: Any = addresses.EXCHANGE
APPROVAL = erc20_approval_call(token_address=PUSD, spender=SPENDER, amount=77)
PAYMENT = erc20_transfer_call(token_address=PUSD, recipient=RECIPIENT, amount=5)


def batch(
    calls: list[TransactionCall],
    *,
    nonce: int = 0,
    deadline: str = DEADLINE,
    by: Any = SIGNER,
    wallet: str = DEPOSIT,
    session: bool = False,
) -> dict[str, Any]:
    to: Any = wallet
    signature = sign_deposit_wallet_batch(
        by, wallet=to, calls=calls, nonce=str(nonce), deadline=deadline, chain_id=137
    )
    if session:
        signature = wrap_deposit_wallet_session_signer_signature(by.address, signature)
    return build_deposit_wallet_payload(
        signer_address=by.address,
        deposit_wallet_factory=addresses.DEPOSIT_WALLET_FACTORY,
        wallet=to,
        calls=calls,
        nonce=str(nonce),
        deadline=deadline,
        signature=signature,
        metadata="",
    )


def safe_transaction(calls: list[TransactionCall], *, nonce: int = 0) -> dict[str, Any]:
    one = len(calls) == 1
    target: Any = calls[0].to if one else addresses.SAFE_MULTISEND
    data = calls[0].data if one else encode_safe_multisend_call(calls)
    terms: dict[str, Any] = {"data": data, "value": 0, "operation": 0 if one else 1, "nonce": str(nonce)}
    wallet: Any = SAFE
    signature = sign_safe_transaction(SIGNER, safe_address=wallet, to=target, chain_id=137, **terms)
    return build_safe_payload(
        signer_address=SIGNER.address, wallet=wallet, target=target, signature=signature, metadata="", **terms
    )


def proxy_transaction(world: World, calls: list[TransactionCall], *, nonce: int = 0) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "data": encode_proxy_call(calls),
        "nonce": str(nonce),
        "gas_limit": "200000",
        "relay": world.relayer.relay,
        "relay_hub": addresses.RELAY_HUB,
    }
    factory: Any = addresses.PROXY_FACTORY
    account: Any = SIGNER.address
    wallet: Any = PROXY
    signed = build_proxy_transaction_hash(
        from_address=account, to=factory, relayer_fee="0", gas_price="0", **parts
    )
    return build_proxy_payload(
        signer_address=account,
        proxy_factory=factory,
        wallet=wallet,
        signature=sign_proxy_message(SIGNER, signed),
        metadata="",
        **parts,
    )


def rich_world() -> World:
    """The account's wallets have ten micros each, and so they are there."""
    world = new_world()
    for wallet in (DEPOSIT, SAFE, PROXY):
        world.chain.fund(wallet, dollars=10)
    return world


def envelope(world: World, kind: str, calls: list[TransactionCall], nonce: int = 0) -> dict[str, Any]:
    if kind == "PROXY":
        return proxy_transaction(world, calls, nonce=nonce)
    return safe_transaction(calls, nonce=nonce) if kind == "SAFE" else batch(calls, nonce=nonce)


KINDS = {"WALLET": DEPOSIT, "SAFE": SAFE, "PROXY": PROXY}


@pytest.mark.parametrize(("kind", "wallet"), KINDS.items(), ids=KINDS)
def test_calls_are_carried_out_as_the_wallet(kind: str, wallet: str) -> None:
    world = rich_world()
    job = world.relayer.submit(envelope(world, kind, [APPROVAL, PAYMENT]))
    later(world)
    assert world.bank.allowance(wallet, addresses.EXCHANGE) == 77
    assert world.bank.balance(OTHER) == 5
    receipt = result(world, "eth_getTransactionReceipt", world.relayer.job(job.id).hash)
    assert (receipt["status"], len(receipt["logs"])) == ("0x1", 2)
    assert world.relayer.nonce(ACCOUNT, kind) == 1


def test_a_single_call_of_a_safe_needs_no_multisend() -> None:
    world = rich_world()
    world.relayer.submit(safe_transaction([PAYMENT]))
    later(world)
    assert world.bank.balance(OTHER) == 5


def test_its_states_follow_each_other_on_the_clock() -> None:
    world = rich_world()
    job = world.relayer.submit(batch([APPROVAL]))
    states = [job.state]
    for milliseconds in (MINED_AFTER_MS // 2, MINED_AFTER_MS // 2, CONFIRMED_AFTER_MS - MINED_AFTER_MS):
        later(world, milliseconds)
        states.append(world.relayer.job(job.id).state)
    assert states == [State.NEW, State.EXECUTED, State.MINED, State.CONFIRMED]


@pytest.mark.parametrize(("kind", "wallet"), KINDS.items(), ids=KINDS)
def test_one_call_that_fails_takes_all_with_it(kind: str, wallet: str) -> None:
    world = rich_world()
    too_much = erc20_transfer_call(token_address=PUSD, recipient=RECIPIENT, amount=11)
    job = world.relayer.submit(envelope(world, kind, [APPROVAL, too_much]))
    with unchanged(world):
        later(world, CONFIRMED_AFTER_MS)
    done = world.relayer.job(job.id)
    assert done.state is State.FAILED
    assert done.error == "execution reverted: ERC20: transfer amount exceeds balance"
    assert result(world, "eth_getTransactionReceipt", done.hash)["status"] == "0x0"
    assert world.relayer.nonce(ACCOUNT, kind) == (1 if kind == "PROXY" else 0)


def test_a_wallet_is_made_on_demand_and_only_once() -> None:
    world = new_world()
    wish = {
        "type": "WALLET-CREATE",
        "from": SIGNER.address,
        "to": addresses.DEPOSIT_WALLET_FACTORY,
        "metadata": "",
    }
    world.relayer.submit(wish)
    assert not world.chain.wallets.deployed(DEPOSIT)
    later(world)
    assert world.chain.wallets.deployed(DEPOSIT)
    assert world.chain.contracts.code(DEPOSIT) != "0x"
    with pytest.raises(Refused, match="wallet already deployed"):
        world.relayer.submit(wish)


def test_a_safe_is_made_for_whoever_signs_for_it() -> None:
    world = new_world()
    nobody = "0x" + "0" * 40
    signature = Account.sign_typed_data(
        SIGNER.key,
        {
            "name": "Polymarket Contract Proxy Factory",
            "chainId": 137,
            "verifyingContract": addresses.SAFE_FACTORY,
        },
        {
            "CreateProxy": [
                {"name": "paymentToken", "type": "address"},
                {"name": "payment", "type": "uint256"},
                {"name": "paymentReceiver", "type": "address"},
            ]
        },
        {"paymentToken": nobody, "payment": 0, "paymentReceiver": nobody},
    ).signature
    world.relayer.submit(
        {
            "type": "SAFE-CREATE",
            "from": SIGNER.address,
            "to": addresses.SAFE_FACTORY,
            "proxyWallet": SAFE,
            "data": "0x",
            "signature": "0x" + signature.hex(),
            "signatureParams": {"paymentToken": nobody, "payment": "0", "paymentReceiver": nobody},
        }
    )
    later(world)
    assert world.chain.wallets.deployed(SAFE)


def test_a_session_key_signs_once_the_wallet_let_it() -> None:
    world = rich_world()
    until_s = STARTS_MS // 1000 + 60
    let: Any = authorize_session_signer_call(
        wallet_address=DEPOSIT,  # type: ignore[arg-type]
        session_signer=SESSION.address,
        valid_until=until_s,
    )
    with pytest.raises(Refused, match="invalid signature"):
        world.relayer.submit(batch([PAYMENT], by=SESSION, session=True))

    world.relayer.submit(batch([let]))
    later(world)
    assert world.relayer.nonce(SESSION.address, "WALLET") == 1
    world.relayer.submit(batch([PAYMENT], nonce=1, by=SESSION, session=True))
    later(world)
    assert world.bank.balance(OTHER) == 5

    later(world, 60_000)
    with pytest.raises(Refused, match="invalid signature"):
        world.relayer.submit(batch([PAYMENT], nonce=2, by=SESSION, session=True))


def test_nobody_but_the_wallet_names_its_session_keys() -> None:
    world = rich_world()
    let = authorize_session_signer_call(
        wallet_address=DEPOSIT,  # type: ignore[arg-type]
        session_signer=SESSION.address,
        valid_until=2**40,
    )
    call = Call(sender=ACCOUNT, to=DEPOSIT, data=bytes.fromhex(let.data[2:]))
    with pytest.raises(Exception, match="Unauthorized"):
        world.chain.contracts.run([call])


def test_the_known_batch_is_executed() -> None:
    row = vector("deposit_wallet")["data"]
    owner, session = (Account.from_key(row[name]).address for name in ("owner_key", "session_key"))
    world = new_world()
    wallet = row["wallet"].lower()
    world.members.register(Wallet(address=wallet, kind=WalletKind.DEPOSIT, owner=owner.lower()))
    world.chain.wallets.deploy(wallet)
    terms = row["batch"]
    world.relayer.submit(
        {
            "type": "WALLET",
            "from": owner,
            "to": addresses.DEPOSIT_WALLET_FACTORY,
            "nonce": str(terms["nonce"]),
            "signature": terms["signature"],
            "metadata": "",
            "depositWalletParams": {
                "depositWallet": row["wallet"],
                "deadline": str(terms["deadline"]),
                "calls": [{**call, "value": str(call["value"])} for call in terms["calls"]],
            },
        }
    )
    later(world)
    assert world.members.wallets[wallet].has_session_key(session.lower(), now_ms=world.now())


def test_a_batch_of_another_turn_is_told_both_numbers() -> None:
    world = rich_world()
    with pytest.raises(Refused, match="batch nonce 4 does not match on-chain nonce 0"):
        world.relayer.submit(batch([APPROVAL], nonce=4))


def test_a_wallet_does_one_thing_after_another() -> None:
    world = rich_world()
    world.relayer.submit(batch([APPROVAL]))
    with pytest.raises(Refused, match="wallet has in-flight action"):
        world.relayer.submit(batch([PAYMENT]))
    later(world)
    world.relayer.submit(batch([PAYMENT], nonce=1))


def test_a_deadline_is_kept_at_the_door_and_on_the_chain() -> None:
    world = rich_world()
    with pytest.raises(Refused, match="deadline"):
        world.relayer.submit(batch([APPROVAL], deadline=str(STARTS_MS // 1000 - 1)))
    job = world.relayer.submit(batch([APPROVAL], deadline=str(STARTS_MS // 1000 + 1)))
    with unchanged(world):
        later(world)
    assert world.relayer.job(job.id).state is State.INVALID


@pytest.mark.parametrize("kind", KINDS)
def test_what_another_signed_is_refused(kind: str) -> None:
    world = rich_world()
    wish = envelope(world, kind, [APPROVAL, PAYMENT])
    flipped = "1" if wish["signature"][10] == "0" else "0"
    wish["signature"] = wish["signature"][:10] + flipped + wish["signature"][11:]
    with unchanged(world), pytest.raises(Refused, match="invalid signature"):
        world.relayer.submit(wish)


@pytest.mark.parametrize("kind", KINDS)
def test_another_account_cannot_send_for_the_wallet(kind: str) -> None:
    world = rich_world()
    wish = {**envelope(world, kind, [APPROVAL, PAYMENT]), "from": SESSION.address}
    with unchanged(world), pytest.raises(Refused, match="invalid signature"):
        world.relayer.submit(wish)


def test_a_wallet_that_was_never_made_does_nothing() -> None:
    world = new_world()
    with pytest.raises(Refused, match="wallet not deployed"):
        world.relayer.submit(batch([APPROVAL]))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "MAGIC"},
        {"from": "0x12"},
        {"to": addresses.PUSD},
        {"nonce": "-1"},
        {"nonce": 0},
        {"signature": "0x"},
        {"metadata": "x" * 501},
        {"depositWalletParams": None},
        {"depositWalletParams": {"depositWallet": OTHER, "deadline": DEADLINE, "calls": []}},
        {"depositWalletParams": {"depositWallet": DEPOSIT, "deadline": DEADLINE, "calls": []}},
        {"depositWalletParams": {"depositWallet": DEPOSIT, "deadline": DEADLINE, "calls": ["call"]}},
    ],
)
def test_an_envelope_that_is_not_whole_is_refused(changes: dict[str, Any]) -> None:
    world = rich_world()
    with unchanged(world), pytest.raises(Refused) as refused:
        world.relayer.submit({**batch([APPROVAL]), **changes})
    assert refused.value.status == 400


def test_an_unknown_transaction_is_not_found() -> None:
    with pytest.raises(Refused) as refused:
        new_world().relayer.job("nothing")
    assert refused.value.status == 404
