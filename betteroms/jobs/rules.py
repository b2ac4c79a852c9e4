"""Exit rules as the operator sees and sets them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from betteroms.domain.errors import Ambiguous, NotFound
from betteroms.domain.ids import MarketId, TokenId, rule_id
from betteroms.domain.intent import ExitRules
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import to_text
from betteroms.domain.rule import RuleOrigin, RuleRemoved, RuleSet
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.desk import Desk
from betteroms.jobs.own_run import kept, unplanned
from betteroms.ports import Catalog, Run, RunInputs, Snapshot
from betteroms.records import Records, RuleRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What rules are for: one outcome of one market. `market` is None where the ledger knew it already."""

    market_id: MarketId
    market_name: str
    token_id: TokenId
    outcome: str
    outcome_index: int
    market: Market | None = None


def listed(records: Records, mode: Mode) -> list[dict[str, Any]]:
    """Every set of exit rules with how it stands."""
    return [_told(record) for record in records.rule_sets(mode)]


def known(records: Records, mode: Mode, name: str, outcome: str | None, *, ruled: bool) -> Claim | None:
    """What is meant, if some run has read that market; None where none has.

    Without an outcome it is the one that is held, or with `ruled` the one that has rules.

    Raises:
        NotFound: the market has no such outcome, or with `ruled` no rules.
        Ambiguous: several markets or outcomes may be meant; they are named.
    """
    markets = records.markets_named(name)
    if len(markets) > 1:
        raise Ambiguous(f"{name!r} names more than one market", [market.market_id for market in markets])
    if not markets:
        return None
    market = markets[0]
    sets = {record.rules.token_id for record in records.rule_sets(mode)}
    held = {found.position.token_id for found in records.positions(mode) if found.position.size > 0}
    index = _outcome(name, outcome, market.name, market.outcomes, likely=sets if ruled else held)
    chosen = market.outcomes[index]
    if ruled and chosen.token_id not in sets:
        raise NotFound([f"{market.name} {chosen.label} has no exit rules"])
    return Claim(
        market_id=market.market_id,
        market_name=market.name,
        token_id=chosen.token_id,
        outcome=chosen.label,
        outcome_index=index,
    )


def asked(catalog: Catalog, name: str, outcome: str | None) -> Claim:
    """What is meant, from the venue.

    Raises:
        NotFound: there is no such market or outcome.
        Ambiguous: no outcome is named.
        VenueUnreachable: no usable answer.
    """
    market = catalog.markets([name]).get(name)
    if market is None:
        raise NotFound([f"unknown market {name}"])
    index = _outcome(name, outcome, market.name, market.outcomes, likely=frozenset())
    return Claim(
        market_id=market.market_id,
        market_name=market.name,
        token_id=market.outcomes[index].token_id,
        outcome=market.outcomes[index].label,
        outcome_index=index,
        market=market,
    )


def _outcome(
    name: str, outcome: str | None, market: str, outcomes: Sequence[Outcome], *, likely: Collection[TokenId]
) -> int:
    """Which outcome is meant: the one that is named, or whose token is; else the only likely one."""
    # What reads plans is heavy, and a list of rules needs none of it.
    from betteroms.sources.wishes import outcome_meant

    labels = [known.label for known in outcomes]
    by_token = [index for index, known in enumerate(outcomes) if known.token_id == name]
    if outcome is not None:
        index = outcome_meant(outcome, outcomes)
        if index is None or by_token not in ([], [index]):
            raise NotFound([f"unknown outcome {outcome!r}; {market} has {' and '.join(labels)}"])
        return index
    found = by_token or [index for index, known in enumerate(outcomes) if known.token_id in likely]
    if len(found) != 1:
        raise Ambiguous(f"which outcome of {market}? Name it", labels)
    return found[0]


def set_rules(desk: Desk, claim: Claim, rules: ExitRules) -> dict[str, Any]:
    """Put these rules in the place of whatever the token had; what was seen of the position stays."""

    def change(run: Run, before: RuleSet | None) -> RuleSet:
        return RuleSet(
            rule_id=rule_id(run.mode, claim.token_id, set_by=f"operator {run.now.isoformat()}"),
            mode=run.mode,
            market_id=claim.market_id,
            token_id=claim.token_id,
            outcome=claim.outcome,
            outcome_index=claim.outcome_index,
            rules=rules,
            origin=RuleOrigin.OPERATOR,
            set_at=run.now,
            opened_at=before.opened_at if before else None,
            dust=before.dust if before else False,
            high=before.high if before else None,
            stopped_at=before.stopped_at if before else None,
        )

    return _changed(desk, claim, change)


def remove_rules(desk: Desk, claim: Claim) -> dict[str, Any]:
    """Take the token's rules away, a cool-down of theirs with them."""
    return _changed(
        desk, claim, lambda run, _: RuleRemoved(mode=run.mode, token_id=claim.token_id, at=run.now)
    )


def _changed(
    desk: Desk, claim: Claim, change: Callable[[Run, RuleSet | None], RuleSet | RuleRemoved]
) -> dict[str, Any]:
    """A small run of its own, so that the change has a number, a time and an audit row."""

    def write(run: Run) -> dict[str, Any]:
        snapshot = desk.ledger.snapshot(run.mode, markets=[claim.market_id], orders=[])
        before = snapshot.rules.get(claim.token_id)
        fact = change(run, before)
        if claim.market is not None:
            markets = {claim.market_id: claim.market}
            desk.ledger.observe(RunInputs(markets=markets), desk.archive.payloads())
        desk.ledger.note([fact])
        return {
            "marketId": claim.market_name,
            "tokenId": claim.token_id,
            "outcome": claim.outcome,
            "before": _kept(before),
            "after": _kept(fact if isinstance(fact, RuleSet) else None),
            "warnings": _warnings(snapshot, claim, fact),
        }

    return kept(desk, unplanned(desk, "rules", now=desk.clock.now()), write)


def _warnings(snapshot: Snapshot, claim: Claim, fact: RuleSet | RuleRemoved) -> list[str]:
    before, position = snapshot.rules.get(claim.token_id), snapshot.positions.get(claim.token_id)
    found: list[str] = []
    if before is not None and before.trigger is not None:
        found.append(f"the exit under way ({before.trigger.cause}) goes no further")
    if isinstance(fact, RuleSet) and (position is None or position.size == 0):
        found.append("nothing of it is held; the rules wait for a position")
    return found


def _kept(rules: RuleSet | None) -> dict[str, Any] | None:
    """A set of rules as it stands in the ledger."""
    if rules is None:
        return None
    trigger = rules.trigger
    return {
        "ruleId": rules.rule_id,
        "rules": told.exit_rules(rules.rules),
        "origin": rules.origin.value,
        "orderId": rules.order_id,
        "setAt": told.instant(rules.set_at),
        "openedAt": told.maybe_instant(rules.opened_at),
        "high": told.maybe_text(rules.high),
        "trigger": None
        if trigger is None
        else {"cause": trigger.cause.value, "at": told.instant(trigger.at), "detail": trigger.detail},
        "attempts": rules.attempts,
        "stoppedAt": told.maybe_instant(rules.stopped_at),
    }


def _told(record: RuleRecord) -> dict[str, Any]:
    rules = record.rules
    return {
        "mode": rules.mode.value,
        "marketId": record.market_name,
        "conditionId": rules.market_id,
        "outcome": rules.outcome,
        "tokenId": rules.token_id,
        "state": _state(record),
        "size": to_text(record.size),
        **(_kept(rules) or {}),
        "exitOrderId": record.exit_order,
    }


def _state(record: RuleRecord) -> str:
    """`closed`, `dust`, `exit alive`, `triggered` or `watching`."""
    if record.size == 0:
        return "closed"
    if record.exit_order is not None:
        return "exit alive"
    if record.rules.trigger is not None:
        return "triggered"
    return "dust" if record.rules.dust else "watching"
