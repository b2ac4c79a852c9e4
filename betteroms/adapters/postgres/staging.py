"""What a run has decided and not yet written, gathered for one bulk write."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import facts, moves, sent
from betteroms.adapters.postgres.columns import (
    AUDIT_COLUMNS,
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    document,
    execution_line,
    instant,
    order_line,
    text,
)
from betteroms.adapters.postgres.facts import rule_data
from betteroms.adapters.postgres.sent import Settlement
from betteroms.adapters.postgres.writing import (
    CopyText,
    copy_text,
    remove_unsent,
    send,
)
from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.money import to_text
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    ChainState,
    Denied,
    Expired,
    Filled,
    Order,
    OrderEvent,
    Progressed,
    Rejected,
    Reversed,
    Sending,
    Unconfirmed,
)
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry
from betteroms.domain.rule import RuleRemoved, RuleSet, event_of
from betteroms.domain.switch import Proven
from betteroms.domain.twin import Twin
from betteroms.ports import OrderBounds, RiskChanged, Run

ACTOR: Final = "operator"
RECORDED: Final = "order_recorded"
"""The audit row that an order has before anything happened to it, where it leaves the process."""
EVENT_TYPES: Final[dict[type, str]] = {
    Denied: "order_denied",
    Sending: "order_sending",
    Unconfirmed: "order_unconfirmed",
    Accepted: "order_placed",
    Rejected: "order_rejected",
    Filled: "order_filled",
    CancelRequested: "order_cancel_requested",
    Canceled: "order_canceled",
    Expired: "order_expired",
    Reversed: "order_reversed",
    Progressed: "order_progressed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Rows of a batch, formatted: those to append, and how orders and fill bounds stand now."""

    appended: Sequence[CopyText]
    moved: CopyText
    bounded: CopyText


@dataclass(slots=True)
class Batch:
    """Orders to insert and to move, executions and audit rows to append; `again` is inserted anew.

    Beside them the facts that are no orders, each in its last state.
    """

    new: dict[OrderId, Order] = field(default_factory=dict)
    moved: dict[OrderId, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    again: list[OrderId] = field(default_factory=list)
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    rules: dict[TokenId, RuleSet | RuleRemoved] = field(default_factory=dict)
    bounds: dict[OrderId, OrderBounds] = field(default_factory=dict)
    portfolios: list[PortfolioSnapshot] = field(default_factory=list)
    risk: list[RiskChanged] = field(default_factory=list)
    settlements: dict[tuple[OrderId, str], Settlement] = field(default_factory=dict)
    proven: list[Proven] = field(default_factory=list)

    def recorded(self, order: Order) -> None:
        """An order that is about to leave was written down; no event of its life, but the row's beginning."""
        sending = None if order.sending_at is None else instant(order.sending_at)
        data = document({"name": order.external_order_id, "sendingAt": sending})
        self.audit.append(
            f"{order.mode}\t{order.run_id}\t{RECORDED}\torder\t{order.order_id}\t{data}\t{ACTOR}\t"
            f"{instant(order.created_at)}"
        )

    def settle(self, order: Order, event: Filled | Progressed) -> None:
        """How far the settlement of fills has come; a new one is matched, and no more is known of it."""
        if isinstance(event, Progressed):
            told = {event.external_execution_id: (event.state, event.transaction_hash)}
        else:
            names = [fill.external_execution_id for fill in event.executions]
            told = {name: (ChainState.MATCHED, None) for name in names if name is not None}
        for name, (state, transaction) in told.items():
            self.settlements[order.order_id, name] = Settlement(
                order_id=order.order_id,
                external_execution_id=name,
                mode=order.mode,
                state=state,
                transaction_hash=transaction,
                at=event.at,
            )

    def order_event(self, order: Order, event: OrderEvent) -> None:
        """An order's event: its audit row is the only record of it."""
        self.audit.append(
            f"{order.mode}\t{order.run_id}\t{EVENT_TYPES[type(event)]}\torder\t{order.order_id}\t"
            f"{_event_data(event)}\t{ACTOR}\t{instant(event.at)}"
        )

    def run_event(self, run: Run, event_type: str, data: Mapping[str, Any]) -> None:
        self.audit.append(
            f"{run.mode}\t{run.run_id}\t{event_type}\trun\t{run.run_id}\t{document(data)}\t{ACTOR}\t"
            f"{instant(run.now)}"
        )

    def entry_event(self, entry: LedgerEntry, run: Run) -> None:
        data = document({"kind": entry.kind, "cash": to_text(entry.cash), "note": entry.note})
        self.audit.append(
            f"{entry.mode}\t{run.run_id}\tledger_entry\tentry\t{text(entry.key)}\t{data}\t{ACTOR}\t"
            f"{instant(entry.at)}"
        )

    def rule_event(self, fact: RuleSet | RuleRemoved, before: RuleSet | None, run: Run) -> None:
        if isinstance(fact, RuleRemoved):
            event, data = "rule_removed", "{}"
        else:
            event, data = event_of(before, fact) or "", rule_data(fact)
        if event:  # a price that was remembered is no event
            self.audit.append(
                f"{fact.mode}\t{run.run_id}\t{event}\trule\t{fact.token_id}\t{data}\t{ACTOR}\t"
                f"{instant(run.now)}"
            )

    def risk_event(self, changed: RiskChanged, run: Run) -> None:
        event = "risk_reset" if changed.state.tripped_at is None else "risk_tripped"
        data = document({"detail": changed.state.detail})
        self.audit.append(
            f"{changed.mode}\t{run.run_id}\t{event}\trisk\t{changed.mode}\t{data}\t{ACTOR}\t"
            f"{instant(changed.at)}"
        )

    def proven_event(self, found: Proven, run: Run) -> None:
        data = document({"domain": found.domain})
        self.audit.append(
            f"{run.mode}\t{run.run_id}\torder_id_proven\twallet\t{text(found.wallet)}\t{data}\t{ACTOR}\t"
            f"{instant(found.at)}"
        )

    def twin_event(self, twin: Twin, run: Run) -> None:
        """What paper made of an order: beside its events, and none of them."""
        data = document(
            {
                "status": twin.status,
                "code": twin.code,
                "size": to_text(twin.size),
                "cash": to_text(twin.cash),
                "fee": to_text(twin.fee),
                "fills": [[to_text(f.price), to_text(f.size), to_text(f.fee)] for f in twin.fills],
            }
        )
        self.audit.append(
            f"{twin.mode}\t{run.run_id}\torder_twinned\ttwin\t{twin.order_id}\t{data}\t{ACTOR}\t"
            f"{instant(twin.at)}"
        )

    @property
    def rows(self) -> int:
        """How many rows `texts` would be."""
        return sum(map(len, (self.new, self.executions, self.audit, self.moved, self.bounds)))

    def texts(self) -> Texts:
        """What may come by the ten thousand, ready to send."""
        return Texts(
            # Orders before the executions that refer to them.
            appended=[
                copy_text("orders", ORDER_COLUMNS, map(order_line, self.new.values())),
                copy_text("executions", EXECUTION_COLUMNS, map(execution_line, self.executions)),
                copy_text("audit_logs", AUDIT_COLUMNS, self.audit),
            ],
            moved=moves.moved_text(self.moved.values()),
            bounded=moves.bounded_text(self.bounds),
        )

    def rest(self, unwritten: Collection[OrderId]) -> "Batch":
        """Take out what waits for the end of the run; bounds, too, where their orders are `unwritten` yet."""
        late = {name: self.bounds.pop(name) for name in list(self.bounds) if name in unwritten}
        return Batch(
            rules=self.rules, portfolios=self.portfolios, risk=self.risk, proven=self.proven, bounds=late
        )

    def store(self, connection: psycopg.Connection[Any], texts: Texts) -> None:
        """Write what `rest` does not keep, in the transaction that is open; `texts` are the batch's own.

        Entries go before executions, and both before the run's end: their places in the sequence tell in
        which order they happened.
        """
        remove_unsent(connection, self.again)
        facts.enter_all(connection, list(self.entries.values()))
        send(connection, texts.appended)
        moves.write(connection, texts.moved, texts.bounded)
        sent.write(
            connection,
            new=self.new.values(),
            moved=self.moved.values(),
            settlements=self.settlements.values(),
        )

    def write(self, connection: psycopg.Connection[Any]) -> None:
        """Write it all, in the transaction that is open."""
        self.store(connection, self.texts())
        facts.write_rules(connection, [found for found in self.rules.values() if isinstance(found, RuleSet)])
        facts.remove_rules(
            connection, [found for found in self.rules.values() if isinstance(found, RuleRemoved)]
        )
        facts.write_portfolios(connection, self.portfolios)
        for changed in self.risk:
            facts.write_risk(connection, changed)
        facts.write_proven(connection, self.proven)


def _event_data(event: OrderEvent) -> str:
    if isinstance(event, Accepted | Expired | Sending):
        return "{}"
    if isinstance(event, Filled):
        # Written by hand: this is the longest loop of a run, and every value is a number or a hash.
        executions = ",".join([f"[{e.number},{e.price},{e.size},{e.fee}]" for e in event.executions])
        taken = ",".join([f"[{level.price},{level.size}]" for level in event.taken])
        complete = "true" if event.complete else "false"
        book = "null" if event.book_id is None else f'"{event.book_id}"'
        return f'{{"book":{book},"complete":{complete},"executions":[{executions}],"taken":[{taken}]}}'
    if isinstance(event, Denied):
        return document({"code": event.denial.code, "detail": event.denial.detail})
    if isinstance(event, Rejected):
        return document({"code": event.code, "reason": event.reason})
    if isinstance(event, Canceled):
        return document({"code": event.code})
    if isinstance(event, Reversed):
        return document({"executions": [execution.number for execution in event.executions]})
    if isinstance(event, Progressed):
        return document(
            {
                "execution": event.external_execution_id,
                "state": event.state,
                "transaction": event.transaction_hash,
            }
        )
    return document({"reason": event.reason})
