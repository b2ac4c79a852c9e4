"""Gamma: rows as they were recorded with what is so by now, found by name and by filter, page by page."""

import json
from typing import Any

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.model import MICROS
from betteroms.sandbox.world import World
from tests.sandbox.data.asking import ADA, BOOKS, answer_to, ask, go_on, market, new_world, trade

LAKE = "will-lake-constance-freeze-over-before-2036"
MARS = "will-people-land-on-mars-before-2036"
ENDED = "will-the-2025-lighthouse-census-pass-20000"
CHESS = "will-reykjavik-host-the-2036-chess-olympiad"


def recorded(slug: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads((BOOKS / f"{slug}.market.json").read_text())
    return row


def slugs(world: World, **query: Any) -> list[str]:
    return [row["slug"] for row in ask(world, "/gamma/markets/keyset", **query)["markets"]]


def rich(world: World) -> None:
    """Somebody who can buy, and sell what was split."""
    world.bank.move({(ADA, None): 1_000 * MICROS})
    for slug in (LAKE, CHESS):
        one = market(world, slug)
        world.bank.split(ADA, one.condition_id, one.token_ids, 100 * MICROS)


@pytest.mark.parametrize("slug", [LAKE, MARS, CHESS, ENDED])
def test_an_untouched_market_is_told_as_it_was_recorded(slug: str) -> None:
    row = recorded(slug)
    told = ask(new_world(BOOKS), f"/gamma/markets/slug/{slug}")
    assert {name: told[name] for name in row} == row


def test_what_happens_shows_in_the_row() -> None:
    world = new_world(BOOKS)
    rich(world)
    lake = market(world, LAKE)
    trade(world, ADA, lake, Side.BUY, "0.42", "300")
    trade(world, ADA, lake, Side.BUY, "0.41", "5")
    told = ask(world, f"/gamma/markets/slug/{LAKE}")
    assert (told["bestBid"], told["bestAsk"], told["lastTradePrice"]) == (0.41, 0.43, 0.42)
    assert told["spread"] == pytest.approx(0.02)
    assert told["outcomePrices"] == '["0.42", "0.58"]'
    world.exchange.set_tick(lake, 1_000, world.now())
    assert ask(world, f"/gamma/markets/slug/{LAKE}")["orderPriceMinTickSize"] == 0.001


def test_an_empty_side_is_no_bid_or_an_ask_of_one() -> None:
    world = new_world(BOOKS)
    chess = market(world, CHESS)
    for order in world.exchange.open_orders():
        if order.market is chess:
            world.exchange.cancel(order, world.now())
    told = ask(world, f"/gamma/markets/slug/{CHESS}")
    assert ("bestBid" in told, told["bestAsk"], told["spread"]) == (False, 1, 1)
    assert told["outcomePrices"] == '["0.122", "0.878"]'


@pytest.mark.parametrize(("slug", "status"), [(LAKE, "umaResolutionStatus"), (MARS, "resolutionStatus")])
def test_a_resolved_market_says_so_in_the_words_of_its_protocol(slug: str, status: str) -> None:
    world = new_world(BOOKS)
    world.exchange.resolve(market(world, slug), (0, MICROS), world.now())
    told = ask(world, f"/gamma/markets/slug/{slug}")
    assert (told["closed"], told["acceptingOrders"], told[status]) == (True, False, "resolved")
    assert told["outcomePrices"] == '["0", "1"]'
    assert told["closedTime"] == "2026-11-30 12:00:00+00"
    assert slug not in slugs(world)
    assert slug in slugs(world, closed=True)


def test_markets_that_ended_must_be_asked_for_even_by_name() -> None:
    world = new_world(BOOKS)
    ended = recorded(ENDED)
    for filters in ({"id": ended["id"]}, {"slug": ENDED}, {"condition_ids": ended["conditionId"]}):
        assert slugs(world, **filters) == []
        assert slugs(world, **filters, closed=True) == [ENDED]


def test_every_name_finds_its_market() -> None:
    world = new_world(BOOKS)
    lake, mars = recorded(LAKE), recorded(MARS)
    assert slugs(world, clob_token_ids=json.loads(lake["clobTokenIds"])[1]) == [LAKE]
    assert slugs(world, position_ids=mars["positionIds"][0]) == [MARS]
    assert slugs(world, clob_token_ids=mars["positionIds"][0]) == []
    assert slugs(world, condition_ids=[lake["conditionId"], mars["conditionId"]]) == [LAKE, MARS]
    assert slugs(world, condition_ids=mars["conditionId"][:-2]) == [MARS]
    assert slugs(world, question_ids=lake["questionID"]) == [LAKE]
    assert slugs(world, version="v2", resolution_status="active") == [MARS]
    assert ask(world, f"/gamma/markets/{lake['id']}")["slug"] == LAKE


def test_bounds_and_tags_narrow_a_list() -> None:
    world = new_world()
    (game,) = slugs(world, sports_market_types="moneyline")
    assert game == "alpine-league-final-chamois-marmots"
    recordings = new_world(BOOKS)
    assert slugs(recordings, volume_num_min=50_000) == []
    assert len(slugs(recordings, volume_num_max=50_000)) == 4
    assert slugs(recordings, end_date_max="2035-07-01") == [CHESS]
    assert CHESS not in slugs(recordings, end_date_min="2035-07-01T00:00:00Z")
    tags = {tag["label"]: tag["id"] for tag in ask(world, "/gamma/tags")}
    assert slugs(world, tag_id=tags["Sports"]) == [game]
    told = ask(world, "/gamma/markets/keyset", tag_id=tags["Sports"], include_tag=True)["markets"][0]
    assert told["tags"] == [{"id": tags["Sports"], "label": "Sports", "slug": "sports"}]


def test_pages_follow_each_other_until_there_is_no_cursor() -> None:
    world = new_world()
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    for size in (3, 3, 1):
        page = ask(world, "/gamma/markets/keyset", **query)
        assert len(page["markets"]) == size
        seen += [row["id"] for row in page["markets"]]
        query["after_cursor"] = page.get("next_cursor")
    assert query["after_cursor"] is None
    assert seen == sorted(seen) == [str(9_200_001 + number) for number in range(7)]


def test_a_parameter_named_cursor_is_not_heeded() -> None:
    world = new_world()
    first = ask(world, "/gamma/markets/keyset", limit=3)
    assert ask(world, "/gamma/markets/keyset", limit=3, cursor=first["next_cursor"]) == first


def test_a_market_that_is_gone_meanwhile_shifts_no_page() -> None:
    world = new_world()
    first = ask(world, "/gamma/markets/keyset", limit=3)
    world.exchange.resolve(
        world.exchange.markets[first["markets"][0]["conditionId"]], (MICROS, 0), world.now()
    )
    second = ask(world, "/gamma/markets/keyset", limit=3, after_cursor=first["next_cursor"])
    assert [row["id"] for row in second["markets"]] == ["9200004", "9200005", "9200006"]


@pytest.mark.parametrize("order", ["liquidityNum", "volumeNum,id", "question", "bestBid"])
def test_an_order_holds_over_pages(order: str) -> None:
    world = new_world()
    whole = ask(world, "/gamma/markets/keyset", order=order, ascending=False)["markets"]
    paged: list[Any] = []
    cursor = None
    while True:
        query: dict[str, Any] = {"after_cursor": cursor} if cursor else {}
        page = ask(world, "/gamma/markets/keyset", order=order, ascending=False, limit=2, **query)
        paged += page["markets"]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert paged == whole
    field = order.split(",")[0]
    values = [row.get(field) for row in whole if field in row]
    assert values == sorted(values, reverse=True)


def test_volume_sorts_as_text() -> None:
    world = new_world()
    for one, volume in zip(world.exchange.markets.values(), ("9", "10", "2000"), strict=False):
        one.row |= {"volume": volume, "volumeNum": int(volume)}
    rows = ask(world, "/gamma/markets/keyset", order="volume", limit=3)["markets"]
    assert [row["volume"] for row in rows] == ["9", "2000", "10"]
    rows = ask(world, "/gamma/markets/keyset", order="volumeNum", limit=3)["markets"]
    assert [row["volume"] for row in rows] == ["2000", "10", "9"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 101},
        {"limit": 0},
        {"offset": 0},
        {"after_cursor": "nonsense"},
        {"closed": "perhaps"},
        {"order": "nonsense"},
        {"end_date_min": "soon"},
        {"volume_num_min": "much"},
        {"condition_ids": [f"0x{number}" for number in range(101)]},
    ],
    ids=lambda query: next(iter(query)),
)
def test_what_it_does_not_take_is_refused(query: dict[str, Any]) -> None:
    answer = answer_to(new_world(), "/gamma/markets/keyset", **query)
    assert answer.status_code == 422
    assert answer.json()["type"] == "validation error"


def test_a_cursor_is_good_for_its_own_order_only() -> None:
    world = new_world()
    cursor = ask(world, "/gamma/markets/keyset", limit=3)["next_cursor"]
    answer = answer_to(world, "/gamma/markets/keyset", order="question", after_cursor=cursor)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid cursor")


@pytest.mark.parametrize(
    "path", ["markets/1", "markets/slug/none", "events/1", "events/slug/none", "tags/slug/none"]
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    answer = answer_to(new_world(), f"/gamma/{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "not found error")


def test_an_event_tells_its_markets_and_is_closed_when_all_are() -> None:
    world = new_world()
    event = ask(world, "/gamma/events/slug/winner-of-the-lake-cup")
    assert [one["groupItemTitle"] for one in event["markets"]] == ["Bregenz", "Lindau", "Konstanz"]
    assert (event["negRisk"], event["closed"], "events" in event["markets"][0]) == (True, False, False)
    assert ask(world, f"/gamma/events/{event['id']}") == event
    for one in event["markets"]:
        assert not ask(world, f"/gamma/events/{event['id']}")["closed"]
        world.exchange.resolve(world.exchange.markets[one["conditionId"]], (0, MICROS), world.now())
    assert ask(world, f"/gamma/events/{event['id']}")["closed"]
    assert event["id"] not in [one["id"] for one in ask(world, "/gamma/events/keyset")["events"]]
    assert event["id"] in [one["id"] for one in ask(world, "/gamma/events/keyset", closed=True)["events"]]


def test_a_market_tells_its_event_without_tags() -> None:
    world = new_world()
    (event,) = ask(world, "/gamma/markets/slug/will-lindau-win-the-lake-cup")["events"]
    assert (event["slug"], event["negRisk"], "tags" in event) == ("winner-of-the-lake-cup", True, False)


def test_events_are_read_by_cursor_and_by_filter() -> None:
    world = new_world()
    first = ask(world, "/gamma/events/keyset", limit=4)
    second = ask(world, "/gamma/events/keyset", limit=500, after_cursor=first["next_cursor"])
    assert len(first["events"]) + len(second["events"]) == 5
    assert "next_cursor" not in second
    sports = ask(world, "/gamma/events/keyset", tag_slug="sports")["events"]
    assert [event["slug"] for event in sports] == ["alpine-league-final"]
    assert len(ask(world, "/gamma/events/keyset", exclude_tag_id=sports[0]["tags"][0]["id"])["events"]) == 4
    assert (
        ask(world, "/gamma/events/keyset", title_search="lake")["events"][0]["slug"]
        == "winner-of-the-lake-cup"
    )
    assert answer_to(world, "/gamma/events/keyset", limit=501).status_code == 422


def test_the_older_lists_are_read_by_offset() -> None:
    world = new_world()
    whole = ask(world, "/gamma/markets")
    assert ask(world, "/gamma/markets", limit=2, offset=1) == whole[1:3]
    assert [event["id"] for event in ask(world, "/gamma/events", limit=2)] == ["920001", "920002"]


def test_words_find_events() -> None:
    world = new_world()
    found = ask(world, "/gamma/public-search", q="LINDAU cup")
    assert [event["slug"] for event in found["events"]] == ["winner-of-the-lake-cup"]
    assert found["pagination"] == {"hasMore": False, "totalResults": 1}
    assert ask(world, "/gamma/public-search", q="nobody says this")["events"] == []
    page = ask(world, "/gamma/public-search", q="the", limit_per_type=1)
    assert page["pagination"]["hasMore"]


def test_series_and_sports_are_small_but_real() -> None:
    world = new_world()
    assert ask(world, "/gamma/series") == []
    assert ask(world, "/gamma/sports")[0]["sport"] == "alpine"
    assert "moneyline" in ask(world, "/gamma/sports/market-types")["marketTypes"]


def test_looking_lets_due_things_happen_first() -> None:
    world = new_world()
    game = market(world, "alpine-league-final-chamois-marmots")
    go_on(world, 3 * 24 * 3600 * 1000)
    told = ask(world, f"/gamma/markets/slug/{game.slug}")
    assert ("bestBid" in told, told["bestAsk"]) == (False, 1)
