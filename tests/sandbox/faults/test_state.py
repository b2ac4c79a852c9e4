"""A venue in a file: what comes back is what was written, and goes on as if nothing had happened."""

import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betteroms.domain.terms import Side
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.faults.script import read
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.life import Life, Pace
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.state import BadState, Keeper
from betteroms.sandbox.venue import Venue
from betteroms.sandbox.world import Options, World
from tests.sandbox.faults.scene import START_MS
from tests.sandbox.http.in_process import InProcess
from tests.sandbox.http.member import Member, compact

OPTIONS = Options(rate_limited=False)
"""The buckets of the limits are full again after a restart; nothing else is."""


class Kept:
    """A venue without a socket, kept in a file."""

    def __init__(self, path: Path, *, seed: int = 0, every_s: float = 5.0) -> None:
        self.clock = HandClock(START_MS)
        self.world = World(Options(seed=seed, rate_limited=False), self.clock)
        app = create_app(self.world)
        self.venue: Venue = app.venue
        self.life = Life(self.world, pace=Pace())
        self.keeper: Keeper = self.venue.keep(path, life=self.life)
        self.app = app

    def begin(self) -> "Kept":
        """Markets, people, counterparties, faults."""
        seed_world(self.world, None)
        self.ada = Member(self.world, "ada").fund("100000")
        self.life.begin()
        rules = [
            {"on": "POST /order", "fault": "error_500", "effect": True, "probability": 0.2},
            {"on": "TRADE", "fault": "retrying", "every": 3},
        ]
        self.venue.faults.add(read({"seed": 5, "rules": rules}))
        return self

    def go_on(self, path: Path) -> "Kept":
        """Another venue from this one's file."""
        again = Kept(path)
        assert again.keeper.load()
        again.ada = self.ada
        return again

    def do(self, step: tuple[str, int]) -> httpx.Response | None:
        """One thing that somebody does: all of it follows from the step and from the venue."""
        kind, number = step
        markets = list(self.world.exchange.markets.values())
        market = markets[number % len(markets)]
        match kind:
            case "advance":
                self.clock.move_to(self.clock.now_ms() + number * 7)
                self.world.now()
            case "place" | "late":
                side = Side.BUY if number % 3 else Side.SELL
                tick = market.tick
                price = f"{(1 + number % (1_000_000 // tick - 1)) * tick / 1_000_000:.6f}".rstrip("0")
                signed = {"salt": number, "maker": self.ada.address}
                body = self.ada.order(market, side, price, str(5 + number % 50), signed=signed)
                if kind == "late":
                    self.venue.inside.postpone(self._scope(body), compact(body), [body], 1 + number * 11)
                    return None
                return self._ask("POST", "/order", body)
            case "cancel":
                mine = self.world.exchange.open_orders(owner=self.ada.key.key)
                if mine:
                    return self._ask("DELETE", "/order", {"orderID": mine[number % len(mine)].id})
            case "mode":
                self.venue.inside.restart(down_ms=number, post_only_ms=number)
            case "resolve" if number % 7 == 0 and market.payouts is None:
                self.world.exchange.resolve(market, (1_000_000, 0), self.world.now())
        return None

    def _scope(self, body: Any) -> dict[str, Any]:
        headers = self._headers("POST", "/order", compact(body))
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return {"headers": pairs, "method": "POST", "path": "/order"}

    def _headers(self, method: str, path: str, content: bytes) -> dict[str, str]:
        stamped = Member.__new__(Member)
        for name in ("name", "key", "address", "_private", "_salts"):
            setattr(stamped, name, getattr(self.ada, name))
        stamped.world = self.world
        return stamped.headers(method, path, content)

    def _ask(self, method: str, path: str, body: Any) -> httpx.Response:
        content = compact(body)
        headers = self._headers(method, path, content)
        with httpx.Client(transport=InProcess(self.app), base_url="http://venue") as client:
            return client.request(method, path, content=content, headers=headers)

    def written(self) -> Any:
        self.keeper.save()
        return json.loads(self.keeper.path.read_bytes())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "venue.json").begin()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["advance", "place", "place", "late", "cancel", "mode", "resolve"]),
        st.integers(1, 5_000),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=STEPS, after=STEPS)
def test_a_venue_goes_on_as_if_it_had_never_ended(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("state") / "venue.json"
    one = Kept(path).begin()
    for step in before:
        one.do(step)
    first = one.written()
    two = one.go_on(path)
    assert two.written() == first
    for step in after:
        answers = [kept.do(step) for kept in (one, two)]
        told = [None if answer is None else (answer.status_code, answer.content) for answer in answers]
        assert told[0] == told[1]
    assert two.written()["state"] == one.written()["state"]
    for kept in (one, two):
        assert [each for each in kept.venue.auditor.document()["invariants"] if not each["holds"]] == []


def test_what_is_written_twice_is_written_once(kept: Kept) -> None:
    assert kept.keeper.save()
    assert not kept.keeper.save()
    kept.clock.move_to(START_MS + 1)
    assert not kept.keeper.save()
    kept.do(("place", 3))
    assert kept.keeper.save()
    assert [file.name for file in kept.keeper.path.parent.iterdir()] == ["venue.json"]
    assert kept.keeper.path.stat().st_mode & 0o777 == 0o600


def test_there_may_be_no_file_yet(tmp_path: Path) -> None:
    assert not Kept(tmp_path / "venue.json").keeper.load()


def test_writing_takes_a_bounded_share_of_the_time(kept: Kept) -> None:
    times = iter([0.0, 4.9, 5.0, 7.0, 40.0, 46.9, 47.0, 47.1])
    keeper = Keeper(kept.keeper.path, kept.world, {}, every_s=5.0, monotonic=lambda: next(times))
    written = []
    for _ in range(5):
        keeper.path.unlink(missing_ok=True)
        keeper.look()
        written.append(keeper.path.exists())
    assert written == [False, True, False, False, True]  # two seconds of writing, and then forty of none


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b'{"format":"betteroms-sandbox","version":1,"sta', "is no JSON"),
        (b"[]", "is not the state of a sandbox venue"),
        (b'{"format":"another"}', "is not the state of a sandbox venue"),
        (b'{"format":"betteroms-sandbox","version":2}', "is of version 2, this is 1"),
        (b'{"format":"betteroms-sandbox","version":1}', "is damaged"),
        (b'{"format":"betteroms-sandbox","version":1,"sha256":"","state":{}}', "is damaged"),
    ],
)
def test_a_broken_or_foreign_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "venue.json"
    path.write_bytes(content)
    with pytest.raises(BadState, match=words):
        Kept(path).keeper.load()
    assert path.read_bytes() == content


def test_a_changed_digit_is_noticed(kept: Kept) -> None:
    kept.do(("place", 3))
    kept.keeper.save()
    text = kept.keeper.path.read_bytes()
    at = random.Random(3).choice([at for at, byte in enumerate(text) if chr(byte) in "12345678"])
    kept.keeper.path.write_bytes(text[:at] + bytes([text[at] + 1]) + text[at + 1 :])
    with pytest.raises(BadState):
        Kept(kept.keeper.path).keeper.load()


def test_another_seed_is_another_venue(kept: Kept) -> None:
    kept.keeper.save()
    with pytest.raises(BadState, match="holds a venue of seed 0, not 7"):
        Kept(kept.keeper.path, seed=7).keeper.load()


def test_a_script_given_at_the_start_replaces_another_and_goes_on_with_the_same(kept: Kept) -> None:
    for number in range(20):
        kept.do(("place", number + 1))
    kept.keeper.save()
    shown = kept.venue.faults.shown()
    rows = [row["rule"] for row in shown["rules"]]
    same, another = Kept(kept.keeper.path), Kept(kept.keeper.path)
    same.venue.faults.add(read({"seed": 5, "rules": rows}))
    same.keeper.load()
    assert same.venue.faults.shown() == shown
    another.venue.faults.add(read({"on": "POST /order", "fault": "halted"}))
    another.keeper.load()
    assert [row["rule"]["fault"] for row in another.venue.faults.shown()["rules"]] == ["halted"]
