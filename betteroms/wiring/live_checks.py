"""What `doctor` looks at where there is a key; the key itself is opened for its own line only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from betteroms.domain.approval import UNLIMITED, Standing
from betteroms.domain.switch import SwitchState
from betteroms.domain.wallet import SignatureType, Wallet
from betteroms.settings import Settings
from betteroms.wiring import account
from betteroms.wiring.database import conninfo
from betteroms.wiring.surroundings import clock

if TYPE_CHECKING:
    import psycopg

    from betteroms.adapters.polymarket.http import Signing
    from betteroms.domain.wallet import ApiCredentials


class LiveChecks:
    """Keeps the promises of `jobs.live_checks.LiveGround`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        given = zip(
            account.API, (settings.api_key, settings.api_secret, settings.api_passphrase), strict=True
        )
        self.credentials_missing = [name for name, value in given if value is None]

    def opens(self) -> None:
        """Whether the key can be had with nobody there to ask; see the port."""
        account.unlocked(self._settings, may_ask=False)

    @cached_property
    def _owner(self) -> str:
        owner = account.owner_of(self._settings)
        assert owner is not None, "there is a key, or nobody would ask"
        return owner

    @cached_property
    def _wallet(self) -> Wallet:
        return account.wallet(self._settings, self._owner)

    def wallet(self) -> Wallet:
        """See the port. So it is with the others here."""
        return self._wallet

    def credentials_known(self) -> bool:
        from betteroms.adapters.polymarket.account import Account

        with account.services(self._settings) as open_service:
            service = open_service(self._settings.clob_url, self._signing())
            return Account(service, self._credentials()).is_known()

    def protocol(self) -> int:
        from betteroms.adapters.polymarket.place import protocol

        with account.services(self._settings) as open_service:
            return protocol(open_service(self._settings.clob_url, None))

    def blocked(self) -> str | None:
        from betteroms.adapters.polymarket.place import blocked

        with account.services(self._settings) as open_service:
            return blocked(open_service(self._settings.geoblock_url, None))

    def closed_only(self) -> bool:
        from betteroms.adapters.polymarket.account import Account

        with account.services(self._settings) as open_service:
            service = open_service(self._settings.clob_url, self._signing())
            return Account(service, self._credentials()).closed_only()

    def tier(self) -> str:
        from betteroms.adapters.polymarket.account import Account

        with account.services(self._settings) as open_service:
            service = open_service(self._settings.clob_url, self._signing())
            return Account(service, self._credentials()).tier()

    def approvals(self) -> Sequence[Standing]:
        from betteroms.adapters.polymarket.approvals import TRADING, WalletChain
        from betteroms.jobs.allowances import survey

        with account.node(self._settings) as node:
            return survey(WalletChain(node, self._wallet.address), TRADING, dollars=UNLIMITED)

    def dollars(self) -> tuple[int, int]:
        from betteroms.adapters.polymarket.account import Account
        from betteroms.adapters.polymarket.approvals import WalletChain

        with account.node(self._settings) as node, account.services(self._settings) as open_service:
            there = WalletChain(node, self._wallet.address).dollars()
            service = open_service(self._settings.clob_url, self._signing())
            return there, Account(service, self._credentials()).dollars(self._wallet)

    def gas(self) -> int | None:
        if self._wallet.signature_type is not SignatureType.EOA:
            return None
        with account.node(self._settings) as node:
            return node.number("eth_getBalance", self._wallet.address, "latest")

    def switch(self) -> SwitchState | None:
        from betteroms.adapters.postgres.switch import PostgresSwitch

        with self._database() as connection:
            return None if connection is None else PostgresSwitch(connection).state()

    def ledger_wallet(self) -> str | None:
        from betteroms.adapters.postgres.database import faults_named
        from betteroms.adapters.postgres.sent import wallet_of

        with self._database() as connection, faults_named():
            return None if connection is None else wallet_of(connection)

    def proven(self) -> int:
        from betteroms.adapters.postgres.database import faults_named
        from betteroms.adapters.postgres.facts import proven

        with self._database() as connection, faults_named():
            return 0 if connection is None else len(proven(connection, self._wallet.address))

    @contextmanager
    def _database(self) -> "Iterator[psycopg.Connection[Any] | None]":
        """The database as it is, migrated by nobody; None where it is not as this program needs it."""
        from betteroms.adapters.postgres.database import connect
        from betteroms.adapters.postgres.views.health import health

        address = conninfo(self._settings)
        if health(address).state != "current":
            yield None
            return
        with connect(address, name="doctor") as connection:
            yield connection

    def _credentials(self) -> "ApiCredentials":
        credentials = account.api_credentials(self._settings)
        assert credentials is not None, "asked only where none is missing"
        return credentials

    def _signing(self) -> "Signing":
        from betteroms.adapters.polymarket.membership import signing

        return signing(self._credentials(), owner=self._owner, clock=clock())
