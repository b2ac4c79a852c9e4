"""Faults can be told to a user in one message."""

import pytest

from betteroms.domain import errors
from betteroms.domain.errors import (
    Ambiguous,
    BetterOmsError,
    InexactAmount,
    NotFound,
    PlanInvalid,
    SettingsInvalid,
)


@pytest.mark.parametrize("fault", [PlanInvalid, SettingsInvalid, NotFound])
def test_every_complaint_is_told_at_once(fault: type[PlanInvalid | SettingsInvalid | NotFound]) -> None:
    raised = fault(["price: 1.2 is not between 0 and 1", "size: 0 is not positive"])
    assert raised.problems == ("price: 1.2 is not between 0 and 1", "size: 0 is not positive")
    assert str(raised) == "price: 1.2 is not between 0 and 1\nsize: 0 is not positive"


def test_a_short_name_that_fits_several_things_names_them() -> None:
    raised = Ambiguous("3f1c fits two orders", ["3f1c3f5e", "3f1c99aa"])
    assert str(raised) == "3f1c fits two orders"
    assert raised.problems == ("3f1c3f5e", "3f1c99aa")


def test_every_fault_is_one_a_user_can_be_told_about() -> None:
    faults = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == errors.__name__
    ]
    assert len(faults) >= 10
    assert all(issubclass(fault, BetterOmsError) for fault in faults)
    assert issubclass(InexactAmount, ValueError)
