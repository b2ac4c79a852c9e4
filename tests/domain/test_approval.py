"""How far an approval goes, and when nothing is left to do about it."""

import pytest

from betteroms.domain.approval import (
    ALL_SHARES,
    NOTHING,
    PLENTY,
    UNLIMITED,
    Approval,
    Holds,
    Standing,
    wanted,
)

TEN_DOLLARS = 10_000_000


def approval(holds: Holds = Holds.DOLLARS) -> Approval:
    return Approval(holds=holds, token="0xc011", spender="0xe111", reason="orders", trading=True)


@pytest.mark.parametrize(
    ("granted", "aim", "met"),
    [
        (TEN_DOLLARS, TEN_DOLLARS, True),
        (TEN_DOLLARS + 1, TEN_DOLLARS, False),
        (UNLIMITED, TEN_DOLLARS, False),
        (UNLIMITED, UNLIMITED, True),
        (PLENTY, UNLIMITED, True),
        (PLENTY - 1, UNLIMITED, False),
        (TEN_DOLLARS, NOTHING, False),
        (NOTHING, NOTHING, True),
    ],
)
def test_an_amount_is_met_exactly_and_no_limit_by_any_huge_one(granted: int, aim: int, met: bool) -> None:
    assert Standing(approval=approval(), granted=granted, wanted=aim).is_met is met


@pytest.mark.parametrize(
    ("holds", "dollars", "aim"),
    [
        (Holds.DOLLARS, TEN_DOLLARS, TEN_DOLLARS),
        (Holds.DOLLARS, UNLIMITED, UNLIMITED),
        (Holds.DOLLARS, None, NOTHING),
        (Holds.SHARES, TEN_DOLLARS, ALL_SHARES),
        (Holds.SHARES, None, NOTHING),
    ],
)
def test_shares_are_approved_all_or_none_and_dollars_by_amount(
    holds: Holds, dollars: int | None, aim: int
) -> None:
    assert wanted(approval(holds), dollars) == aim
