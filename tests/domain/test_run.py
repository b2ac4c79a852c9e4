"""A plan is carried out once in each mode, and under one content."""

import re
from collections.abc import Sequence

import pytest

from betteroms.domain.errors import PlanAlreadyRun, PlanChanged
from betteroms.domain.run import EarlierRun, RunStatus, refuse_repetition
from betteroms.domain.terms import Mode
from tests.domain.examples import NOW


def ask(status: RunStatus, content_hash: str | None, *, differing: Sequence[str] = ()) -> None:
    """Take up a plan again that was started with the content `c0ffee`."""
    earlier = EarlierRun(status=status, content_hash="c0ffee", attempt=1, started_at=NOW)
    refuse_repetition(earlier, plan_id="dip", mode=Mode.PAPER, content_hash=content_hash, differing=differing)


def test_a_plan_that_never_ran_may_run() -> None:
    refuse_repetition(None, plan_id="dip", mode=Mode.PAPER, content_hash="c0ffee")


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.RUNNING])
def test_a_plan_that_did_not_end_well_may_be_taken_up_again(status: RunStatus) -> None:
    ask(status, "c0ffee")


def test_a_plan_that_was_completed_is_not_run_again() -> None:
    with pytest.raises(PlanAlreadyRun) as refusal:
        ask(RunStatus.COMPLETED, "c0ffee")
    assert str(refusal.value) == (
        "planId already exists: dip was completed in mode paper, started 2026-11-20T12:00:00Z"
    )


def test_a_plan_that_was_given_up_is_never_taken_up_again() -> None:
    with pytest.raises(PlanAlreadyRun, match=r"failed, and was given up when its period was over$"):
        ask(RunStatus.ABANDONED, "c0ffee")


@pytest.mark.parametrize("status", RunStatus)
@pytest.mark.parametrize("content_hash", ["decaf", None])
def test_a_plan_that_changed_needs_a_name_of_its_own(status: RunStatus, content_hash: str | None) -> None:
    with pytest.raises(PlanChanged) as refusal:
        ask(status, content_hash)
    assert str(refusal.value) == (
        "planId already exists: dip was started in mode paper at 2026-11-20T12:00:00Z with other content: "
        f"it differs (contentHash c0ffee, now {content_hash or 'none'}); "
        "give the changed plan a planId of its own"
    )


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (["defaults.maxOrders"], "it differs at defaults.maxOrders (contentHash"),
        (list("abcde"), "it differs at a, b, c, d, e (contentHash"),
        (list("abcdefg"), "it differs at a, b, c, d, e and 2 more (contentHash"),
    ],
)
def test_the_first_places_at_which_it_changed_are_named(places: list[str], told: str) -> None:
    with pytest.raises(PlanChanged, match=re.escape(told)):
        ask(RunStatus.FAILED, "decaf", differing=places)
