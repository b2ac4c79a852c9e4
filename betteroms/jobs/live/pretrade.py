"""What is asked of the venue before orders leave: is it fit, and what may our wallet spend and sell there?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from betteroms.domain.errors import VenueUnfit
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.in_flight import InFlight
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Size, Usdc, to_micros, to_text
from betteroms.domain.risk.permits import Permits
from betteroms.domain.terms import SellFrom, Side
from betteroms.jobs.desk import Desk, Member
from betteroms.ports import Run, Snapshot

DRIFT_MAX: Final = timedelta(seconds=5)
"""A clock that is off by more spoils expirations, and the venue refuses what we sign for it."""
VERSION: Final = 2
"""The version of the venue's order protocol that we sign for. Source: VENUE 2.7."""
UNLIMITED: Final = 10**17
"""A hundred billion dollars: an allowance beyond that is written down as this."""
PERMITS: Final = "permits"
"""Where a run's settings keep what the venue permitted, for whoever computes it again."""


def insist_fit(member: Member) -> None:
    """Let nothing leave to a venue that is not as we know it, or by a clock that is wrong.

    Raises:
        VenueUnfit: every reason is named.
        VenueUnreachable: no usable answer.
    """
    found = member.standing.condition()
    problems = []
    if abs(found.drift) > DRIFT_MAX:
        side = "ahead of" if found.drift > timedelta(0) else "behind"
        seconds = abs(found.drift) // timedelta(seconds=1)
        most = DRIFT_MAX // timedelta(seconds=1)
        problems.append(
            f"this machine's clock is {seconds} s {side} the venue's; at most {most} s are allowed"
        )
    if found.version != VERSION:
        problems.append(
            f"the venue's order protocol has version {found.version}; this program signs for {VERSION}"
        )
    if problems:
        raise VenueUnfit(problems)


def sold(intents: Iterable[Intent]) -> list[TokenId]:
    """The tokens that these wishes sell."""
    return sorted({intent.token_id for intent in intents if intent.side is Side.SELL})


def permitted(desk: Desk, run: Run, markets: Mapping[MarketId, Market], selling: Collection[TokenId]) -> Run:
    """The run with what the venue permits it, where orders leave the process; as it is where none do.

    Raises:
        VenueUnreachable: no usable answer.
    """
    if desk.member is None:
        return run
    desk.show("asking what the wallet holds")
    snapshot = desk.ledger.snapshot(run.mode, markets=list(markets), orders=[])
    found = _permits(desk.member, markets, selling, _there(snapshot, desk.sell_from))
    return replace(run, settings={**run.settings, PERMITS: _kept(found)})


def _there(snapshot: Snapshot, sell_from: SellFrom) -> Mapping[TokenId, int]:
    """Shares that the chain should have seen, by token."""
    flying = InFlight(snapshot.settling.booked, sell_from).shares()
    return {token: held - flying.get(token, 0) for token, held in snapshot.account.held.items()}


def _permits(
    member: Member,
    markets: Mapping[MarketId, Market],
    selling: Collection[TokenId],
    expected: Mapping[TokenId, int],
) -> Permits:
    dollars = member.standing.dollars()
    contracts = {name: member.contract(market).lower() for name, market in markets.items()}
    of_token = {
        outcome.token_id: contracts[name] for name, market in markets.items() for outcome in market.outcomes
    }
    shares: dict[TokenId, Size] = {}
    sellable = set()
    for token in selling:
        purse = member.standing.shares(token)
        if purse.balance < expected.get(token, 0) or not purse.allowances.get(of_token[token]):
            # What the venue remembers may be from before the last fill or approval.
            purse = member.standing.shares(token, fresh=True)
        shares[token] = Size(purse.balance)
        if purse.allowances.get(of_token[token]):
            sellable.add(token)
    return Permits(
        cash=Usdc(dollars.balance),
        contracts=contracts,
        allowances={contract: Usdc(min(most, UNLIMITED)) for contract, most in dollars.allowances.items()},
        shares=shares,
        sellable=frozenset(sellable),
        closed_only=member.standing.condition().closed_only,
    )


def _kept(permits: Permits) -> dict[str, Any]:
    """Permits as a run keeps them: JSON-ready."""
    return {
        "cash": to_text(permits.cash),
        "contracts": dict(permits.contracts),
        "allowances": {contract: to_text(most) for contract, most in permits.allowances.items()},
        "shares": {token: to_text(size) for token, size in permits.shares.items()},
        "sellable": sorted(permits.sellable),
        "closedOnly": permits.closed_only,
    }


def permits_of(run: Run) -> Permits | None:
    """What the venue permitted this run; None where nothing leaves the process."""
    kept = run.settings.get(PERMITS)
    if kept is None:
        return None
    return Permits(
        cash=Usdc(to_micros(kept["cash"])),
        contracts={MarketId(name): contract for name, contract in kept["contracts"].items()},
        allowances={name: Usdc(to_micros(most)) for name, most in kept["allowances"].items()},
        shares={TokenId(token): Size(to_micros(size)) for token, size in kept["shares"].items()},
        sellable=frozenset(TokenId(token) for token in kept["sellable"]),
        closed_only=kept["closedOnly"],
    )
