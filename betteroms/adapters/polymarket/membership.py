"""What the venue's client cannot ask: an order that may be null, and a fresh look at balances (VENUE 1.1)."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from betteroms.adapters.polymarket.http import Refused, Service, Signing
from betteroms.domain.errors import CredentialsRefused
from betteroms.domain.wallet import ApiCredentials, Wallet
from betteroms.ports import Clock

ORDER: Final = "/data/order"
REFRESH: Final = "/balance-allowance/update"
UNAUTHORIZED: Final = 401


def signing(credentials: ApiCredentials, *, owner: str, clock: Clock) -> Signing:
    """The headers of a member's question; `owner` is the key's own address. Source: VENUE 2.7."""

    def headers(method: str, path: str) -> Mapping[str, str]:
        stamp = str(_seconds(clock.now()))
        return {
            "POLY_ADDRESS": owner,
            "POLY_API_KEY": credentials.key.reveal(),
            "POLY_PASSPHRASE": credentials.passphrase.reveal(),
            "POLY_TIMESTAMP": stamp,
            "POLY_SIGNATURE": _signature(credentials.secret.reveal(), f"{stamp}{method}{path}"),
        }

    return headers


@contextmanager
def refusals_named() -> Iterator[None]:
    """Raises CredentialsRefused where the venue does not take the credentials that a service shows."""
    try:
        yield
    except Refused as refused:
        if refused.status == UNAUTHORIZED:
            raise CredentialsRefused(f"the venue refuses our credentials, or our clock: {refused}") from None
        raise


class Membership:
    """Asks as a member over a service that signs; it owns neither."""

    def __init__(self, service: Service, *, wallet: Wallet) -> None:
        self._service = service
        self._wallet = wallet

    def order(self, name: str) -> Any:
        """The order's document as sent; None where the venue has none.

        Raises:
            VenueUnreachable: no usable answer.
        """
        with refusals_named():
            return self._service.get(f"{ORDER}/{quote(name, safe='')}")

    def refresh(self, kind: str, token_id: str | None) -> None:
        """Have the venue look at the chain again for the wallet's balance and allowances.

        Raises:
            VenueUnreachable: no usable answer.
        """
        token = [] if token_id is None else [("token_id", token_id)]
        signature_type = str(self._wallet.signature_type.value)
        with refusals_named():
            self._service.get(REFRESH, [("asset_type", kind), ("signature_type", signature_type), *token])


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _signature(secret: str, message: str) -> str:
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    return base64.urlsafe_b64encode(hmac.new(key, message.encode(), hashlib.sha256).digest()).decode()
