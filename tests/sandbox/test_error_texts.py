"""Every text with which the venue refuses (VENUE 3.6, 7): provoked by a client, or named as unprovokable."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import httpx
import pytest
from py_clob_client_v2 import OrderArgsV1
from py_clob_client_v2.clob_types import CreateOrderOptions
from py_clob_client_v2.order_utils.model.order_data_v1 import order_to_json_v1

from tests.sandbox.poster import Answer, Poster, said
from tests.sandbox.running import Venue, sandbox_venue
from tests.sandbox.stage import PLAIN, stage

YES: Final = PLAIN.token_ids[0]
UNKNOWN: Final = "0x" + "5" * 64
Provocation = Callable[[Poster], Answer]

TEXTS: Final[tuple[tuple[int, str], ...]] = (
    (400, "Invalid order payload"),
    (400, "the order owner has to be the owner of the API KEY"),
    (400, "the order signer address has to be the address of the API KEY"),
    (400, "maker address not allowed, please use the deposit wallet flow"),
    (400, "'{a}' address banned"),
    (400, "'{a}' address in closed only mode"),
    (400, "Too many orders in payload: {n}, max allowed: {m}"),
    (400, "order {id} is invalid. Price ({p}) breaks minimum tick size rule: {t}"),
    (400, "order {id} is invalid. Size ({s}) lower than the minimum: {m}"),
    (400, "order {id} is invalid. Duplicated."),
    (400, "order {id} crosses the book"),
    (400, "invalid post-only order: order crosses book"),
    (
        400,
        "not enough balance / allowance: the balance is not enough -> balance: {b}, order amount: {o}",
    ),
    (
        400,
        "not enough balance / allowance: the allowance is not enough -> spender: {s}, allowance: {b}, "
        "order amount: {o}",
    ),
    (400, "invalid nonce"),
    (400, "invalid expiration"),
    (
        400,
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, "
        "taker amount a max of 4 decimals",
    ),
    (400, "invalid amount for a marketable BUY order (${d}), min size: $1"),
    (400, "invalid price, price must be greater than 0 and less than 1"),
    (400, "order canceled in the CTF exchange contract"),
    (400, "order match delayed due to market conditions"),
    (400, "order couldn't be fully filled. FOK orders are fully filled or killed."),
    (
        400,
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match "
        "is found.",
    ),
    (400, "the market is not yet ready to process new orders"),
    (400, "order_version_mismatch"),
    (400, "invalid signature"),
    (401, "Unauthorized/Invalid api key"),
    (401, "Invalid L1 Request headers"),
    (404, "No orderbook exists for the requested token id"),
    (404, "market not found"),
    (404, "order not found"),
    (425, ""),
    (429, "rate limited"),
    (500, "order timed out"),
    (500, "could not insert order"),
    (500, "there are no matching orders"),
    (500, "the trade contains rounding issues"),
    (500, "the prices of the orders differ too much"),
    (503, "post-only mode: only post-only orders and cancels are allowed"),
    (503, "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."),
    (503, "Trading is currently disabled. Check polymarket.com for updates"),
)
"""Status and words; what stands in braces differs from case to case."""

UNPROVOKABLE: Final[Mapping[str, str]] = {
    "order {id} crosses the book": "an older wording; the venue now says that the post-only order is invalid",
    "invalid nonce": "orders of the present version have no nonce",
    "order canceled in the CTF exchange contract": "the present contracts cannot cancel a single order",
    "order match delayed due to market conditions": "documented without a condition; delays have a status",
    "there are no matching orders": "a fault of the real engine; a book here agrees with itself",
    "the trade contains rounding issues": "a fault of the real engine; the arithmetic here is whole numbers",
    "the prices of the orders differ too much": "a fault of the real engine, whose words are not known",
}
"""Why no client can bring the venue to say it of itself. A script of faults can still make it say each."""


def buy(poster: Poster, price_cents: int = 41, shares: int = 10) -> dict[str, object]:
    """A limit order that is fine."""
    return poster.body(poster.signed(price_cents * shares * 10_000, shares * 1_000_000))


def killed(poster: Poster, order_type: str, *, dollars: int, shares: int) -> Answer:
    return poster.post(poster.body(poster.signed(dollars, shares), order_type))


def foreign_signer(poster: Poster) -> Answer:
    other = Poster(poster.venue, "bob")
    return poster.post({**buy(other), "owner": poster.client.creds.api_key})


def foreign_wallet(poster: Poster) -> Answer:
    other = Poster(poster.venue, "bob", "safe")
    signed = poster.signed(4_100_000, 10_000_000, maker=other.trader.wallet, signatureType=2)
    return poster.post(poster.body(signed))


def shut_out(poster: Poster, how: str) -> Answer:
    poster.venue.told(how, wallet=poster.trader.wallet)
    return poster.post(buy(poster))


def twice(poster: Poster) -> Answer:
    body = buy(poster)
    status, _ = poster.post(body)
    assert status == 200
    return poster.post(body)


def bad_signature(poster: Poster) -> Answer:
    body = buy(poster)
    order = body["order"]
    assert isinstance(order, dict)
    order["takerAmount"] = "10010000"
    return poster.post(body)


def first_version(poster: Poster) -> Answer:
    args = OrderArgsV1(token_id=YES, price=0.41, size=10, side="BUY")
    options = CreateOrderOptions(tick_size="0.01", neg_risk=False)
    signed = poster.client.builder.build_order(args, options, version=1)
    return poster.post(order_to_json_v1(signed, poster.client.creds.api_key, "GTC", False, False))


def not_ready(poster: Poster) -> Answer:
    poster.venue.told("close", market=PLAIN.slug)
    return poster.post(buy(poster))


def unapproved(poster: Poster) -> Answer:
    other = Poster(poster.venue, "carla", approve=False)
    return other.post(buy(other))


def unkeyed(poster: Poster) -> Answer:
    return said(poster.ask("GET", "/data/orders", POLY_PASSPHRASE="another"))


def unsigned(poster: Poster) -> Answer:
    headers = {**poster.client._l1_headers(), "POLY_NONCE": "5"}
    return said(httpx.get(f"{poster.venue.url}/auth/derive-api-key", headers=headers))


def at_mode(poster: Poster, mode: str) -> Answer:
    poster.venue.told("mode", mode=mode)
    return poster.post(buy(poster))


def too_often(poster: Poster) -> Answer:
    # One look is dearer than all that a signer may ever have saved up.
    return said(poster.ask("DELETE", "/orders", [f"0x{number:064x}" for number in range(121)]))


def at_fault(poster: Poster, fault: str) -> Answer:
    poster.venue.told("faults", rules=[{"on": "POST /order", "fault": fault}])
    return poster.post(buy(poster))


def public(poster: Poster, path: str) -> Answer:
    return said(httpx.get(poster.venue.url + path))


PROVOKED: Final[Mapping[str, Provocation]] = {
    "Invalid order payload": lambda ada: ada.post("{"),
    "the order owner has to be the owner of the API KEY": lambda ada: ada.post(
        {**buy(ada), "owner": "00000000-0000-4000-8000-000000000000"}
    ),
    "the order signer address has to be the address of the API KEY": foreign_signer,
    "maker address not allowed, please use the deposit wallet flow": foreign_wallet,
    "'{a}' address banned": lambda ada: shut_out(ada, "ban"),
    "'{a}' address in closed only mode": lambda ada: shut_out(ada, "closed-only"),
    "Too many orders in payload: {n}, max allowed: {m}": lambda ada: ada.post([buy(ada)] * 16, "/orders"),
    "order {id} is invalid. Price ({p}) breaks minimum tick size rule: {t}": lambda ada: ada.post(
        ada.body(ada.signed(4_150_000, 10_000_000))
    ),
    "order {id} is invalid. Size ({s}) lower than the minimum: {m}": lambda ada: ada.post(buy(ada, shares=4)),
    "order {id} is invalid. Duplicated.": twice,
    "invalid post-only order: order crosses book": lambda ada: ada.post({**buy(ada, 45), "postOnly": True}),
    TEXTS[12][1]: lambda ada: ada.post(buy(ada, shares=2_500)),
    TEXTS[13][1]: unapproved,
    "invalid expiration": lambda ada: ada.post(
        ada.body(ada.signed(4_100_000, 10_000_000, expiration="1"), "GTD")
    ),
    TEXTS[16][1]: lambda ada: killed(ada, "FOK", dollars=4_501_000, shares=10_000_000),
    "invalid amount for a marketable BUY order (${d}), min size: $1": lambda ada: killed(
        ada, "FAK", dollars=990_000, shares=2_200_000
    ),
    "invalid price, price must be greater than 0 and less than 1": lambda ada: ada.post(
        ada.body(ada.signed(10_000_000, 10_000_000))
    ),
    "order couldn't be fully filled. FOK orders are fully filled or killed.": lambda ada: killed(
        ada, "FOK", dollars=450_000_000, shares=1_000_000_000
    ),
    TEXTS[22][1]: lambda ada: killed(ada, "FAK", dollars=4_400_000, shares=10_000_000),
    "the market is not yet ready to process new orders": not_ready,
    "order_version_mismatch": first_version,
    "invalid signature": bad_signature,
    "Unauthorized/Invalid api key": unkeyed,
    "Invalid L1 Request headers": unsigned,
    "No orderbook exists for the requested token id": lambda ada: public(ada, f"/book?token_id={'7' * 77}"),
    "market not found": lambda ada: public(ada, f"/markets/{UNKNOWN}"),
    "order not found": lambda ada: said(ada.ask("GET", f"/data/order/{UNKNOWN}")),
    "": lambda ada: at_mode(ada, "restarting"),
    "rate limited": too_often,
    "order timed out": lambda ada: at_fault(ada, "order_timed_out"),
    "could not insert order": lambda ada: at_fault(ada, "error_500"),
    TEXTS[-3][1]: lambda ada: at_mode(ada, "post_only"),
    TEXTS[-2][1]: lambda ada: at_mode(ada, "cancel_only"),
    TEXTS[-1][1]: lambda ada: at_mode(ada, "halted"),
}


def pattern(text: str) -> re.Pattern[str]:
    """What the words may come as: something stands in place of each brace."""
    return re.compile(
        "".join(".+" if part[:1] == "{" else re.escape(part) for part in re.split(r"(\{\w+\})", text))
    )


def test_every_text_is_provoked_or_named_as_unprovokable() -> None:
    texts = [text for _, text in TEXTS]
    assert len(set(texts)) == len(texts)
    assert sorted([*PROVOKED, *UNPROVOKABLE]) == sorted(texts)


@pytest.mark.parametrize(
    ("status", "text"), [row for row in TEXTS if row[1] in PROVOKED], ids=lambda value: str(value)[:40]
)
def test_a_client_that_does_this_is_told_that(status: int, text: str, venue: Venue) -> None:
    told_status, told_text = PROVOKED[text](Poster(venue))
    assert told_status == status, told_text
    assert pattern(text).fullmatch(told_text), told_text


@pytest.mark.parametrize("text", UNPROVOKABLE)
def test_a_script_of_faults_can_say_what_nobody_can_provoke(text: str) -> None:
    status = next(status for status, each in TEXTS if each == text)
    with sandbox_venue(stage) as venue:
        rule = {"on": "POST /order", "fault": "answer", "status": status, "body": {"error": text}}
        venue.told("faults", rules=[rule])
        ada = Poster(venue)
        assert ada.post(buy(ada)) == (status, text)
        assert ada.client.get_open_orders() == []
