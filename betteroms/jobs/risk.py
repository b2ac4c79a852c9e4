"""Every cap with where it comes from and how much is used; and the drawdown switch, put back by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from betteroms.domain.ids import MarketId
from betteroms.domain.money import to_text
from betteroms.domain.risk import History, Limits, tighter
from betteroms.domain.risk.history import RiskState, reset, tripped
from betteroms.domain.risk.limits import CAPS
from betteroms.domain.risk.stakes import Stakes
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.desk import Desk
from betteroms.jobs.own_run import kept, unplanned
from betteroms.ports import RiskChanged, Run
from betteroms.records import Records, RuleRecord
from betteroms.sources.plan import LIMIT_KEYS

SECOND: Final = timedelta(seconds=1)
COUNTED: Final = frozenset({"run_orders_max", "open_positions_max"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The caps of the configuration: for each its variable, and where that is set or `default`."""

    limits: Limits
    variables: Mapping[str, str]
    places: Mapping[str, str]


def shown(
    records: Records, mode: Mode, *, now: datetime, configured: Configured, planned: Limits | None
) -> dict[str, Any]:
    """Every cap that would hold now, for a plan with these caps if one is given, and what is used of it."""
    history = records.history(mode, at=now)
    stakes = Stakes(history.stakes)
    names = records.market_names(stakes.markets.keys())
    limits = tighter(configured.limits, planned or Limits())
    return {
        "mode": mode.value,
        "limits": _limits(limits, configured, history, stakes),
        "account": {
            "equity": to_text(history.equity),
            "dayStart": to_text(history.day_start),
            "dayLoss": to_text(history.day_loss),
            "peak": to_text(history.peak),
            "drawdown": to_text(history.drawdown),
        },
        "switch": _switch(history.state, tripped(history, configured.limits, now)),
        "markets": _largest("notional", stakes.markets, names),
        "events": _largest("worstCase", stakes.events, names),
        "coolDowns": _cool_downs(history, records.rule_sets(mode), now),
    }


def _limits(
    limits: Limits, configured: Configured, history: History, stakes: Stakes
) -> list[dict[str, str | None]]:
    used = {
        "day_notional_max": to_text(history.day_notional),
        "market_notional_max": to_text(max(stakes.markets.values(), default=0)),
        "event_loss_max": to_text(max([0, *stakes.events.values()])),
        "open_positions_max": str(stakes.positions),
        "daily_loss_max": to_text(max(history.day_loss, 0)),
        "drawdown_max": to_text(history.drawdown),
    }
    found: list[dict[str, str | None]] = []
    for name in CAPS:
        value, ours = getattr(limits, name), getattr(configured.limits, name)
        source = None if value is None else "plan" if value != ours else configured.places[name]
        found.append(
            {
                "name": LIMIT_KEYS[name],
                "variable": configured.variables[name],
                "value": _text(name, value),
                "from": source,
                "used": used.get(name),
            }
        )
    return found


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        return str(value // SECOND)
    return str(value) if name in COUNTED else to_text(value)


def _switch(state: RiskState, would: RiskState | None) -> dict[str, Any]:
    """How the drawdown switch stands; `reached` says that the next run or maintain will trip it."""
    return {
        "tripped": state.tripped_at is not None,
        "reached": would is not None,
        "since": told.maybe_instant(state.tripped_at),
        "detail": state.detail if would is None else would.detail,
        "resetAt": told.maybe_instant(state.reset_at),
    }


def _largest(what: str, amounts: Mapping[Any, int], names: Mapping[MarketId, str]) -> list[dict[str, str]]:
    """By amount, the largest first; named as people do where the registry knows how."""
    ordered = sorted(amounts.items(), key=lambda row: (-row[1], row[0]))
    return [{"name": names.get(key, key), what: to_text(amount)} for key, amount in ordered]


def _cool_downs(history: History, rules: Iterable[RuleRecord], now: datetime) -> list[dict[str, str | None]]:
    """What is not bought for a while; named by the rules that asked for it, where they are still there."""
    names = {record.rules.token_id: record for record in rules}
    untils = {
        token: stop.at + timedelta(minutes=stop.cool_down_minutes) for token, stop in history.stops.items()
    }
    return [
        {
            "tokenId": token,
            "marketId": names[token].market_name if token in names else None,
            "outcome": names[token].rules.outcome if token in names else None,
            "until": told.instant(until),
        }
        for token, until in sorted(untils.items())
        if now < until
    ]


def put_back(desk: Desk) -> dict[str, Any]:
    """Put the drawdown switch back, in a small run of its own; nothing is written where it did not trip."""
    now = desk.clock.now()
    history = desk.ledger.snapshot(desk.mode, markets=[], orders=[], at=now).history
    would = tripped(history, desk.limits, now)
    if history.state.tripped_at is None and would is None:
        return {"kind": "risk", "mode": desk.mode.value, "status": "completed", **_outcome(history, None)}

    def put(run: Run) -> dict[str, Any]:
        state = reset(history, now)
        desk.ledger.note([RiskChanged(mode=run.mode, state=state, at=now)])
        return _outcome(history, state)

    result: dict[str, Any] = kept(desk, unplanned(desk, "risk", now=now), put)["result"]
    return result


def _outcome(history: History, after: RiskState | None) -> dict[str, Any]:
    return {
        "reset": after is not None,
        "before": _switch(history.state, None),
        "equity": to_text(history.equity),
        "warnings": [],
    }
