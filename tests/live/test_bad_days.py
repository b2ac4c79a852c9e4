"""docs/bad-days.md: each bad day is brought about on a sandbox, and overcome with what the page says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any, Final

import psycopg
import pytest

from betteroms.sandbox.relayer import relayer_key
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.world import World
from betteroms.settings import LOCAL_FILE
from tests.docs_blocks import page
from tests.live.walking import Walk, by_heading, is_rehearsal
from tests.live.world import CUP, SNOW, TREATY, Operator, buy, environment
from tests.sandbox.running import QUICK, Venue, sandbox_venue

PAGE: Final = "docs/bad-days.md"
API: Final = ("POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE")
MINED_AFTER_MS: Final = 900
"""Time enough for a trade to be looked at before it fails."""
RESTING: Final = buy(TREATY, 0.05, 40)


def _fill(world: World) -> None:
    seed_world(world, None)


@pytest.fixture
def venue() -> Iterator[Venue]:
    """A sandbox whose trades settle, or fail, within a second."""
    options = replace(QUICK, rate_limited=False, mined_after_ms=MINED_AFTER_MS, confirmed_after_ms=950)
    with sandbox_venue(_fill, options=options) as running:
        yield running


@pytest.fixture
def day(operator: Operator, venue: Venue, another_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """Somebody who trades live, and has the page at hand."""
    assert venue.world is not None
    monkeypatch.setenv("BETTEROMS_GEOBLOCK_URL", f"{venue.url}/api/geoblock")
    monkeypatch.setenv("POLYMARKET_RELAYER_API_KEY", relayer_key(venue.world.name, operator.wallet.owner))
    operator.ready()
    operator.plan(RESTING, plan_id="june")
    operator.plan(RESTING, plan_id="july")
    return Walk(PAGE, operator)


@pytest.fixture
def later(sql: psycopg.Connection[Any]) -> Any:
    """Lets time pass for orders that nobody answered."""

    def pass_by(span: str) -> None:
        sql.execute(f"UPDATE orders SET sending_at = sending_at - interval '{span}'")

    return pass_by


def test_every_day_of_the_page_is_walked_through() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    walked = set(re.findall(r'day\.types\("([^"]+)"\)', text))
    assert walked | {"When it is over"} == set(by_heading(PAGE))
    rehearsed = set(re.findall(r'day\.rehearses\("([^"]+)"', text))
    assert rehearsed == {name for name, under in by_heading(PAGE).items() if any(map(is_rehearsal, under))}


def test_everything_can_be_stopped(day: Walk, operator: Operator) -> None:
    assert operator.trade(RESTING, buy(CUP, 0.30, 10)).code == 0
    day.types("To stop everything")
    assert {order["status"] for order in operator.orders()} == {"CANCELED"}
    assert operator.trade(RESTING, plan_id="august").code == 5
    day.is_over()


def test_an_order_that_nobody_answered_is_found_where_it_arrived(day: Walk, operator: Operator) -> None:
    day.rehearses("It arrived")
    day.types("An order is unknown")
    day.types("It arrived")
    assert len(operator.orders()) == 1
    day.is_over()


def test_an_order_that_did_not_arrive_goes_again_as_it_was(day: Walk, operator: Operator, later: Any) -> None:
    day.rehearses("It is nowhere to be seen")
    day.types("An order is unknown")
    day.types("It is nowhere to be seen")
    assert operator.orders() == []
    later("91 seconds")
    assert operator("live", "off", "--json").code == 0
    assert (operator("poll").code, operator.orders()) == (7, [])
    assert operator("live", "on", "--yes").code == 0
    day.types("It is nowhere to be seen")
    assert len(operator.orders()) == 1
    day.is_over()


def test_an_unknown_order_that_nobody_wants_any_more_is_written_off(
    day: Walk, operator: Operator, later: Any
) -> None:
    day.rehearses("It is nowhere to be seen")
    day.types("An order is unknown")
    day.types("You do not want it any more")
    later("91 seconds")
    assert operator("poll").code == 7
    later("9 minutes")
    day.types("You do not want it any more")
    assert operator.orders() == []
    day.is_over()


def test_orders_that_a_restarting_venue_turned_away_go_in_another_plan(day: Walk, operator: Operator) -> None:
    day.rehearses("Orders were turned away")
    day.types("Orders were turned away")
    assert operator.orders() == []
    day.rehearses("Orders were turned away")
    day.types("Orders were turned away")
    assert [order["status"] for order in operator.orders()] == ["LIVE"]
    day.is_over()


def test_a_run_that_a_restart_stopped_is_taken_up_by_the_same_command(day: Walk, operator: Operator) -> None:
    operator.plan(RESTING, buy(CUP, 0.30, 10), plan_id="june")
    day.rehearses("Orders were turned away")
    day.types("The run stopped")
    day.rehearses("Orders were turned away")
    day.types("The run stopped")
    assert len(operator.orders()) == 1
    day.is_over()


def test_what_a_venue_turns_away_has_the_codes_that_the_page_names(day: Walk, operator: Operator) -> None:
    rows = re.findall(r"^\| (?:.*: )?([\w-]+) \| (`.+) \| (.+) \|$", page(PAGE), re.MULTILINE)
    assert [name for name, _, _ in rows] == ["restarting", "post-only", "cancel-only", "halted"]
    resting = [buy(TREATY, price, 40) for price in (0.05, 0.04, 0.03, 0.02)]
    assert operator.trade(*resting, plan_id="first").code == 0
    there = [row["shortId"] for row in operator("orders", "list", "--json").rows]
    for order, (name, codes, cancels) in zip(there, rows, strict=True):
        operator.venue.told("mode", mode=name.replace("-", "_"))
        alone = operator.trade(buy(TREATY, 0.06, 40), plan_id=f"{name}-alone")
        together = operator.trade(buy(TREATY, 0.06, 40), buy(TREATY, 0.07, 40), plan_id=f"{name}-together")
        assert (alone.code, together.code) == (5, 5), (alone, together)
        told = [row["code"] for ran in (alone, together) for row in ran.document["result"]["instructions"]]
        assert set(told) == set(re.findall(r"`(\w+)`", codes))
        canceled = operator("orders", "cancel", order)
        assert (canceled.code, cancels) in ((0, "work"), (7, "turned away")), canceled
    assert len(operator.orders()) == len(resting)


def test_a_ghost_fill_is_taken_back(day: Walk, operator: Operator) -> None:
    operator.plan(buy(SNOW, 0.42, 20), plan_id="june")
    day.rehearses("A fill fails on the chain")
    day.types("A fill fails on the chain")
    sleep(MINED_AFTER_MS / 1000)
    for _ in range(3):
        day.types("A fill fails on the chain")
    day.is_over()


def test_an_address_that_is_no_wallet_of_the_key_lets_nothing_leave(
    day: Walk, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYMARKET_FUNDER", "0x" + "22" * 20)
    day.types("It is no wallet of the key")
    assert operator("trade", "june.json", "--yes").code == 4
    assert operator.wallet.address in operator("keys", "show-address").out.lower()
    monkeypatch.setenv("POLYMARKET_FUNDER", operator.wallet.address)
    day.types("It is no wallet of the key")
    assert operator("trade", "june.json", "--yes").code == 0
    day.is_over()


def test_another_wallet_of_the_key_does_not_get_into_the_books_of_this_one(
    day: Walk, operator: Operator, another_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert operator("trade", "june.json", "--yes").code == 0
    shown = operator("keys", "show-address").out
    (safe,) = re.findall(r"^(0x\w{40})  type 2 ", shown, re.MULTILINE)
    operator.venue.told("fund", wallet=safe, dollars="100", approve=True)
    with monkeypatch.context() as patch:
        patch.setenv("POLYMARKET_FUNDER", safe)
        day.types("It is another wallet of the key")
        assert operator("trade", "july.json", "--yes").code == 4
        looked = operator("doctor", "--json")
        assert looked.code == 4
        assert {row["check"] for row in looked.rows if row["level"] == "failed"} == {"ledger"}
        adopted = operator("poll", "--adopt", DATABASE_URL=another_database_url)
        assert adopted.code == 0, adopted
    assert operator("trade", "july.json", "--yes").code == 0
    day.is_over()


def test_credentials_of_another_key_are_replaced(
    day: Walk, operator: Operator, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in API:
        monkeypatch.delenv(name)
    others = environment(venue, "eoa")
    local = operator.directory / LOCAL_FILE
    local.touch(mode=0o600)
    local.write_text("".join(f"{name}={others[name]}\n" for name in API), encoding="utf-8")
    day.types("The credentials are another key's")
    day.types("The credentials are another key's")
    assert operator("trade", "june.json", "--yes").code == 0
    day.is_over()


def test_an_allowance_that_is_too_small_is_raised(day: Walk, operator: Operator) -> None:
    operator.plan(buy(SNOW, 0.42, 20), plan_id="june")
    day.rehearses("Not enough allowance")
    for _ in range(3):
        day.types("Not enough allowance")
    day.is_over()


def test_orders_of_a_second_installation_are_adopted(
    day: Walk, operator: Operator, another_database_url: str
) -> None:
    day.elsewhere["DATABASE_URL"] = another_database_url
    day.rehearses("It is to go", lines=3)
    day.types("The ledger is behind the venue")
    assert len(operator.orders()) == 1
    day.types("It is to stay")
    assert operator("trade", "june.json", "--yes").code == 0
    day.is_over()


def test_orders_of_a_second_installation_are_cancelled(
    day: Walk, operator: Operator, another_database_url: str
) -> None:
    day.elsewhere["DATABASE_URL"] = another_database_url
    day.rehearses("It is to go", lines=3)
    day.types("The ledger is behind the venue")
    day.types("It is to go")
    assert [order["status"] for order in operator.orders()] == ["CANCELED"]
    assert operator("trade", "june.json", "--yes").code == 0
    day.is_over(strangers=1)


def test_a_clock_that_is_wrong_lets_nothing_leave(day: Walk, operator: Operator) -> None:
    day.rehearses("The clock is wrong")
    day.types("The clock is wrong")
    assert operator("poll").code == 0
    assert operator.orders() == []
    day.rehearses("The clock is wrong")
    day.types("The clock is wrong")
    assert len(operator.orders()) == 1
    day.is_over()
