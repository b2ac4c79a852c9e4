"""What every screen is made of: money, times, ids and tables for people."""

import pytest

from betteroms.cli import render
from betteroms.cli.orders import Status


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1190.47", "1,190.47"), ("0.5", "0.50"), ("100", "100"), ("0.000001", "0.000001"), (None, "–")],
)
def test_numbers_are_exact(value: str | None, shown: str) -> None:
    assert render.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1234.5", "$1,234.50"), ("-0.000001", "-$0.000001"), ("0", "$0.00"), ("7", "$7.00"), (None, "–")],
)
def test_dollars_are_exact_and_have_their_sign_in_front(value: str | None, shown: str) -> None:
    assert render.dollars(value) == shown


def test_cents_round_halves_to_even() -> None:
    assert [render.cents(value) for value in ("0.005", "0.015", "-1234.567", None)] == [
        "0.00",
        "0.02",
        "-1,234.57",
        "–",
    ]


def test_averages_have_four_decimals_at_most() -> None:
    assert [render.average(value) for value in ("0.433333", "0.5", None)] == ["0.4333", "0.50", "–"]


def test_gains_are_green_and_losses_red() -> None:
    assert [render.gain(value).style for value in ("0.01", "-0.01", "0", None)] == ["green", "red", "", ""]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_800, "2 d"),
        (None, "–"),
    ],
)
def test_ages_are_told_in_the_unit_that_says_it_best(seconds: int | None, shown: str) -> None:
    assert render.age(seconds) == shown


def test_long_names_are_cut_in_the_middle() -> None:
    assert render.middle("abcdefghij", 10) == "abcdefghij"
    assert render.middle("abcdefghijk", 7) == "abc…ijk"
    assert (
        render.token("71321045679252212594626385532706912750332728571942532289631379312455583992563")
        == "71321…92563"
    )


def test_a_market_without_a_slug_shows_both_ends_of_its_id() -> None:
    assert render.market("0x" + "ab" * 32) == "0xababab…babababab"
    assert render.market("will-it-rain") == "will-it-rain"


def test_ids_are_cut_as_far_as_they_stay_different() -> None:
    assert render.short_ids(["aaaaaaaa-1", "bbbbbbbb-1"]) == ["aaaaaaaa", "bbbbbbbb"]
    assert render.short_ids(["aaaaaaaa-1", "aaaaaaaa-2"]) == ["aaaaaaaa-1", "aaaaaaaa-2"]
    assert render.short_ids(["aaaaaaaa-1", "aaaaaaaa-1"]) == ["aaaaaaaa", "aaaaaaaa"]


def test_the_statuses_one_can_ask_for_are_those_that_are_shown() -> None:
    assert [status.value for status in Status] == list(render.STATUS_WORDS.values())


def test_a_table_too_wide_for_the_screen_is_cut_where_it_may_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    rows = [["a-market-with-a-long-name-of-its-own", "1,234.56"], ["b", "7"]]
    render.show(render.table(render.columns("~market", ">cost"), rows, totals=("total", "1,241.56")))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "market                              cost",
        "────────────────────────────────────────",
        "a-market-with-…name-of-its-own  1,234.56",
        "b                                      7",
        "────────────────────────────────────────",
        "total                           1,241.56",
    ]


def test_words_are_never_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    render.show(render.table(render.columns("notes"), [["[red]not red[/red] :smile: \x1b[2J"]]))
    assert "[red]not red[/red] :smile: \ufffd[2J" in capsys.readouterr().out
