"""Posting orders: the answers, and what is checked before the book, in which order."""

import re
from dataclasses import replace
from typing import Any

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.http.modes import Mode
from betteroms.sandbox.world import Options
from tests.sandbox.http.conftest import Front, MakeFront
from tests.sandbox.http.member import Member
from tests.sandbox.http.shape import shape
from tests.sandbox.stage import GROUPED, PLAIN, POSITION
from tests.vectors import shape as sample


def refused(front: Front, member: Member, body: Any) -> tuple[int, str]:
    told = front.post(member, body)
    return told.status_code, told.json()["error"]


def test_a_resting_order_is_answered_live_with_its_hash(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    told = front.post(member, body).json()
    assert shape(told) == shape(sample("post_order_response_live"))
    assert told["orderID"] == member.id_of(body, PLAIN)
    assert told["status"] == "live"
    assert told["makingAmount"] == ""


@pytest.mark.parametrize("market", [PLAIN, GROUPED, POSITION], ids=lambda market: str(market.slug))
def test_each_exchange_takes_orders_signed_for_it(front: Front, member: Member, market: Any) -> None:
    assert front.post(member, member.order(market, Side.BUY, "0.40", "10")).json()["status"] == "live"


def test_a_match_tells_both_amounts_from_the_posters_side(front: Front, member: Member) -> None:
    told = front.post(member, member.order(PLAIN, Side.BUY, "0.45", "10", kind="FAK")).json()
    assert shape(told) == shape(sample("post_order_response_matched_fak"))
    assert (told["status"], told["makingAmount"], told["takingAmount"]) == ("matched", "4.5", "10")


def test_a_rest_after_a_match_still_says_matched_and_has_an_empty_list_of_hashes(
    front: Front, member: Member
) -> None:
    told = front.post(member, member.order(PLAIN, Side.BUY, "0.45", "150")).json()
    assert (told["status"], told["takingAmount"]) == ("matched", "100")
    assert told["transactionsHashes"] == []


def test_a_marketable_order_of_a_game_is_delayed(front: Front, member: Member) -> None:
    front.world.exchange.markets[PLAIN.condition_id].seconds_delay = 3
    told = front.post(member, member.order(PLAIN, Side.BUY, "0.45", "10")).json()
    assert shape(told) == shape(sample("post_order_response_delayed"))
    assert told["status"] == "delayed"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("FOK", "order couldn't be fully filled. FOK orders are fully filled or killed."),
        (
            "FAK",
            "no orders found to match with FAK order. "
            "FAK orders are partially filled or killed if no match is found.",
        ),
    ],
)
def test_a_killed_order_is_a_refusal(front: Front, member: Member, kind: str, words: str) -> None:
    assert refused(front, member, member.order(PLAIN, Side.BUY, "0.41", "100", kind=kind)) == (400, words)


def test_the_same_bytes_again_are_a_duplicate(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    front.post(member, body)
    words = f"order {member.id_of(body, PLAIN)} is invalid. Duplicated."
    assert refused(front, member, body) == (400, words)


def test_a_token_without_a_market_has_no_book(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10", signed={"tokenId": "123456789"})
    assert refused(front, member, body) == (404, "No orderbook exists for the requested token id")


BROKEN: dict[str, dict[str, Any]] = {
    "a salt in text": {"salt": "1"},
    "a salt that is no number": {"salt": True},
    "an amount that is a number": {"makerAmount": 4_000_000},
    "an amount with a point": {"makerAmount": "4.0"},
    "an amount below zero": {"takerAmount": "-1"},
    "a short address": {"maker": "0x12"},
    "a side in numbers": {"side": 0},
    "another side": {"side": "HOLD"},
    "a fifth signature type": {"signatureType": 4},
    "a short builder": {"builder": "0x"},
    "no signature": {"signature": None},
    "a date for expiration": {"expiration": "tomorrow"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_payload_that_is_no_order_is_refused(front: Front, member: Member, change: dict[str, Any]) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    body["order"] |= change
    assert refused(front, member, body) == (400, "Invalid order payload")


@pytest.mark.parametrize("name", ["order", "owner", "orderType"])
def test_a_payload_with_a_part_missing_is_refused(front: Front, member: Member, name: str) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    del body[name]
    assert refused(front, member, body) == (400, "Invalid order payload")


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[" * 100_000, b'"order"'])
def test_bytes_that_are_no_order_are_refused(front: Front, member: Member, body: bytes) -> None:
    told = front.ask("POST", "/order", member, body)
    assert (told.status_code, told.json()) == (400, {"error": "Invalid order payload"})


def test_an_order_of_the_first_version_is_of_another_version(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    del body["order"]["timestamp"]
    body["order"] |= {"nonce": "0", "feeRateBps": "0", "taker": "0x" + "00" * 20}
    assert refused(front, member, body) == (400, "order_version_mismatch")


def test_an_order_signed_for_the_other_exchange_is_refused(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    body["order"]["signature"] = member.order(
        replace(PLAIN, neg_risk=True), Side.BUY, "0.40", "10", signed={"salt": body["order"]["salt"]}
    )["order"]["signature"]
    assert refused(front, member, body) == (400, "invalid signature")


def test_signatures_are_not_looked_at_where_that_is_off(make_front: MakeFront) -> None:
    front = make_front(Options(check_signatures=False))
    member = Member(front.world).fund("1000")
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    body["order"]["signature"] = "0x00"
    assert front.post(member, body).json()["orderID"] == member.id_of(body, PLAIN)


def test_an_order_is_told_to_belong_to_the_key_that_posts_it(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10", owner="f4f247b7-4ac7-ff29-a152-04fda0a8755a")
    assert refused(front, member, body) == (400, "the order owner has to be the owner of the API KEY")


def test_an_order_of_another_signer_is_refused(front: Front, member: Member) -> None:
    other = Member(front.world, "another").fund("1000")
    body = other.order(PLAIN, Side.BUY, "0.40", "10", owner=member.key.key)
    words = "the order signer address has to be the address of the API KEY"
    assert refused(front, member, body) == (400, words)


def test_the_banned_and_those_who_may_only_close_are_refused(front: Front, member: Member) -> None:
    body = member.order(PLAIN, Side.BUY, "0.40", "10")
    front.world.members.closed_only.add(member.address)
    assert refused(front, member, body) == (400, f"'{member.address}' address in closed only mode")
    front.world.members.banned.add(member.address)
    assert refused(front, member, body) == (400, f"'{member.address}' address banned")


def test_the_payload_is_looked_at_before_who_sends_it(front: Front, member: Member) -> None:
    unsigned = front.ask("POST", "/order", None, {"order": 1})
    assert (unsigned.status_code, unsigned.json()) == (400, {"error": "Invalid order payload"})
    unsigned = front.ask("POST", "/order", None, member.order(PLAIN, Side.BUY, "0.40", "10"))
    assert (unsigned.status_code, unsigned.json()) == (401, {"error": "Unauthorized/Invalid api key"})


def test_a_batch_is_counted_before_its_orders_are_looked_at(front: Front, member: Member) -> None:
    bodies = [member.order(PLAIN, Side.BUY, "0.40", "10") for _ in range(16)]
    words = "Too many orders in payload: 16, max allowed: 15"
    assert refused(front, member, bodies) == (400, words)
    assert front.world.exchange.open_orders(owner=member.key.key) == []


def test_the_signature_is_looked_at_before_the_mode_and_the_mode_before_the_market(
    front: Front, member: Member
) -> None:
    front.desk.modes.set(Mode.CANCEL_ONLY)
    body = member.order(PLAIN, Side.BUY, "0.405", "10")
    assert refused(front, member, body)[0] == 503
    body["order"]["signature"] = "0x00"
    assert refused(front, member, body) == (400, "invalid signature")


def test_each_leg_of_a_batch_is_judged_alone(front: Front, member: Member) -> None:
    good = member.order(PLAIN, Side.BUY, "0.40", "5.02")
    dear = member.order(PLAIN, Side.BUY, "0.40", "5000")
    told = front.post(member, [good, dear, good]).json()
    assert shape(told) == shape(sample("post_orders_response_mixed_legs"))
    assert [shape(leg) for leg in told] == [shape(leg) for leg in sample("post_orders_response_mixed_legs")]
    assert re.match("not enough balance / allowance: the balance is not enough -> ", told[1]["errorMsg"])
    assert told[2]["errorMsg"].endswith("is invalid. Duplicated.")


def test_an_empty_batch_is_no_batch(front: Front, member: Member) -> None:
    assert refused(front, member, []) == (400, "Invalid order payload")


def test_legs_are_taken_in_their_order(front: Front, member: Member) -> None:
    """The second meets the first: nothing keeps one from trading with oneself."""
    token = PLAIN.token_ids[0]
    member.fund("0", {token: "50"})
    told = front.post(
        member, [member.order(PLAIN, Side.SELL, "0.43", "10"), member.order(PLAIN, Side.BUY, "0.43", "10")]
    ).json()
    assert [leg["status"] for leg in told] == ["live", "matched"]


def test_money_that_came_in_counts_once_the_venue_was_told_to_look(front: Front, member: Member) -> None:
    token = PLAIN.token_ids[0]
    sell = member.order(PLAIN, Side.SELL, "0.60", "10")
    assert "balance: 0" in refused(front, member, sell)[1]
    member.fund("0", {token: "50"})
    assert "balance: 0" in refused(front, member, sell)[1]
    query: Any = {"asset_type": "CONDITIONAL", "token_id": token, "signature_type": 0}
    assert front.ask("GET", "/balance-allowance/update", member, **query).content == b""
    assert front.post(member, sell).json()["status"] == "live"


def test_an_approval_counts_once_the_venue_was_told_to_look(front: Front) -> None:
    member = Member(front.world).fund("1000", approve=False)
    buy = member.order(PLAIN, Side.BUY, "0.40", "10")
    assert "the allowance is not enough" in refused(front, member, buy)[1]
    member.fund("0")
    assert "the allowance is not enough" in refused(front, member, buy)[1]
    front.ask("GET", "/balance-allowance/update", member, asset_type="COLLATERAL", signature_type=0)
    assert front.post(member, buy).json()["status"] == "live"
