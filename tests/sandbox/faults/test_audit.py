"""What auditors are told, and that they would be told of what must not be."""

from collections.abc import Callable

import pytest

from betteroms.domain.money import to_micros
from betteroms.sandbox.audit import ENDPOINTS_MAX, Tally
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.invariants import INVARIANTS, checked
from betteroms.sandbox.world import Options, World
from tests.sandbox.faults.scene import START_MS, Scene
from tests.sandbox.stage import COUNTERPARTY, PLAIN, stage


def test_orders_fills_and_balances_are_told_as_they_are(venue: Scene) -> None:
    placed = venue.post(venue.buy("0.45", "10")).json()
    resting = venue.post(venue.buy()).json()["orderID"]
    venue.advance(10)
    told = venue.audit()
    assert told["now_ms"] == START_MS + 10_000 + 0
    (order,) = [row for row in told["orders"] if row["id"] == placed["orderID"]]
    assert (order["status"], order["matched"], order["spent"]) == ("MATCHED", 10_000_000, 4_500_000)
    (trade,) = told["trades"]
    assert (trade["id"], trade["taker_order"]) == (placed["tradeIDs"][0], placed["orderID"])
    assert [(row["role"], row["shares"], row["dollars"]) for row in told["fills"]] == [
        ("TAKER", 10_000_000, 4_500_000),
        ("MAKER", 10_000_000, 4_500_000),
    ]
    assert {"id": resting} in told["open_orders"]
    mine = {row["token_id"]: row["amount"] for row in told["balances"] if row["owner"] == venue.ada.address}
    yes, no = PLAIN.token_ids
    assert mine == {None: to_micros("995.5"), yes: to_micros("510"), no: to_micros("500")}
    assert told["counts"]["keys"] == 1
    assert told["locked"][PLAIN.condition_id] == to_micros("5500")
    assert [row["name"] for row in told["invariants"]] == list(INVARIANTS)


def test_no_secret_is_told(venue: Scene) -> None:
    venue.post(venue.buy())
    text = venue.client.get("/sandbox/audit").text
    for secret in (venue.ada.key.secret, venue.ada.key.passphrase):
        assert secret not in text


def test_requests_and_posts_are_counted(venue: Scene) -> None:
    body, small = venue.buy(), venue.buy(size="1")
    for each in (body, body, body, small):
        venue.post(each)
    venue.order(venue.id_of(body))
    venue.order(venue.id_of(small))
    venue.client.get(f"/markets/{PLAIN.condition_id}")
    told = venue.audit()
    assert told["requests"]["POST /order"] == 4
    assert told["requests"]["GET /data/order/*"] == 2
    assert told["requests"]["GET /markets/*"] == 1
    posts = {row["id"]: row for row in told["posts"]}
    post = posts[venue.id_of(body)]
    assert (post["seen"], post["accepted"], post["duplicates"]) == (3, 1, 2)
    post = posts[venue.id_of(small)]
    assert (post["seen"], post["accepted"], post["duplicates"]) == (1, 0, 0)
    assert "lower than the minimum" in next(iter(post["refusals"]))


def test_long_lists_come_in_pages(venue: Scene) -> None:
    placed = [venue.post(venue.buy()).json()["orderID"] for _ in range(5)]
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        query = f"section=posts&after={after}&limit=2"
        page = venue.client.get(f"/sandbox/audit?{query}").json()
        assert len(page["rows"]) <= 2
        found += [row["id"] for row in page["rows"]]
        after = page["next"]
    assert found == placed
    assert venue.client.get("/sandbox/audit?section=secrets").status_code == 400


def test_endpoints_without_end_are_counted_together() -> None:
    tally = Tally()
    for number in range(ENDPOINTS_MAX + 10):
        tally.asked("GET", "/" + "x" * number)
    assert len(tally.requests) == ENDPOINTS_MAX + 1
    assert tally.requests["(others)"] == 10
    assert tally.requests.total() == ENDPOINTS_MAX + 10


def owes(world: World) -> None:
    world.bank.dollars["0xa"] = -1
    world.bank.dollars["0xb"] = 1


def unbacked(world: World) -> None:
    world.bank.shares["0xa", PLAIN.token_ids[0]] += 1


def from_nowhere(world: World) -> None:
    world.bank.dollars["0xa"] += 1


def beyond_size(world: World) -> None:
    next(iter(world.exchange.orders.values())).used = 10**12


def beyond_limit(world: World) -> None:
    world.exchange.trades[0].fills[0].dollars = 1
    world.exchange.trades[0].fills[0].order.spent = 1


def lost_fill(world: World) -> None:
    world.exchange.trades[0].taker.matched -= 1


def crossed(world: World) -> None:
    book = world.exchange.book(world.exchange.markets[PLAIN.condition_id])
    book.buying.add(to_micros("0.50"), world.exchange.open_orders()[0])


def forgotten(world: World) -> None:
    order = world.exchange.open_orders()[0]
    world.exchange.registry.closed(order)


def overpromised(world: World) -> None:
    world.exchange.holds.open["0xtaker", None] += 1


def miscounted(world: World) -> None:
    book = world.exchange.book(world.exchange.markets[PLAIN.condition_id])
    next(iter(book.selling.levels.values())).size += 1


HARMS = (
    owes,
    unbacked,
    from_nowhere,
    beyond_size,
    beyond_limit,
    lost_fill,
    crossed,
    forgotten,
    overpromised,
    miscounted,
)


@pytest.mark.parametrize(
    ("harm", "name"),
    list(zip(HARMS, INVARIANTS, strict=True)),
)
def test_what_must_not_be_is_noticed(harm: Callable[[World], None], name: str) -> None:
    from betteroms.domain.terms import Side

    world = World(Options(), HandClock(START_MS))
    stage(world)
    world.bank.move({("0xtaker", None): to_micros("100")})
    market = world.exchange.markets[PLAIN.condition_id]
    for side, price in ((Side.BUY, "0.45"), (Side.SELL, "0.40")):
        world.exchange.rest(
            market,
            outcome=0,
            side=side,
            price=to_micros(price),
            size=to_micros("10"),
            maker=COUNTERPARTY if side is Side.SELL else "0xtaker",
            now_ms=START_MS,
        )
    assert not any(checked(world).values())
    harm(world)
    assert checked(world)[name]
