"""The promises of every ledger about runs that were broken off, given up, or are not of a plan at all."""

from dataclasses import replace

import pytest

from betteroms.domain.ids import run_id
from betteroms.domain.order import OrderStatus
from betteroms.domain.run import INTERRUPTED, RunStatus
from betteroms.domain.terms import Mode
from tests.contracts.builders import (
    NOON,
    SUMMARY,
    a_deposit,
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    give_up,
    order_of,
    whole_snapshot,
)
from tests.contracts.fact_builders import LATER, held, rule_set
from tests.contracts.ledgers import Installation, MakeLedger, RunSeen
from tests.contracts.postgres_installation import PostgresReader
from tests.domain.examples import usdc


def of_every_end(at: Installation) -> dict[RunStatus, RunSeen]:
    """A run of each status, by status; the process that ran the running one is dead."""
    finish(at.ledger, begin(at.ledger, a_run("completed")))
    give_up(at.ledger, begin(at.ledger, a_run("failed")))
    give_up(at.ledger, begin(at.ledger, a_run("abandoned")))
    at.ledger.abandon_run(a_run("abandoned").run_id, at=NOON + LATER)
    begin(at.ledger, a_run("running"))
    at.die()
    return {seen.status: seen for seen in at.reader.runs()}


def test_only_what_still_says_that_it_runs_is_ended_as_interrupted(installation: Installation) -> None:
    before = of_every_end(installation)
    assert set(before) == set(RunStatus)
    ended = installation.ledger.end_interrupted(NOON + LATER)
    assert list(ended) == [before[RunStatus.RUNNING].run_id]
    after = {seen.run_id: seen for seen in installation.reader.runs()}
    for status, seen in before.items():
        if status is RunStatus.RUNNING:
            failed = replace(seen, status=RunStatus.FAILED, error=INTERRUPTED, completed_at=NOON + LATER)
            assert after[seen.run_id] == failed
        else:
            assert after[seen.run_id] == seen
    assert list(installation.ledger.end_interrupted(NOON + 2 * LATER)) == []
    assert {seen.run_id: seen for seen in installation.reader.runs()} == after


def test_every_mode_and_kind_of_run_can_have_been_interrupted(installation: Installation) -> None:
    interrupted = set()
    for run in (a_run(), a_run(mode=Mode.LIVE), a_run(None), a_run(None, mode=Mode.SHADOW)):
        interrupted.add(begin(installation.ledger, run).run_id)
        installation.die()
    assert set(installation.ledger.end_interrupted(NOON)) == interrupted
    assert {seen.status for seen in installation.reader.runs()} == {RunStatus.FAILED}


def test_a_run_never_ends_before_it_began_whatever_the_clock_says(installation: Installation) -> None:
    begin(installation.ledger, a_run("running", at=NOON + LATER))
    installation.die()
    installation.ledger.end_interrupted(NOON)
    give_up(installation.ledger, begin(installation.ledger, a_run("failed", at=NOON + LATER)))
    installation.ledger.abandon_run(a_run("failed").run_id, at=NOON)
    ends = {seen.plan_id: seen.completed_at for seen in installation.reader.runs()}
    assert ends == {"running": NOON + LATER, "failed": NOON + LATER}


def test_what_an_interrupted_run_had_pending_stays_lost_and_it_can_be_taken_up_again(
    installation: Installation,
) -> None:
    run = begin(installation.ledger, a_run())
    order = order_of(run)
    installation.ledger.record([order], [], sends_out=False)
    installation.ledger.apply([accepted(order), filled(order, fill(order, "100", "0.5"), complete=True)])
    installation.ledger.note([rule_set()])
    installation.die()
    installation.ledger.end_interrupted(NOON + LATER)
    reader = installation.reader
    assert [*reader.orders(), *reader.executions(), *reader.positions(), *reader.facts()] == []
    again = begin(installation.ledger, a_run(at=NOON + 2 * LATER))
    assert (again.run_id, again.attempt) == (run.run_id, 2)
    installation.ledger.record([order], [], sends_out=False)
    finish(installation.ledger, again)
    assert [kept.status for kept in reader.orders()] == [OrderStatus.NEW]
    [seen] = reader.runs()
    assert (seen.status, seen.error) == (RunStatus.COMPLETED, None)


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.ABANDONED])
def test_only_a_failed_run_is_abandoned(installation: Installation, status: RunStatus) -> None:
    before = of_every_end(installation)
    installation.ledger.abandon_run(before[status].run_id, at=NOON + 2 * LATER)
    assert {seen.status: seen for seen in installation.reader.runs()} == before


def test_an_abandoned_run_keeps_its_error_and_what_it_wrote(installation: Installation) -> None:
    run = begin(installation.ledger, a_run(mode=Mode.LIVE))
    order = order_of(run, sending_at=NOON)
    installation.ledger.record([order], [], sends_out=True)
    give_up(installation.ledger, run, "the venue is silent")
    installation.ledger.abandon_run(run.run_id, at=NOON + LATER)
    [seen] = installation.reader.runs()
    assert (seen.status, seen.error) == (RunStatus.ABANDONED, "the venue is silent")
    assert seen.completed_at == NOON + LATER
    assert installation.reader.orders() == [order]
    found = installation.ledger.find_run(Mode.LIVE, "june")
    assert found is not None
    assert found.status is RunStatus.ABANDONED


def test_ending_and_abandoning_happen_beside_a_run_that_is_open(installation: Installation) -> None:
    give_up(installation.ledger, begin(installation.ledger, a_run("failed")))
    run = begin(installation.ledger, a_run("open"))
    order = order_of(run)
    installation.ledger.record([order], [], sends_out=False)
    installation.ledger.abandon_run(a_run("failed").run_id, at=NOON + LATER)
    assert installation.reader.orders() == []
    finish(installation.ledger, run)
    assert installation.reader.orders() == [order]
    statuses = {seen.plan_id: seen.status for seen in installation.reader.runs()}
    assert statuses == {"failed": RunStatus.ABANDONED, "open": RunStatus.COMPLETED}


@pytest.mark.parametrize("kind", ["run", "maintain", "rules", "risk"])
def test_a_run_without_a_plan_is_kept_under_its_kind(installation: Installation, kind: str) -> None:
    run = a_run(None, kind=kind, run_id=run_id(Mode.PAPER, kind, NOON.isoformat()))
    opened = begin(installation.ledger, run)
    installation.ledger.note([rule_set()])
    finish(installation.ledger, opened)
    [seen] = installation.reader.runs()
    assert (seen.kind, seen.plan_id, seen.content_hash) == (kind, None, None)
    assert (seen.status, seen.attempt, seen.summary) == (RunStatus.COMPLETED, 1, SUMMARY)
    assert installation.reader.facts() == [rule_set()]


def test_kinds_of_one_moment_are_runs_of_their_own(installation: Installation) -> None:
    held(installation)
    for kind in ("run", "maintain"):
        run = a_run(None, kind=kind, run_id=run_id(Mode.PAPER, kind, NOON.isoformat()))
        finish(installation.ledger, begin(installation.ledger, run))
    assert sorted(seen.kind for seen in installation.reader.runs()) == ["maintain", "run", "trade"]
    assert installation.reader.entries() == [a_deposit()]
    assert whole_snapshot(installation.ledger).account.cash == usdc("959.5")


def test_a_maintain_of_the_same_moment_goes_on_as_its_next_attempt(installation: Installation) -> None:
    for attempt, end in ((1, finish), (2, give_up), (3, finish)):
        run = begin(installation.ledger, a_run(None))
        assert run.attempt == attempt
        end(installation.ledger, run)
    [seen] = installation.reader.runs()
    assert (seen.status, seen.attempt, seen.error) == (RunStatus.COMPLETED, 3, None)


def test_runs_that_were_ended_or_given_up_say_so_in_the_audit(make_postgres_ledger: MakeLedger) -> None:
    at = make_postgres_ledger()
    begin(at.ledger, a_run("june"))
    at.die()
    at.ledger.end_interrupted(NOON + LATER)
    at.ledger.abandon_run(a_run("june").run_id, at=NOON + LATER)
    at.ledger.abandon_run(a_run("june").run_id, at=NOON + LATER)
    assert isinstance(at.reader, PostgresReader)
    events = [event for event, kind, _ in at.reader.audit() if kind == "run"]
    assert events == ["run_started", "run_failed", "run_abandoned"]
