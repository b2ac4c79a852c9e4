"""Scripts are read whole, or refused with everything that is wrong with them."""

import json
from typing import Any

import pytest

from betteroms.sandbox.life.script import FIELDS, BadLifeScript, Script, parse
from tests.sandbox.life.scene import market

RAIN = market("will-it-rain")
MARKETS = {RAIN.condition_id: RAIN}


def read(*steps: Any) -> Script:
    return parse(json.dumps({"steps": list(steps)}), MARKETS)


def complaints(*steps: Any) -> tuple[str, ...]:
    with pytest.raises(BadLifeScript) as caught:
        read(*steps)
    return caught.value.complaints


@pytest.mark.parametrize(
    ("at", "milliseconds"),
    [("+250ms", 250), ("+5s", 5_000), ("+2m", 120_000), ("+1h", 3_600_000), (7, 7), (0, 0)],
)
def test_moments_count_from_the_beginning(at: str | int, milliseconds: int) -> None:
    (step,) = read({"at": at, "do": "close", "market": "will-it-rain"}).steps
    assert step.at_ms == milliseconds


def test_names_become_condition_ids_and_indexes_and_amounts_become_millionths() -> None:
    (step,) = read(
        {
            "at": "+1s",
            "do": "quote",
            "market": "will-it-rain",
            "outcome": "No",
            "side": "BUY",
            "price": "0.52",
            "size": "12.5",
        }
    ).steps
    assert step.values == {
        "market": RAIN.condition_id,
        "outcome": 1,
        "side": "BUY",
        "price": 520_000,
        "size": 12_500_000,
        "by": "maker",
    }


def test_a_market_can_be_named_by_its_condition_id_and_the_first_outcome_left_out() -> None:
    (step,) = read(
        {"at": 0, "do": "take", "market": RAIN.condition_id, "side": "SELL", "size": "5", "by": "fish"}
    ).steps
    assert (step.values["outcome"], step.values["price"], step.values["by"]) == (0, None, "fish")


def test_every_kind_of_step_can_be_read() -> None:
    address = "0x" + "Ab" * 20
    of: dict[str, Any] = {"market": "will-it-rain"}
    steps: list[dict[str, Any]] = [
        {"do": "quote", **of, "side": "BUY", "price": "0.5", "size": "10"},
        {"do": "take", **of, "side": "SELL", "size": "10", "price": "0.5"},
        {"do": "cancel", **of},
        {"do": "move", **of, "price": "0.6", "levels": 2, "size": "50"},
        {"do": "tick", **of, "tick": "0.001"},
        {"do": "fund", "wallet": address, "dollars": "100"},
        {"do": "fund", "wallet": address, "sets": "10", **of},
        {"do": "start_game", **of},
        {"do": "close", **of},
        {"do": "resolve", **of, "outcome": "Yes"},
        {"do": "resolve", **of, "payouts": ["0.5", "0.5"]},
        {"do": "settle", "next": 2},
        {"do": "settle", "order": "0x12", "statuses": ["RETRYING", "MINED", "CONFIRMED"]},
        {"do": "settle", "trade": "an-id", "statuses": ["FAILED"]},
    ]
    script = read(*({"at": 0, **step} for step in steps))
    assert {step.do for step in script.steps} == set(FIELDS)
    assert script.steps[5].values["wallet"] == address.lower()


def test_all_complaints_come_at_once_each_with_its_place() -> None:
    found = complaints(
        {
            "at": "soon",
            "do": "quote",
            "market": "will-it-rain",
            "side": "HOLD",
            "price": "1",
            "size": "0.001",
        },
        {"at": 0, "do": "dance"},
        "quote",
        {"at": 0, "do": "close", "market": "will-it-hail", "loudly": True},
        {"at": 0, "do": "close"},
    )
    assert [complaint.split(": ")[0] for complaint in found] == [
        "steps[0].at",
        "steps[0].side",
        "steps[0].price",
        "steps[0].size",
        "steps[1].do",
        "steps[2]",
        "steps[3].loudly",
        "steps[4].market",
    ]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"do": "close", "market": "will-it-hail"}, "market: 'will-it-hail' is not a market of this venue"),
        ({"do": "resolve", "market": "will-it-rain"}, "outcome: resolve needs either it or payouts"),
        (
            {"do": "resolve", "market": "will-it-rain", "outcome": "Maybe"},
            "outcome: 'Maybe' is none of Yes, No",
        ),
        (
            {"do": "resolve", "market": "will-it-rain", "payouts": ["0.5", "0.4"]},
            "payouts: ['0.5', '0.4'] do not add up to 1",
        ),
        ({"do": "fund", "wallet": "0x1", "dollars": "1"}, "wallet: '0x1' is not an address"),
        ({"do": "fund", "wallet": "0x" + "0" * 40}, "dollars: fund needs them or sets"),
        (
            {"do": "fund", "wallet": "0x" + "0" * 40, "sets": "1"},
            "sets: sets and market go together",
        ),
        ({"do": "settle"}, "trade: settle needs one of trade, order, next"),
        ({"do": "settle", "order": "0x12"}, "statuses: go with a trade or an order, and not with next"),
        (
            {"do": "settle", "order": "0x12", "statuses": ["MINED", "RETRYING"]},
            "statuses: ['MINED', 'RETRYING'] is not RETRYING some times, then MINED, MINED and CONFIRMED, "
            "or FAILED",
        ),
        (
            {"do": "tick", "market": "will-it-rain", "tick": "0.02"},
            "tick: '0.02' is none of 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001",
        ),
        (
            {"do": "move", "market": "will-it-rain", "price": "0.5", "levels": 0},
            "levels: 0 is not a whole number within 1 and 50",
        ),
    ],
)
def test_what_does_not_fit_is_said(step: dict[str, Any], words: str) -> None:
    assert complaints({"at": 0, **step}) == (f"steps[0].{words}",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"steps": {}}', '{"steps": [], "more": 1}'])
def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(BadLifeScript):
        parse(text, MARKETS)
