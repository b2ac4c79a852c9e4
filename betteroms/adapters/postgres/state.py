"""What a run read of the ledger that the facts alone do not tell again, kept with it to be replayed.

Orders, executions and entries are never lost and are folded again up to the run's sequence; liquidity memory,
rules, bounds and the account's past move on, so they are kept as the run found them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from betteroms.adapters.postgres.columns import rules_from
from betteroms.adapters.postgres.facts import risk_state
from betteroms.domain.bounds import FillBounds
from betteroms.domain.bounds_value import NOTHING_ADDED, BoundedGain, Tilt
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.liquidity import Taken
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.position import Quote
from betteroms.domain.risk.history import NOTHING, History, Stake, Stop
from betteroms.domain.rule import Cause, RuleOrigin, RuleSet, Trigger
from betteroms.domain.terms import Mode
from betteroms.ports import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptState:
    """The part of a snapshot that is kept with its run."""

    taken: Sequence[Taken] = ()
    rules: Mapping[TokenId, RuleSet] = field(default_factory=dict)
    bounds: Mapping[OrderId, FillBounds] = field(default_factory=dict)
    history: History = NOTHING
    quotes: Mapping[TokenId, Quote] = field(default_factory=dict)
    tilts: Mapping[TokenId, Tilt] = field(default_factory=dict)
    worths: Mapping[TokenId, int] = field(default_factory=dict)
    elsewhere: BoundedGain = NOTHING_ADDED


def encode(snapshot: Snapshot) -> str:
    """The kept part of a snapshot as JSON; times as RFC 3339, amounts in millionths."""
    told: dict[str, Any] = {
        "taken": [[row.market_id, row.price, row.size, row.changed_at_ms] for row in snapshot.taken],
        "rules": [asdict(rules) for rules in snapshot.rules.values()],
        "bounds": [
            # What an order took at once and what was ahead of it never change and are in their table.
            [name, found.at_once, found.ahead, found.pessimistic, found.optimistic]
            for name, found in snapshot.bounds.items()
            if found.pessimistic != found.at_once or found.optimistic != found.at_once
        ],
    }
    if snapshot.quotes:
        told["quotes"] = {token: asdict(quote) for token, quote in snapshot.quotes.items()}
    if snapshot.tilts:
        told["tilts"] = [asdict(tilt) for tilt in snapshot.tilts.values()]
        told["worths"] = dict(snapshot.worths)
    if snapshot.elsewhere != NOTHING_ADDED:
        told["elsewhere"] = [snapshot.elsewhere.pessimistic, snapshot.elsewhere.optimistic]
    if snapshot.history is not NOTHING:
        told["history"] = asdict(snapshot.history)
    return json.dumps(told, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a run's state")


def decode(kept: Mapping[str, Any] | None) -> KeptState:
    """What `encode` wrote, read back; nothing where a run kept nothing."""
    if kept is None:
        return KeptState()
    rules = [_rules(found) for found in kept.get("rules", ())]
    history = kept.get("history")
    return KeptState(
        taken=[
            Taken(market_id=MarketId(market), price=Price(price), size=Size(size), changed_at_ms=stamp)
            for market, price, size, stamp in kept.get("taken", ())
        ],
        rules={found.token_id: found for found in rules},
        bounds={
            name: FillBounds(
                order_id=name,
                at_once=Size(at_once),
                ahead=Size(ahead),
                pessimistic=Size(pessimistic),
                optimistic=Size(optimistic),
            )
            for name, at_once, ahead, pessimistic, optimistic in kept.get("bounds", ())
        },
        history=NOTHING if history is None else _history(history),
        quotes={
            token: Quote(**{**quote, "at": datetime.fromisoformat(quote["at"])})
            for token, quote in kept.get("quotes", {}).items()
        },
        tilts={tilt["token_id"]: Tilt(**tilt) for tilt in kept.get("tilts", ())},
        worths={TokenId(token): worth for token, worth in kept.get("worths", {}).items()},
        elsewhere=_gain(*kept.get("elsewhere", (0, 0))),
    )


def _gain(pessimistic: int, optimistic: int) -> BoundedGain:
    return BoundedGain(base=Usdc(0), pessimistic=Usdc(pessimistic), optimistic=Usdc(optimistic))


def _moment(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)


def _rules(kept: Mapping[str, Any]) -> RuleSet:
    trigger = kept["trigger"]
    given = {name: _moment(kept[name]) for name in ("set_at", "opened_at", "stopped_at")}
    rules = {name: value for name, value in kept["rules"].items() if value is not None}
    return RuleSet(
        **{
            **kept,
            **given,
            "mode": Mode(kept["mode"]),
            "origin": RuleOrigin(kept["origin"]),
            "rules": rules_from(rules),
            "trigger": None
            if trigger is None
            else Trigger(
                cause=Cause(trigger["cause"]),
                at=datetime.fromisoformat(trigger["at"]),
                detail=trigger["detail"],
            ),
        }
    )


def _history(kept: Mapping[str, Any]) -> History:
    state, stops = kept["state"], kept["stops"]
    return History(
        **{
            **kept,
            "stakes": tuple(Stake(**stake) for stake in kept["stakes"]),
            "state": risk_state(state),
            "stops": {
                token: Stop(
                    at=datetime.fromisoformat(stop["at"]), cool_down_minutes=stop["cool_down_minutes"]
                )
                for token, stop in stops.items()
            },
        }
    )


def market_document(market: Market) -> dict[str, Any]:
    """A market that no row tells of, made from its books: all of it."""
    return asdict(market)


def market_from(kept: Mapping[str, Any]) -> Market:
    """What `market_document` wrote, read back."""
    payouts = kept["payouts"]
    return Market(
        **{
            **kept,
            "outcomes": tuple(Outcome(**outcome) for outcome in kept["outcomes"]),
            "fees": FeeSchedule(**kept["fees"]),
            "ends_at": _moment(kept["ends_at"]),
            "game_starts_at": _moment(kept["game_starts_at"]),
            "payouts": None if payouts is None else tuple(payouts),
        }
    )
