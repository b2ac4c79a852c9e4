"""What a rehearsal can do behind the venue's back, and what it is told when it asks for what cannot be."""

from typing import Any

import pytest

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.serve import serving
from betteroms.sandbox.world import Options, World
from tests.sandbox.faults.scene import START_MS, Scene
from tests.sandbox.stage import PLAIN, stage

SOMEBODY = "0x00000000000000000000000000000000000000Aa"


def told(venue: Scene, path: str, **body: Any) -> Any:
    answer = venue.client.post(f"/sandbox/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def complaints(venue: Scene, path: str, body: Any) -> list[str]:
    answer = venue.client.post(f"/sandbox/{path}", json=body)
    assert answer.status_code == 400, answer.text
    found: list[str] = answer.json()["complaints"]
    assert answer.json()["error"] == "; ".join(found)
    return found


def dollars(venue: Scene) -> int:
    return int(
        venue.ask("GET", "/balance-allowance?asset_type=COLLATERAL&signature_type=0").json()["balance"]
    )


def test_it_says_how_it_is(venue: Scene) -> None:
    told = venue.client.get("/sandbox/health").json()
    assert told == {"ok": True, "now_ms": START_MS, "seed": 0, "mode": "open", "markets": 4, "rules": 0}


def test_time_is_moved_by_hand_and_never_back(venue: Scene) -> None:
    assert venue.client.get("/sandbox/clock").json() == {"now_ms": START_MS, "by_hand": True}
    assert told(venue, "clock", advance="40s") == {"now_ms": START_MS + 40_000}
    assert told(venue, "clock", advance=5) == {"now_ms": START_MS + 40_005}
    assert told(venue, "clock", to=START_MS) == {"now_ms": START_MS + 40_005}
    assert complaints(venue, "clock", {"advance": "soon"}) == [
        "advance: 'soon' is no time: write 250ms, 40s, 5m, 2h or 1d"
    ]


def test_the_machines_time_is_not_moved() -> None:
    world = World(Options(), MachineClock())
    stage(world)
    app = create_app(world)
    with serving(app, world) as port:
        import httpx

        answer = httpx.post(f"http://127.0.0.1:{port}/sandbox/clock", json={"advance": "40s"})
    assert answer.status_code == 400
    assert "--hand-clock" in answer.json()["error"]


def test_money_and_shares_are_given_and_taken(venue: Scene) -> None:
    yes, no = PLAIN.token_ids
    given = told(venue, "fund", wallet=SOMEBODY, dollars="12.5", shares={yes: "7"}, usdc_e="1", pol="2")
    assert given == {"wallet": SOMEBODY.lower(), "dollars": "12.5", "shares": {yes: "7"}}
    taken = told(venue, "withdraw", wallet=SOMEBODY, dollars="2.5", shares={yes: "3"})
    assert taken == {"wallet": SOMEBODY.lower(), "dollars": "10", "shares": {yes: "4"}}
    assert complaints(venue, "withdraw", {"wallet": SOMEBODY, "dollars": "11"})
    assert complaints(venue, "withdraw", {"wallet": SOMEBODY, "shares": {no: "1"}})
    assert {"owner": SOMEBODY.lower(), "token_id": yes, "amount": 4_000_000} in venue.audit()["balances"]


def test_money_that_nobody_told_the_venue_of_is_seen_when_it_looks(venue: Scene) -> None:
    assert dollars(venue) == to_micros("1000")
    told(venue, "fund", wallet=venue.ada.address, dollars="1", seen=False)
    assert dollars(venue) == to_micros("1000")
    path = "/balance-allowance/update?asset_type=COLLATERAL&signature_type=0"
    assert venue.ask("GET", path).status_code == 200
    assert dollars(venue) == to_micros("1001")
    told(venue, "fund", wallet=venue.ada.address, dollars="1")
    assert dollars(venue) == to_micros("1002")


def test_approvals_are_given_and_taken(venue: Scene) -> None:
    told(venue, "approve", wallet=venue.ada.address, allowed=False)
    assert "the allowance is not enough" in venue.post(venue.buy()).json()["error"]
    told(venue, "approve", wallet=venue.ada.address, dollars="4")
    assert "the allowance is not enough" in venue.post(venue.buy()).json()["error"]
    told(venue, "approve", wallet=venue.ada.address)
    assert venue.post(venue.buy()).status_code == 200


def test_modes_are_set_for_good_or_for_a_while(venue: Scene) -> None:
    assert told(venue, "mode", mode="halted")["until_ms"] is None
    assert venue.post(venue.buy()).status_code == 503
    told(venue, "mode", mode="cancel_only", **{"for": "10s"})
    assert venue.post(venue.buy()).status_code == 503
    venue.advance(10)
    assert venue.post(venue.buy()).status_code == 200


def test_markets_change_end_and_pay(venue: Scene) -> None:
    resting = venue.post(venue.buy()).json()["orderID"]
    told(venue, "tick", market=PLAIN.slug, tick="0.001")
    assert venue.client.get(f"/tick-size?token_id={PLAIN.token_ids[0]}").json() == {
        "minimum_tick_size": 0.001
    }
    assert complaints(venue, "tick", {"market": PLAIN.slug, "tick": "0.003"})
    told(venue, "start-game", market=PLAIN.condition_id)
    assert venue.order(resting).json()["status"] == "CANCELED"
    told(venue, "close", market=PLAIN.condition_id)
    assert venue.post(venue.buy()).status_code == 400
    told(venue, "resolve", condition_id=PLAIN.condition_id, payouts=["1", "0"])
    assert venue.client.get(f"/markets/{PLAIN.condition_id}").json()["tokens"][0]["winner"]
    venue.audit()


def test_a_counterparty_quotes_takes_and_is_canceled(venue: Scene) -> None:
    quoted = told(venue, "quote", market=PLAIN.slug, outcome="No", side="BUY", price="0.57", size="50")
    assert quoted["status"] == "LIVE"
    matched = venue.post(venue.buy("0.43", "20")).json()
    assert matched["status"] == "matched"
    canceled = told(venue, "cancel", order=quoted["id"], reason="because")
    assert canceled == {"canceled": True, "why_not": ""}
    again = told(venue, "cancel", order=quoted["id"])
    assert again == {"canceled": False, "why_not": "already canceled or matched"}
    taken = told(venue, "quote", market=PLAIN.slug, side="SELL", price="0.40", size="50", kind="FAK", by="x")
    assert taken["matched"] == "50"
    venue.audit()


def test_members_are_banned_and_forgiven(venue: Scene) -> None:
    told(venue, "ban", wallet=venue.ada.address)
    assert "address banned" in venue.post(venue.buy()).json()["error"]
    told(venue, "ban", wallet=venue.ada.address, banned=False)
    told(venue, "closed-only", wallet=venue.ada.address)
    assert "closed only mode" in venue.post(venue.buy()).json()["error"]
    assert venue.post(venue.ada.order(venue.market, Side.SELL, "0.50", "10")).status_code == 200
    told(venue, "closed-only", wallet=venue.ada.address, closed_only=False)
    assert venue.post(venue.buy()).status_code == 200


def test_a_signer_gets_another_tier(venue: Scene) -> None:
    told(venue, "tier", wallet=venue.ada.address, tier="gold")
    assert venue.ask("GET", "/v1/user/rate-limit-tier").json() == {"tier": "gold"}


def test_settlement_goes_as_told(venue: Scene) -> None:
    told(venue, "settlement", fail_next=1)
    venue.post(venue.buy("0.45"))
    order_id = venue.post(venue.buy("0.45")).json()["orderID"]
    told(venue, "settlement", order=order_id, steps=["RETRYING", "FAILED"])
    trade_id = venue.audit()["trades"][1]["id"]
    told(venue, "settlement", trade=trade_id, steps=["RETRYING", "MINED"])
    venue.advance(60)
    assert [row["status"] for row in venue.audit()["trades"]] == ["FAILED", "CONFIRMED"]
    assert complaints(venue, "settlement", {"order": order_id, "steps": ["FAILED", "MINED"]})
    assert complaints(venue, "settlement", {})


def test_rules_are_added_told_and_cleared(venue: Scene) -> None:
    venue.rules(
        {"on": "POST /order", "fault": "halted"},
        {"on": "GET /time", "fault": "halted"} | {"fault": "latency"},
    )
    venue.post(venue.buy())
    shown = venue.client.get("/sandbox/faults").json()
    assert [(row["number"], row["seen"], row["hits"]) for row in shown["rules"]] == [(0, 1, 1), (1, 0, 0)]
    assert venue.client.delete("/sandbox/faults").json() == {"seed": 0, "rules": []}
    assert venue.post(venue.buy()).status_code == 200


def test_a_rule_on_no_endpoint_is_refused_with_all_others_that_are_wrong(venue: Scene) -> None:
    rows = [{"on": "POST /ordder", "fault": "halted"}, {"on": "GET /book", "fault": "latencey"}]
    places = [each.partition(":")[0] for each in complaints(venue, "faults", rows)]
    assert places == ["rules[0].on", "rules[0].on", "rules[1].fault"]
    assert venue.client.get("/sandbox/faults").json()["rules"] == []


@pytest.mark.parametrize(
    ("path", "body", "places"),
    [
        ("fund", {}, ["wallet"]),
        (
            "fund",
            {"wallet": "0x1", "dollars": 5, "shares": {"7": "1"}, "hue": 1},
            ["wallet", "dollars", "shares.7", "hue"],
        ),
        ("fund", [], ["not a JSON object", "wallet"]),
        ("mode", {"mode": "asleep"}, ["mode"]),
        ("mode", {}, ["mode"]),
        ("tick", {"market": "nowhere", "tick": "0"}, ["market", "tick"]),
        ("resolve", {"market": PLAIN.slug, "payouts": ["1", "1"]}, ["payouts"]),
        ("resolve", {"payouts": ["x"]}, ["market", "payouts"]),
        ("quote", {"market": PLAIN.slug, "outcome": "Perhaps"}, ["side", "price", "size", "outcome"]),
        ("cancel", {"order": "0x0"}, ["order"]),
        ("ban", {"wallet": SOMEBODY, "banned": "yes"}, ["banned"]),
        ("tier", {"wallet": SOMEBODY, "tier": "tin"}, ["tier"]),
        ("save", {}, ["state"]),
        ("clock", {"advance": -1}, ["advance"]),
        ("restart", {"down": "x"}, ["down"]),
    ],
)
def test_what_cannot_be_is_refused_with_every_complaint(
    venue: Scene, path: str, body: Any, places: list[str]
) -> None:
    found = [each.partition(":")[0] for each in complaints(venue, path, body)]
    assert sorted(found) == sorted(places)


def test_what_is_no_json_is_refused(venue: Scene) -> None:
    for path in ("fund", "faults"):
        answer = venue.client.post(f"/sandbox/{path}", content=b"{")
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("no JSON")


def test_there_is_no_transcript_unless_asked_for(venue: Scene) -> None:
    assert venue.client.get("/sandbox/transcript").status_code == 404
