"""How the venue is and how a wallet stands there: its mode, our dollars, shares, approvals and positions."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from betteroms.adapters.polymarket.health import VenueHealth
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.member import faults_named
from betteroms.domain.ids import AssetKind, MarketId, TokenId, asset_kind
from betteroms.domain.money import Size, floor_to, to_micros
from betteroms.ports.trading import Condition, Holding, Purse

if TYPE_CHECKING:
    from polymarket import SecureClient
    from polymarket.models.clob import AssetType

VERSION: Final = "/version"
LOOKS_PER_SECOND: Final = 17
LOOKS_BURST: Final = 20
"""At most 190 in the ten seconds for which the venue allows 200 balances (VENUE 7)."""
REFRESHES_PER_SECOND: Final = 4
REFRESHES_BURST: Final = 8
"""At most 48 in the ten seconds for which the venue allows 50 fresh looks (VENUE 7)."""
PAGE: Final = 500
PLACES: Final = 6
"""Decimals of a share; what the positions list tells beyond them is what a float makes of it."""

Refresh = Callable[[str, str | None], None]
"""Asks the venue to look at the chain again: for a kind of asset, and a token of it."""


class AccountStanding:
    """Keeps the promises of `ports.trading.Standing`. It owns nothing that it is given.

    `health` asks whether the venue is up and what time it has there, `ask` any public path.
    """

    def __init__(
        self,
        client: "SecureClient",
        *,
        health: Callable[[], VenueHealth],
        ask: Callable[[str], Any],
        refresh: Refresh,
        looks: Limiter | None = None,
        refreshes: Limiter | None = None,
    ) -> None:
        self._client = client
        self._health = health
        self._ask = ask
        self._refresh = refresh
        self._looks = looks or Limiter(per_second=LOOKS_PER_SECOND, burst=LOOKS_BURST)
        self._refreshes = refreshes or Limiter(per_second=REFRESHES_PER_SECOND, burst=REFRESHES_BURST)

    def condition(self) -> Condition:
        """See `ports.trading.Standing.condition`."""
        drift = _certain(self._health())
        told = self._ask(VERSION)
        version = told.get("version") if isinstance(told, dict) else None
        with faults_named("closed-only mode"):
            closed_only = self._client.get_closed_only_mode()
        return Condition(
            drift=drift, version=version if isinstance(version, int) else None, closed_only=closed_only
        )

    def dollars(self) -> Purse:
        """See `ports.trading.Standing.dollars`."""
        return self._purse("COLLATERAL", None, fresh=True)

    def shares(self, token_id: TokenId, *, fresh: bool = False) -> Purse:
        """See `ports.trading.Standing.shares`."""
        kind: AssetType = "CONDITIONAL" if asset_kind(token_id) is AssetKind.CTF else "CONDITIONAL-V2"
        return self._purse(kind, token_id, fresh=fresh)

    def _purse(self, kind: "AssetType", token_id: TokenId | None, *, fresh: bool) -> Purse:
        if fresh:
            self._refreshes.wait()
            self._refresh(kind, token_id)
        self._looks.wait()
        with faults_named("balance and allowance"):
            found = self._client.get_balance_allowance(asset_type=kind, asset_id=token_id)
        allowances = {str(contract).lower(): int(most) for contract, most in found.allowances.items()}
        return Purse(balance=int(found.balance), allowances=allowances)

    def holdings(self) -> Sequence[Holding]:
        """See `ports.trading.Standing.holdings`."""
        with faults_named("positions"):
            rows = list(self._client.list_positions(page_size=PAGE).iter_items())
        found = [
            Holding(
                market_id=MarketId(str(row.condition_id).lower()),
                token_id=TokenId(str(row.asset_id)),
                size=Size(floor_to(to_micros(f"{row.current_size:.{PLACES}f}"), 1)),
                redeemable=row.redeemable,
            )
            for row in rows
        ]
        return sorted((each for each in found if each.size > 0), key=lambda each: each.token_id)


def _certain(found: VenueHealth) -> timedelta:
    """The drift as far as it is certain: the venue looked at its clock at some time while we waited."""
    most = abs(found.drift) - found.took / 2
    if most <= timedelta(0):
        return timedelta(0)
    return most if found.drift > timedelta(0) else -most
