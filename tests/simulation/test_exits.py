"""Exits go on until the position is closed: one order for each attempt, whatever interrupts `maintain`.

The world is in `exits_world`: bids for a part, the same book again, nobody, another part, the rest; and every
cap is reached before the rule is triggered.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from betteroms import wiring
from betteroms.cli import app
from betteroms.domain.errors import DatabaseUnavailable, LockHeld
from betteroms.domain.risk import Limits
from betteroms.domain.secret import Secret
from betteroms.jobs.desk import Desk
from betteroms.jobs.explain import explain
from betteroms.jobs.preview import preview
from betteroms.settings import Settings
from tests.simulation.audit_exits import exit_orders
from tests.simulation.audit_tables import MICROS, Row, Tables
from tests.simulation.auditor import digest_of, problems_of
from tests.simulation.exits_world import (
    CAPS,
    HELD,
    LEAVING,
    SCENES,
    SHARES,
    SOLD,
    Scene,
    act,
    at_step,
    desk_of,
    maintained,
    opened,
    plan_of,
    tables_of,
    wish_for,
)
from tests.simulation.killing import DONE, LOCKED, REPOSITORY, SECONDS_MAX
from tests.simulation.month import is_done
from tests.simulation.mortal import Death, Fate, mortal
from tests.simulation.pgproxy import At, Proxy
from tests.simulation.stage import Rewindable
from tests.simulation.test_month import differences

TRIGGERED = LEAVING.start
CLOSED = max(SOLD)
STOP = SCENES[0]
TICK = timedelta(microseconds=1)
REFUSALS = {
    "order_notional_max": "NOTIONAL_EXCEEDS_LIMIT",
    "run_notional_max": "RUN_NOTIONAL_EXCEEDS_LIMIT",
    "run_orders_max": "RUN_ORDERS_EXCEED_LIMIT",
    "day_notional_max": "DAY_NOTIONAL_EXCEEDS_LIMIT",
    "market_notional_max": "MARKET_NOTIONAL_EXCEEDS_LIMIT",
    "event_loss_max": "EVENT_LOSS_EXCEEDS_LIMIT",
    "open_positions_max": "OPEN_POSITIONS_EXCEED_LIMIT",
    "daily_loss_max": "DAILY_LOSS_EXCEEDED",
    "drawdown_max": "DRAWDOWN_TRIPPED",
    "spread_max": "SPREAD_TOO_WIDE",
    "depth_min": "DEPTH_TOO_THIN",
}
scenes = pytest.mark.parametrize("scene", SCENES, ids=[scene.cause for scene in SCENES])


def state(url: str) -> str:
    """The state digest, in which every time counts: the clock is scripted."""
    return digest_of(tables_of(url), scripted=True)


def audited(url: str) -> str:
    """The state digest, once the auditor has found nothing wrong."""
    tables = tables_of(url)
    assert problems_of(tables) == []
    return digest_of(tables, scripted=True)


def effects_of(scene: Scene, step: int, url: str, nothing: Path) -> tuple[list[str], dict[str, Any]]:
    """Let the pass go through; everything that it did to the world, in its order, and what it came to."""
    fate = Fate()
    told = maintained(scene, step, url, nothing, change=mortal(fate))
    return fate.met, told


def interrupted(scene: Scene, step: int, url: str, nothing: Path, fate: Fate) -> None:
    with pytest.raises(Death):
        maintained(scene, step, url, nothing, change=mortal(fate))


def attempts(tables: Tables) -> dict[str, list[Row]]:
    """The exit orders of each token: for each number from 1 on there is exactly one."""
    found: dict[str, dict[int, Row]] = {}
    for order in exit_orders(tables):
        attempt = json.loads(order["intent_key"])[-1]
        mine = found.setdefault(order["token_id"], {})
        assert attempt not in mine, f"two orders for attempt {attempt}"
        mine[attempt] = order
    for mine in found.values():
        assert sorted(mine) == list(range(1, len(mine) + 1)), "an attempt is left out"
    return {token: [mine[number] for number in sorted(mine)] for token, mine in found.items()}


def sold(tables: Tables, order: Row) -> int:
    """Whole shares that this order sold."""
    return sum(int(fill["size"]) for fill in tables.fills_of(order["order_id"])) // MICROS


@scenes
def test_an_exit_goes_on_until_the_position_is_closed_whatever_interrupts_it(
    scene: Scene,
    database_url: str,
    another_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calm, troubled = database_url, another_database_url
    for url in (calm, troubled):
        opened(scene, url, tmp_path)
    for step in LEAVING:
        effects, told = effects_of(scene, step, calm, tmp_path)
        before = state(troubled)
        for moment in range(len(effects)):
            fate = Fate(moment, dead_for_good=moment % 2 == 0)
            interrupted(scene, step, troubled, tmp_path, fate)
            assert state(troubled) == before, "a pass that is broken off leaves nothing behind"
        assert maintained(scene, step, troubled, tmp_path) == told
        assert audited(troubled) == audited(calm)
    assert_left(scene, troubled)
    assert_explained(scene, troubled, tmp_path)
    monkeypatch.setenv("DATABASE_URL", troubled)
    monkeypatch.setenv("BETTEROMS_HOME", str(tmp_path))
    last = max(exit_orders(tables_of(troubled)), key=lambda order: json.loads(order["intent_key"])[-1])
    assert app.run(("explain", last["order_id"])) == DONE
    page = capsys.readouterr().out
    assert f"{scene.cause} since" in page
    assert f"attempt {len(SOLD)} of {len(SOLD)} so far" in page


def assert_left(scene: Scene, url: str) -> None:
    """Both positions are closed, by one order for each attempt; everything says why."""
    tables = tables_of(url)
    by_token = attempts(tables)
    assert set(by_token) == {market.token_id(outcome) for market, outcome in HELD}
    for token, orders in by_token.items():
        assert [sold(tables, order) for order in orders] == list(SOLD.values())
        assert [order["created_at"] for order in orders] == [act(step).at for step in SOLD]
        assert {order["notes"].partition(": ")[0] for order in orders} == {scene.cause}
        told = [event for event in tables.rule_events if event["entity_id"] == token]
        kinds = [event["event_type"] for event in told]
        assert kinds == ["rule_set", "rule_triggered"] + ["exit_attempted"] * (len(SOLD) - 1)
        assert {event["event_data"]["cause"] for event in told[1:]} == {scene.cause}
        (rule,) = [row for row in tables.rules if row["token_id"] == token]
        assert (rule["attempts"], rule["trigger_cause"]) == (len(SOLD), scene.cause)
        (position,) = [row for row in tables.positions if row["token_id"] == token]
        assert (position["size"], position["cost_basis"]) == (0, 0)
    beside = [order for order in tables.orders if order["plan_id"] == "beside"]
    assert {(order["status"], order["code"]) for order in beside} == {("CANCELED", f"EXIT_{scene.cause}")}
    assert any(event["event_type"] == "risk_tripped" for event in tables.audit)
    assert differences(url) == []


def assert_explained(scene: Scene, url: str, nothing: Path) -> None:
    """The story of each exit order names its rule, why it was triggered, and which attempt it is."""
    tables = tables_of(url)
    with wiring.records(Settings(home=nothing, database_url=Secret(url)), name="explain") as records:
        for token, orders in attempts(tables).items():
            stories = [explain(records, order["order_id"], wiring.Payloads())["exit"] for order in orders]
            beside = [o for o in tables.orders if (o["token_id"], o["plan_id"]) == (token, "beside")]
            (replaced,) = [order["order_id"] for order in beside if order["side"] == "SELL"]
            assert [story["replaces"] for story in stories] == [replaced] + [None] * (len(SOLD) - 1)
            assert [story["attempt"] for story in stories] == list(range(1, len(SOLD) + 1))
            for story in stories:
                assert (story["cause"], story["attempts"]) == (scene.cause, len(SOLD))
                assert story["triggeredAt"] == f"{act(TRIGGERED).at:%Y-%m-%dT%H:%M:%SZ}"
                assert set(story["rules"]) == set(scene.rules)
                assert story["detail"] == orders[0]["notes"].removeprefix(f"{scene.cause}: ")


def test_a_pass_interrupted_at_any_one_effect_is_made_whole_by_the_next(
    database_url: str, tmp_path: Path
) -> None:
    die_at_each(STOP, TRIGGERED, database_url, tmp_path, fates)


@pytest.mark.soak
@scenes
@pytest.mark.parametrize("step", LEAVING)
def test_any_pass_interrupted_in_any_way_at_any_one_effect_is_made_whole_by_the_next(
    scene: Scene, step: int, database_url: str, tmp_path: Path
) -> None:
    die_at_each(scene, step, database_url, tmp_path, all_fates)


def die_at_each(
    scene: Scene, step: int, url: str, nothing: Path, ways: Callable[[int], Iterator[Fate]]
) -> None:
    """Die at one effect, go on with the next pass, look at what came of it; then put all back for another."""
    at_step(scene, step, url, nothing)
    with closing(Rewindable(url)) as database:
        effects, _ = effects_of(scene, step, url, nothing)
        undisturbed = audited(url)
        for fate in ways(len(effects)):
            database.rewind()
            interrupted(scene, step, url, nothing, fate)
            completed = is_done(act(step), url)
            assert completed is (fate.after and fate.moment == len(effects) - 1)
            if not completed:
                maintained(scene, step, url, nothing)
            assert audited(url) == undisturbed, f"{fate.met[-1]} {fate}"


def fates(count: int) -> Iterator[Fate]:
    """Each moment once: after one effect and before the next is the same one."""
    yield from (Fate(moment, dead_for_good=moment % 2 == 1) for moment in range(count))
    yield Fate(count - 1, after=True)


def all_fates(count: int) -> Iterator[Fate]:
    """Before and after every effect, gone or only interrupted."""
    for moment, after, gone in product(range(count), (False, True), (False, True)):
        yield Fate(moment, after=after, dead_for_good=gone)


@scenes
def test_a_commit_that_is_lost_or_whose_answer_is_lost_makes_no_second_order(
    scene: Scene, database_url: str, tmp_path: Path
) -> None:
    cut_at_messages(scene, TRIGGERED, database_url, tmp_path, commits=True)


@pytest.mark.soak
@scenes
@pytest.mark.parametrize("step", LEAVING)
def test_a_connection_that_is_lost_at_any_message_makes_no_second_order(
    scene: Scene, step: int, database_url: str, tmp_path: Path
) -> None:
    cut_at_messages(scene, step, database_url, tmp_path, commits=False)


def cut_at_messages(scene: Scene, step: int, url: str, nothing: Path, *, commits: bool) -> None:
    """Cut the connection before and after every message of the pass, or every COMMIT; then do it again."""
    at_step(scene, step, url, nothing)
    with closing(Rewindable(url)) as database:
        with Proxy(url) as proxy:
            maintained(scene, step, proxy.url, nothing)
        undisturbed = audited(url)
        numbers = [m.number for m in proxy.log if not commits or m.text.startswith("COMMIT")]
        assert len(numbers) > 1, "a pass is opened, and completed"
        for number in numbers:
            for after in (False, True):
                database.rewind()
                with Proxy(url) as proxy:
                    proxy.fault = At(number, after)
                    with suppress(DatabaseUnavailable):  # what says goodbye is not missed
                        maintained(scene, step, proxy.url, nothing)
                if not is_done(act(step), url):
                    maintained(scene, step, url, nothing)
                assert audited(url) == undisturbed, f"message {number}, {'after' if after else 'before'}"


def test_every_cap_is_reached_in_that_world(database_url: str, tmp_path: Path) -> None:
    assert set(REFUSALS) == set(CAPS) == set(Limits.__slots__) - {"book_age_max"}
    scene = replace(STOP, caps={})
    at_step(scene, TRIGGERED, database_url, tmp_path)
    market, outcome = HELD[0]
    wishes = [
        wish_for(market, outcome, "BUY", "0.96", 10),
        wish_for(market, 1 - outcome, "BUY", "0.60", 10),
    ]
    with desk_of(scene, TRIGGERED, database_url, tmp_path) as desk:
        assert None in codes_of(desk, wishes, Limits()), "without caps it is bought"
        for name, code in REFUSALS.items():
            assert code in codes_of(desk, wishes, Limits(**{name: CAPS[name]})), name


def codes_of(desk: Desk, wishes: list[dict[str, Any]], limits: Limits) -> set[str | None]:
    """Why these wishes would be refused under these caps."""
    told, _ = preview(desk.limited(limits), plan_of("control", wishes))
    return {one["code"] for one in told["result"]["instructions"]}


@scenes
def test_passes_of_one_moment_make_one_order_for_each_attempt(
    scene: Scene, database_url: str, tmp_path: Path
) -> None:
    at_step(scene, TRIGGERED, database_url, tmp_path)
    for repeat in range(3):
        maintained(scene, TRIGGERED, database_url, tmp_path, later=repeat * TICK)
    tables = tables_of(database_url)
    assert problems_of(tables) == []
    for orders in attempts(tables).values():
        assert [sold(tables, order) for order in orders] == [30, 0, 0], "nothing displayed is sold to twice"


def test_passes_of_one_moment_make_no_order_once_all_is_sold(database_url: str, tmp_path: Path) -> None:
    at_step(STOP, CLOSED, database_url, tmp_path)
    for repeat in range(3):
        maintained(STOP, CLOSED, database_url, tmp_path, later=repeat * TICK)
    tables = tables_of(database_url)
    assert problems_of(tables) == []
    for orders in attempts(tables).values():
        assert sum(sold(tables, order) for order in orders) == SHARES
        assert len(orders) == len(SOLD)


def test_a_second_caller_is_turned_away_and_changes_nothing(
    database_url: str, another_database_url: str, tmp_path: Path
) -> None:
    for url in (database_url, another_database_url):
        opened(STOP, url, tmp_path)
    met: list[tuple[str, int]] = []

    class Meanwhile(Fate):
        def __call__(self, name: str, effect: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if name in ("ledger.open_run", "executor.submit"):
                here = desk_of(STOP, TRIGGERED, database_url, tmp_path, wait_seconds=0)
                with pytest.raises(LockHeld), here:
                    pass
                met.append((name, another_process(database_url, tmp_path).returncode))
                met.append((name, another_process(database_url, tmp_path, "--quiet").returncode))
            return effect(*args, **kwargs)

    told = maintained(STOP, TRIGGERED, database_url, tmp_path, change=mortal(Meanwhile()))
    assert met == [(name, code) for name in ("ledger.open_run", "executor.submit") for code in (LOCKED, DONE)]
    assert maintained(STOP, TRIGGERED, another_database_url, tmp_path) == told
    assert audited(database_url) == audited(another_database_url)


def another_process(url: str, nothing: Path, *options: str) -> "subprocess.CompletedProcess[bytes]":
    """`betteroms maintain` as cron would start it meanwhile."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "betteroms", "maintain", "--books", str(nothing), *options],
        env={
            "BETTEROMS_HOME": str(nothing / "home"),
            "DATABASE_URL": url,
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        cwd=nothing,
        timeout=SECONDS_MAX,
        check=False,
    )
