"""What the operator is told of a run, in words that fit a phone."""

import pytest

from betteroms.jobs.notices import (
    LINE_LENGTH_MAX,
    LINES_MAX,
    TITLE_LENGTH_MAX,
    Kind,
    Notice,
    of_failure,
    of_result,
    of_trip,
    tell,
)
from tests.jobs.results import denied, order, result


class Phone:
    """A notifier in memory."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def tell(self, title: str, body: str, *, severity: str) -> None:
        self.heard.append((title, body, severity))


def by_kind(notices: list[Notice]) -> dict[Kind, Notice]:
    assert len({notice.kind for notice in notices}) == len(notices)
    return {notice.kind: notice for notice in notices}


def test_fills_are_told_in_dollars() -> None:
    two = [
        {"price": "0.41", "size": "1000", "fee": "1.2", "liquidity": "TAKER"},
        {"price": "0.42", "size": "500.5", "fee": "0", "liquidity": "MAKER"},
    ]
    found = by_kind(of_result(result(order(executions=two))))
    assert found[Kind.FILLS].title == "june: 1 order filled"
    assert found[Kind.FILLS].body == ("BUY Yes will-x-happen: 1,500.5 at 0.4133 = $620.21, fee $1.20")


def test_refusals_are_told_with_code_and_numbers() -> None:
    found = by_kind(of_result(result(denied(0), order(1, "OPEN"))))
    assert found[Kind.REFUSALS].body == "BUY Yes will-x-happen: BELOW_MINIMUM_SIZE (size=1 min=5)"
    assert found[Kind.REFUSALS].severity == found[Kind.DIGEST].severity == "warning"
    assert Kind.FILLS not in found


def test_fills_that_failed_on_the_chain_are_a_failure_and_no_fills() -> None:
    back = {"price": "0.41", "size": "-100", "fee": "-1.2", "liquidity": "TAKER"}
    moved = order(executions=[back], filledSize="0")
    found = by_kind(of_result(result(settled=[moved])))
    assert found[Kind.FAILURES].title == "june: fills of 1 order failed on the chain"
    assert found[Kind.FAILURES].body == "BUY Yes will-x-happen: 100 shares taken back"
    assert Kind.FILLS not in found


def test_a_fill_that_came_as_another_failed_is_told_by_itself() -> None:
    fill, back = ({"price": "0.41", "size": size, "fee": "0", "liquidity": "MAKER"} for size in ("7", "-7"))
    found = by_kind(of_result(result(settled=[order(executions=[fill, back])])))
    assert found[Kind.FILLS].body == "BUY Yes will-x-happen: 7 at 0.41 = $2.87"
    assert found[Kind.FAILURES].severity == "failure"


def test_an_order_that_nobody_answered_makes_the_digest_a_warning() -> None:
    told = result(order(0, "UNCONFIRMED"))
    told["totals"]["unconfirmed"] = 1
    digest = by_kind(of_result(told))[Kind.DIGEST]
    assert (digest.title, digest.severity) == ("june (paper): 1 unconfirmed", "warning")


def test_the_digest_tells_what_came_of_it() -> None:
    markets = [
        {"size": "100", "costBasis": "41", "unrealised": "-1.005"},
        {"size": "5", "costBasis": "2.5", "unrealised": None},
        {"size": "0", "costBasis": "0", "unrealised": "7"},
    ]
    moved = {name: value for name, value in order(7).items() if name not in ("line", "outcome", "reason")}
    told = result(order(0), denied(1), markets=markets, settled=[moved])
    digest = by_kind(of_result(told))[Kind.DIGEST]
    assert digest.title == "june (paper): 1 filled, 1 refused"
    assert digest.body.splitlines() == [
        "traded $41.00, fees $1.20",
        "1 earlier order moved",
        "held there: cost $43.50, unrealised -$1.00",
        "refused: BELOW_MINIMUM_SIZE 1",
    ]


def test_positions_that_were_settled_are_told_in_the_digest() -> None:
    ended = [{"cash": "100"}, {"cash": "-0.5"}]
    (digest,) = of_result({"mode": "paper", "settlements": ended, "totals": {"settlements": 2}})
    assert (digest.kind, digest.title) == (Kind.DIGEST, "maintain (paper): positions settled")
    assert digest.body == "2 positions settled for $99.50"


def test_a_run_that_did_nothing_is_no_news() -> None:
    assert of_result(result()) == []


def test_a_tripped_limit_is_one_piece_of_news_and_no_refusals() -> None:
    orders = [denied(number, "DRAWDOWN_LIMIT", "drawdown=12 max=10") for number in range(3)]
    found = by_kind(of_result(result(*orders)))
    assert set(found) == {Kind.TRIPS, Kind.DIGEST}
    assert found[Kind.TRIPS].title == "june: trading stopped; 3 orders held back"
    assert found[Kind.TRIPS].body.startswith("DRAWDOWN_LIMIT: drawdown=12 max=10\n")
    assert of_trip("DAILY_LOSS", "", name="maintain").title == "maintain: trading stopped"


def test_a_failure_is_told_with_its_reason() -> None:
    assert of_failure("june", "the venue gave no answer\nin 10 s") == Notice(
        kind=Kind.FAILURES, title="june: failed", body="the venue gave no answer\nin 10 s", severity="failure"
    )
    assert of_failure("june", "").body == "no reason was given"


def test_it_fits_a_phone() -> None:
    many = [order(number, marketId="x" * 300, outcome="y" * 300) for number in range(20)]
    for notice in of_result(result(*many, *[denied(n, reason="z" * 500) for n in range(9)]), name="n" * 255):
        assert len(notice.title) <= TITLE_LENGTH_MAX
        lines = notice.body.splitlines()
        assert len(lines) <= LINES_MAX + 1
        assert max(map(len, lines)) <= LINE_LENGTH_MAX
    assert "… and 14 more" in by_kind(of_result(result(*many)))[Kind.FILLS].body


@pytest.mark.parametrize("kind", Kind)
def test_only_what_is_wanted_is_sent(kind: Kind) -> None:
    phone = Phone()
    notices = [*of_result(result(order(0), denied(1))), of_failure("july", "x"), of_trip("a", "b", name="c")]
    tell(phone, notices, wanted=[kind.value])
    (wanted,) = [notice for notice in notices if notice.kind is kind]
    assert phone.heard == [(wanted.title, wanted.body, wanted.severity)]


def test_the_gravest_comes_first() -> None:
    phone = Phone()
    notices = [*of_result(result(order(0), denied(1))), of_failure("july", "x")]
    tell(phone, notices, wanted=[kind.value for kind in Kind])
    assert [severity for _, _, severity in phone.heard] == ["failure", "warning", "warning", "success"]
