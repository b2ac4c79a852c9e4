"""The promises of every ledger about orders that leave the process: what lasts, and what must not."""

from dataclasses import replace

import pytest

from betteroms.domain.order import (
    ALIVE,
    Canceled,
    Denial,
    Denied,
    Expired,
    ImpossibleTransition,
    Order,
    OrderEvent,
    OrderStatus,
    Rejected,
    Sending,
    Unconfirmed,
)
from betteroms.domain.secret import Secret
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from tests.contracts.builders import (
    MARKETS,
    NOON,
    RAIN,
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    give_up,
    whole_snapshot,
)
from tests.contracts.ledgers import Installation
from tests.contracts.live_builders import LATER, SOON, live_run, named, names, now, seen, three
from tests.domain.examples import usdc

S = OrderStatus


def test_what_leaves_is_on_the_disk_before_it_leaves(installation: Installation) -> None:
    orders = three(live_run(installation))
    installation.ledger.record(orders, [], sends_out=True)
    installation.die()
    assert list(seen(installation).values()) == orders


def test_a_crash_before_the_first_answer_leaves_what_was_sent_apart_from_what_was_not(
    installation: Installation,
) -> None:
    orders = three(live_run(installation))
    installation.ledger.record(orders, [], sends_out=True)
    installation.die()
    snapshot = now(installation, *orders)
    # DECISIONS 7.2: only what is marked may have left.
    assert [o.sending_at for o in snapshot.known.values()] == [NOON, None, None]
    assert {o.status for o in snapshot.open_orders} == {S.NEW}
    assert snapshot.account.reserved_cash == usdc("150")


def test_answers_and_the_mark_of_the_next_batch_are_one_thing(installation: Installation) -> None:
    run = live_run(installation)
    orders = three(run)
    installation.ledger.record(orders, [], sends_out=True)
    answers: list[OrderEvent] = [
        accepted(orders[0]),
        Sending(order_id=orders[1].order_id, at=NOON + SOON),
    ]
    installation.ledger.apply(answers)
    installation.die()
    found = seen(installation)
    assert [found[line].status for line in range(3)] == [S.OPEN, S.NEW, S.NEW]
    assert [found[line].sending_at for line in range(3)] == [NOON, NOON + SOON, None]
    assert names(installation) == ["Accepted", "Sending"]


def test_where_an_answer_cannot_be_booked_nothing_is_marked_as_being_sent(installation: Installation) -> None:
    orders = three(live_run(installation))
    installation.ledger.record(orders, [], sends_out=True)
    impossible = Expired(order_id=orders[0].order_id, at=NOON)
    with pytest.raises(ImpossibleTransition):
        installation.ledger.apply([Sending(order_id=orders[1].order_id, at=NOON), impossible])
    installation.die()
    assert list(seen(installation).values()) == orders
    assert names(installation) == []


def test_news_of_orders_that_left_are_kept_before_anything_new_is_written_down(
    installation: Installation,
) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    finish(installation.ledger, run)
    live_run(installation, "july", hours=1)
    # Settling comes first in a run: nothing was recorded yet, and what it was told must last all the same.
    installation.ledger.apply([accepted(order)], sends_out=True)
    installation.ledger.note([Proven(wallet="0xa", domain="ctf", at=NOON)])
    installation.die()
    assert seen(installation)[0].status is S.OPEN
    assert installation.ledger.proven("0xa") == {"ctf"}


def test_a_run_that_fails_keeps_what_it_was_told_of_orders_that_left(installation: Installation) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    installation.ledger.apply([Unconfirmed(order_id=order.order_id, at=NOON, reason="no answer in 10 s")])
    give_up(installation.ledger, run)
    assert seen(installation)[0].status is S.UNCONFIRMED


def test_signed_bytes_come_back_with_what_is_alive_and_with_what_is_asked_for(
    installation: Installation,
) -> None:
    run = live_run(installation)
    orders = [named(run, line, on=market) for line, market in enumerate(MARKETS)]
    installation.ledger.record(orders, [], sends_out=True)
    finish(installation.ledger, run)
    installation.die()
    snapshot = installation.ledger.snapshot(Mode.LIVE, markets=[RAIN.market_id], orders=[orders[1].order_id])
    assert [order.signed for order in snapshot.open_orders] == [Secret("signed 0")]
    assert snapshot.known[orders[1].order_id].signed == Secret("signed 1")
    assert installation.ledger.known_as([orders[1].external_order_id or "", "0xnobody"]) == {
        orders[1].external_order_id: orders[1]
    }


def test_an_order_keeps_its_signed_bytes_through_news_of_a_later_run(installation: Installation) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    finish(installation.ledger, run)
    installation.die()
    run = live_run(installation, None, hours=1)
    [moved] = installation.ledger.apply([accepted(order)], sends_out=True)
    finish(installation.ledger, run)
    assert moved.signed == order.signed
    assert now(installation).open_orders[0].signed == order.signed


def ends(order: Order) -> dict[str, list[OrderEvent]]:
    """Every way in which an order ends, by name."""
    name = order.order_id
    whole = filled(order, fill(order, "100", "0.50", external_execution_id="trade-1"), complete=True)
    return {
        "denied": [Denied(order_id=name, at=NOON, denial=Denial(code="LIVE_OFF"))],
        "rejected": [Rejected(order_id=name, at=NOON, code="VENUE_REFUSED", reason="no")],
        "canceled": [accepted(order), Canceled(order_id=name, at=NOON, code="FAK_NO_MATCH")],
        "expired": [accepted(order), Expired(order_id=name, at=NOON)],
        "filled": [accepted(order), whole],
    }


@pytest.mark.parametrize("end", ["denied", "rejected", "canceled", "expired", "filled"])
@pytest.mark.parametrize("later", [False, True], ids=["in its run", "in a later run"])
def test_signed_bytes_are_erased_when_the_order_ends(
    installation: Installation, end: str, later: bool
) -> None:
    run = live_run(installation)
    order, other = named(run), named(run, 1)
    installation.ledger.record([order, other], [], sends_out=True)
    if later:
        finish(installation.ledger, run)
        installation.die()
        run = live_run(installation, None, hours=1)
    installation.ledger.apply(ends(order)[end], sends_out=True)
    found = seen(installation)
    assert (found[0].status in ALIVE, found[0].signed) == (False, None)
    assert found[1].signed == other.signed
    finish(installation.ledger, run)
    assert now(installation, order).known[order.order_id].signed is None


@pytest.mark.parametrize("end", ["denied", "rejected", "canceled", "expired", "filled"])
def test_signed_bytes_of_what_ends_in_the_batch_it_was_written_in_are_never_kept(
    installation: Installation, end: str
) -> None:
    run = begin(installation.ledger, a_run(mode=Mode.SHADOW))
    order = named(run)
    installation.ledger.record([order], [], sends_out=False)
    installation.ledger.apply(ends(order)[end])
    finish(installation.ledger, run)
    assert seen(installation)[0].signed is None


def test_an_order_that_is_judged_again_is_signed_again(installation: Installation) -> None:
    run = live_run(installation)
    order = named(run)
    installation.ledger.record([order], [], sends_out=True)
    give_up(installation.ledger, run)
    again = begin(installation.ledger, run)
    whole_snapshot(installation.ledger, Mode.LIVE, orders=[order.order_id])
    anew = replace(order, external_order_id="0xanew", signed=Secret("anew"), created_at=NOON + LATER)
    installation.ledger.record([anew], [], sends_out=True)
    finish(installation.ledger, again)
    installation.die()
    assert seen(installation) == {0: anew}
    assert now(installation).open_orders == [anew]


def test_signed_bytes_show_themselves_nowhere(installation: Installation) -> None:
    run = live_run(installation)
    installation.ledger.record([named(run)], [], sends_out=True)
    finish(installation.ledger, run)
    shown = f"{now(installation)!r} {installation.reader.orders()!r} {installation.reader.events()!r}"
    assert "signed 0" not in shown
    assert "Secret(***)" in shown


def test_what_is_proven_of_a_wallet_is_remembered_domain_by_domain(installation: Installation) -> None:
    assert installation.ledger.proven("0xa") == frozenset()
    run = live_run(installation)
    told = [Proven(wallet="0xa", domain=domain, at=NOON) for domain in ("ctf", "negrisk", "ctf")]
    installation.ledger.note([*told, Proven(wallet="0xb", domain="v3", at=NOON)])
    finish(installation.ledger, run)
    installation.die()
    assert installation.ledger.proven("0xa") == {"ctf", "negrisk"}
    assert installation.ledger.proven("0xb") == {"v3"}
    run = live_run(installation, None, hours=1)
    installation.ledger.note([Proven(wallet="0xa", domain="v3", at=NOON + LATER)])
    finish(installation.ledger, run)
    assert installation.ledger.proven("0xa") == {"ctf", "negrisk", "v3"}
