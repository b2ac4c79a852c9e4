"""Faults can be told to a user in one message."""

import pytest

from betteroms.domain import errors
from betteroms.domain.errors import (
    Ambiguous,
    ApprovalMismatch,
    BetterOmsError,
    CredentialsUnusable,
    ExtraMissing,
    InexactAmount,
    LedgerBehindVenue,
    NotFound,
    NotificationFailed,
    PlanInvalid,
    SandboxUnusable,
    SettingsInvalid,
    VenueUnfit,
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


def test_an_approval_that_no_longer_holds_names_every_difference() -> None:
    raised = ApprovalMismatch("preview.json no longer holds", ["cash: 1000 then, 990 now", "one order more"])
    assert str(raised) == "preview.json no longer holds"
    assert raised.problems == ("cash: 1000 then, 990 now", "one order more")


def test_a_missing_extra_says_how_to_get_it() -> None:
    raised = ExtraMissing("plots", "pictures need matplotlib")
    assert raised.extra == "plots"
    assert str(raised) == "pictures need matplotlib: pip install 'betteroms[plots]'"


def test_a_message_that_was_not_sent_names_each_service() -> None:
    raised = NotificationFailed(["tgram://…: refused", "mailto://…: no answer"])
    assert raised.problems == ("tgram://…: refused", "mailto://…: no answer")
    assert str(raised) == "tgram://…: refused\nmailto://…: no answer"


def test_a_sandbox_that_cannot_start_names_every_reason() -> None:
    raised = SandboxUnusable(["faults.json: is no JSON", "books: no market is recorded there"])
    assert raised.problems == ("faults.json: is no JSON", "books: no market is recorded there")
    assert str(raised) == "faults.json: is no JSON\nbooks: no market is recorded there"


def test_credentials_that_do_not_do_say_what_there_is_to_choose_from() -> None:
    assert CredentialsUnusable("no key").problems == ()
    raised = CredentialsUnusable("which wallet is it?", ["0xa1: proxy", "0xa2: safe"])
    assert str(raised) == "which wallet is it?"
    assert raised.problems == ("0xa1: proxy", "0xa2: safe")


def test_a_ledger_behind_the_venue_names_every_order_that_it_does_not_know() -> None:
    raised = LedgerBehindVenue("the venue knows more", ["order 0x01", "trade t-1"])
    assert str(raised) == "the venue knows more"
    assert raised.problems == ("order 0x01", "trade t-1")


def test_a_venue_that_does_not_do_is_told_with_every_reason() -> None:
    raised = VenueUnfit(["our clock is 9 s ahead", "its protocol is version 3"])
    assert raised.problems == ("our clock is 9 s ahead", "its protocol is version 3")
    assert str(raised) == "our clock is 9 s ahead\nits protocol is version 3"


def test_every_fault_is_one_a_user_can_be_told_about() -> None:
    faults = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == errors.__name__
    ]
    assert len(faults) >= 10
    assert all(issubclass(fault, BetterOmsError) for fault in faults)
    assert issubclass(InexactAmount, ValueError)
