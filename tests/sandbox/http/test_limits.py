"""How often one may ask, and what the venue takes in which mode."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.terms import Side
from betteroms.sandbox.http.limits import LIMITED, STANDARD, TIERS, Bucket, Limits, windows
from betteroms.sandbox.http.modes import Mode
from betteroms.sandbox.http.refusals import ForNow
from betteroms.sandbox.world import Options
from tests.sandbox.http.conftest import Front, MakeFront
from tests.sandbox.http.member import Member
from tests.sandbox.stage import PLAIN

START = 1_795_177_660_000


class TestBuckets:
    def test_a_burst_is_let_through_and_then_the_rate(self) -> None:
        limits = Limits(on=True)
        for _ in range(60):
            limits.take("0x1", 1, START)
        with pytest.raises(ForNow) as refused:
            limits.take("0x1", 1, START)
        assert (refused.value.status, refused.value.text) == (429, LIMITED)
        assert refused.value.headers["Retry-After"] == "1"
        limits.take("0x1", 1, START + 25)
        with pytest.raises(ForNow):
            limits.take("0x1", 1, START + 49)

    def test_a_batch_is_let_through_whole_or_not_at_all(self) -> None:
        limits = Limits(on=True)
        limits.take("0x1", 50, START)
        with pytest.raises(ForNow):
            limits.take("0x1", 15, START)
        assert limits.take("0x1", 10, START)["Poly-RateLimit-Remaining"] == "0"

    def test_orders_and_cancels_and_signers_have_buckets_of_their_own(self) -> None:
        limits = Limits(on=True)
        limits.take("0x1", 60, START)
        limits.take("0x1", 120, START, cancels=True)
        limits.take("0x2", 60, START)

    def test_what_is_beyond_the_burst_can_never_pass_and_says_no_time(self) -> None:
        limits = Limits(on=True)
        with pytest.raises(ForNow) as refused:
            limits.take("0x1", 121, START, cancels=True)
        assert "Retry-After" not in refused.value.headers
        assert refused.value.headers["Poly-RateLimit-Remaining"] == "120"

    def test_a_sweep_may_leave_a_debt_up_to_gold(self) -> None:
        limits = Limits(on=True)
        assert limits.take_after("0x1", 200, START)["Poly-RateLimit-Remaining"] == "-80"
        with pytest.raises(ForNow) as refused:
            limits.take("0x1", 1, START, cancels=True)
        assert refused.value.headers["Retry-After"] == "2"  # 81 tokens at 80 a second
        limits.set_tier("0x1", "platinum")
        assert limits.take_after("0x1", 9_999, START)["Poly-RateLimit-Remaining"] == "0"

    def test_a_warning_lets_through_what_would_be_refused(self) -> None:
        limits = Limits(on=True)
        limits.warning = True
        assert "Poly-RateLimit-Warning" not in limits.take("0x1", 60, START)
        assert limits.take("0x1", 1, START)["Poly-RateLimit-Warning"] == "true"

    def test_a_higher_tier_lets_more_through(self) -> None:
        limits = Limits(on=True)
        limits.set_tier("0x1", "elite")
        told = limits.take("0x1", 900, START)
        assert (told["Poly-RateLimit-Tier"], told["Poly-RateLimit-Remaining"]) == ("elite", "0")
        again = Limits(on=True)
        again.restore(limits.state())
        assert again.tier("0x1") is TIERS["elite"]
        assert again.tier("0x2") is STANDARD

    @given(
        st.lists(
            st.tuples(st.integers(min_value=1, max_value=70), st.integers(min_value=0, max_value=900)),
            max_size=30,
        )
    )
    def test_no_more_passes_than_the_burst_and_the_rate_give(self, asked: list[tuple[int, int]]) -> None:
        bucket, now_ms, passed = Bucket(rate=40, burst=60, now_ms=START), START, 0
        for cost, pause_ms in asked:
            now_ms += pause_ms
            wait_ms = bucket.wait_ms(cost, now_ms)
            if wait_ms == 0:
                bucket.spend(cost)
                passed += cost
            else:
                assert wait_ms is None or bucket.wait_ms(cost, now_ms) == wait_ms
            assert passed * 1000 <= 60_000 + 40 * (now_ms - START)

    @given(st.integers(min_value=1, max_value=60), st.integers(min_value=0, max_value=60))
    def test_who_waits_as_long_as_told_passes(self, cost: int, spent: int) -> None:
        bucket = Bucket(rate=40, burst=60, now_ms=START)
        bucket.spend(spent)
        wait_ms = bucket.wait_ms(cost, START)
        assert wait_ms is not None
        assert bucket.wait_ms(cost, START + wait_ms) == 0


class TestWindows:
    @pytest.mark.parametrize(
        ("method", "path", "names"),
        [
            ("GET", "/book", {"everything", "clob", "/book"}),
            ("POST", "/order", {"everything", "clob", "POST /order"}),
            ("DELETE", "/cancel-all", {"everything", "clob", "DELETE /cancel-all"}),
            ("GET", "/data/orders", {"everything", "clob", "ledger", "/data/orders"}),
            ("GET", "/data/order/0x12", {"everything", "clob", "ledger"}),
            ("GET", "/auth/derive-api-key", {"everything", "clob", "api keys"}),
            ("GET", "/gamma/markets/keyset", {"everything", "/gamma", "/gamma/markets"}),
            ("GET", "/data-api/v2/positions", {"everything", "/data-api"}),
            ("POST", "/relayer/submit", {"everything", "submit"}),
            ("GET", "/relayer/deployed", {"everything"}),
            ("POST", "/sandbox/clock", set()),
            ("POST", "/rpc", set()),
        ],
    )
    def test_a_request_counts_where_it_belongs(self, method: str, path: str, names: set[str]) -> None:
        assert {name for name, _, _ in windows(method, path)} == names

    def test_a_window_slides(self) -> None:
        limits = Limits(on=True)
        for _ in range(50):
            limits.check_window("GET", "/balance-allowance/update", START + 9_000)
        with pytest.raises(ForNow):
            limits.check_window("GET", "/balance-allowance/update", START + 9_500)
        with pytest.raises(ForNow):
            limits.check_window("GET", "/balance-allowance/update", START + 10_000)
        limits.check_window("GET", "/balance-allowance/update", START + 10_200)
        for _ in range(50):
            limits.check_window("GET", "/balance-allowance/update", START + 40_000)

    def test_nothing_is_counted_when_it_is_off(self) -> None:
        limits = Limits(on=False)
        for _ in range(1000):
            limits.check_window("GET", "/balance-allowance/update", START)
            assert limits.take("0x1", 100, START) == {}


def test_answers_to_orders_tell_how_many_more(front: Front, member: Member) -> None:
    told = front.post(member, member.order(PLAIN, Side.BUY, "0.30", "5"))
    assert told.headers["Poly-RateLimit-Remaining"] == "59"
    assert told.headers["Poly-RateLimit-Tier"] == "standard"
    assert int(told.headers["Poly-RateLimit-Reset"]) == 1_795_177_660
    batch = front.post(member, [member.order(PLAIN, Side.BUY, "0.30", "5") for _ in range(15)])
    assert batch.headers["Poly-RateLimit-Remaining"] == "44"
    swept = front.ask("DELETE", "/cancel-all", member)
    assert swept.headers["Poly-RateLimit-Remaining"] == str(120 - 1 - 16)


def test_an_order_too_many_is_not_placed(front: Front, member: Member) -> None:
    for _ in range(4):
        front.post(member, [member.order(PLAIN, Side.BUY, "0.30", "5") for _ in range(15)])
    one = member.order(PLAIN, Side.BUY, "0.30", "5")
    told = front.post(member, one)
    assert (told.status_code, told.json()) == (429, {"error": "rate limited"})
    assert told.headers["Retry-After"] == "1"
    assert member.id_of(one, PLAIN) not in front.world.exchange.orders
    front.later(1)
    assert front.post(member, one).status_code == 200


def test_a_venue_without_limits_says_nothing_of_them(make_front: MakeFront) -> None:
    front = make_front(Options(rate_limited=False))
    member = Member(front.world).fund("1000")
    told = front.post(member, member.order(PLAIN, Side.BUY, "0.30", "5"))
    assert "Poly-RateLimit-Remaining" not in told.headers


def test_members_are_told_their_tier(front: Front, member: Member) -> None:
    assert front.get("/v1/user/rate-limit-tier", member) == {"tier": "standard"}
    front.desk.limits.set_tier(member.address, "gold")
    assert front.get("/v1/user/rate-limit-tier", member) == {"tier": "gold"}


def test_an_endpoint_asked_too_often_refuses(front: Front) -> None:
    statuses = [front.ask("GET", "/tick-size", token_id=PLAIN.token_ids[0]).status_code for _ in range(201)]
    assert statuses == [200] * 200 + [429]


class TestModes:
    def refused(self, front: Front, member: Member, **outer: Any) -> tuple[int, Any, Any]:
        told = front.post(member, member.order(PLAIN, Side.BUY, "0.30", "5", **outer))
        return told.status_code, told.content and told.json(), told.headers.get("Retry-After")

    def test_only_orders_that_add_to_the_book_are_taken_in_post_only_mode(
        self, front: Front, member: Member
    ) -> None:
        until_ms = front.clock.now_ms() + 79_000
        front.desk.modes.set(Mode.POST_ONLY, until_ms=until_ms)
        assert self.refused(front, member) == (
            503,
            {
                "error": "post-only mode: only post-only orders and cancels are allowed",
                "code": "post_only_mode",
                "retry_after_seconds": 79,
            },
            "79",
        )
        assert self.refused(front, member, postOnly=True)[0] == 200
        front.later(79)
        assert self.refused(front, member)[0] == 200

    def test_a_batch_in_post_only_mode_is_refused_leg_by_leg(self, front: Front, member: Member) -> None:
        front.desk.modes.set(Mode.POST_ONLY)
        bodies = [
            member.order(PLAIN, Side.BUY, "0.30", "5"),
            member.order(PLAIN, Side.BUY, "0.30", "5", postOnly=True),
        ]
        told = front.post(member, bodies)
        assert told.status_code == 200
        assert [leg["errorMsg"] for leg in told.json()] == [
            "post-only mode: only post-only orders and cancels are allowed",
            "",
        ]

    @pytest.mark.parametrize(
        ("mode", "words"),
        [
            (
                Mode.CANCEL_ONLY,
                "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.",
            ),
            (Mode.HALTED, "Trading is currently disabled. Check polymarket.com for updates"),
        ],
    )
    def test_no_orders_at_all(self, front: Front, member: Member, mode: Mode, words: str) -> None:
        front.desk.modes.set(mode)
        assert self.refused(front, member, postOnly=True) == (503, {"error": words}, None)
        batch = front.post(member, [member.order(PLAIN, Side.BUY, "0.30", "5")])
        assert (batch.status_code, batch.json()) == (503, {"error": words})

    def test_after_a_restart_comes_a_while_of_post_only(self, front: Front, member: Member) -> None:
        front.desk.modes.set(Mode.RESTARTING, until_ms=front.clock.now_ms() + 5_000)
        assert self.refused(front, member) == (425, b"", "5")
        front.later(5)
        assert self.refused(front, member)[1]["retry_after_seconds"] == 120
        front.later(120)
        assert self.refused(front, member)[0] == 200

    def test_a_mode_outlives_a_restart_of_the_process(self, front: Front, member: Member) -> None:
        front.desk.modes.set(Mode.CANCEL_ONLY)
        state = front.desk.state()
        front.desk.modes.set(Mode.OPEN)
        front.desk.restore(state)
        assert self.refused(front, member)[0] == 503
