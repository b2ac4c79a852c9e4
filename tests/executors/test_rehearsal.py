"""In a rehearsal paper stands in for live: for what is new, and for nothing that lives at the venue."""

from dataclasses import replace

from betteroms.domain.intent import Cancel
from betteroms.domain.order import Accepted, Canceled, OrderStatus
from betteroms.executors.rehearsal import RehearsalExecutor
from tests.domain.examples import an_intent, an_order
from tests.executors.test_paper import paper


def rehearsal() -> RehearsalExecutor:
    return RehearsalExecutor(paper())


def test_new_orders_go_as_on_paper_and_get_no_name() -> None:
    order = an_order(an_intent(at="0.40"), status=OrderStatus.NEW)
    executor = rehearsal()
    assert not executor.sends_out
    assert executor.prepare([order]) == [order]
    events = [event for batch in executor.submit([order]) for event in batch]
    assert [type(event) for event in events] == [Accepted]
    assert events == [event for batch in paper().submit([order]) for event in batch]


def test_nothing_is_made_up_about_orders_that_live_at_the_venue() -> None:
    """Even one that today's book would fill: only the venue knows."""
    resting = an_order(an_intent(at="0.60"), status=OrderStatus.OPEN)
    assert list(rehearsal().poll([resting])) == []


def test_a_cancel_ends_what_is_known_to_rest_and_leaves_what_is_not_known() -> None:
    resting = an_order(an_intent(at="0.40"), status=OrderStatus.OPEN)
    unknown = replace(resting, status=OrderStatus.UNCONFIRMED)
    name = resting.order_id
    cancel = Cancel(order_id=name, reason="OPERATOR")
    [told] = rehearsal().cancel([cancel], {name: resting})
    assert isinstance(told, Canceled)
    assert told.code == "OPERATOR"
    assert rehearsal().cancel([cancel], {name: unknown}) == []
