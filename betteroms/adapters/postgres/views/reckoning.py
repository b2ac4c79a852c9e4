"""Everything that reports of profit and loss read back, in one moment of the database."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel

from betteroms.adapters.postgres.database import faults_named
from betteroms.adapters.postgres.views import checks, movements, reports, twins
from betteroms.domain.bounds_value import Tilt
from betteroms.domain.ids import TokenId
from betteroms.domain.period import Period
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry
from betteroms.domain.terms import Mode
from betteroms.reckoning import (
    Activity,
    BoundsMismatch,
    By,
    Following,
    SettlementMismatch,
    SignedMismatch,
    Slipped,
    TiltMismatch,
    TokenSum,
    TwinRecord,
)

T = TypeVar("T")


class PostgresReckoning:
    """Keeps the promises of `reckoning.Reckoning` on a connection that it sets to read only.

    All reads see the database as it was at the first of them, whatever is written meanwhile.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        connection.autocommit = False
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        self._connection = connection

    def _read(self, read: Callable[..., T], *arguments: object, **named: object) -> T:
        with faults_named():
            return read(self._connection, *arguments, **named)

    def follow(
        self,
        following: Following,
        *,
        mode: Mode | None = None,
        owners: By | None = None,
        tokens: Collection[TokenId] | None = None,
    ) -> None:
        """See `reckoning.Reckoning.follow`."""
        self._read(movements.follow, following, mode=mode, owners=owners, tokens=tokens)

    def half_told(self, mode: Mode, period: Period) -> Sequence[TokenId]:
        """See `reckoning.Reckoning.half_told`."""
        return self._read(reports.half_told, mode, period)

    def activity(self, mode: Mode, by: By, period: Period) -> Sequence[Activity]:
        """See `reckoning.Reckoning.activity`."""
        return self._read(reports.activity, mode, by, period)

    def token_sums(self, mode: Mode, period: Period) -> Sequence[TokenSum]:
        """See `reckoning.Reckoning.token_sums`."""
        return self._read(reports.token_sums, mode, period)

    def entries(self, mode: Mode, period: Period) -> Sequence[LedgerEntry]:
        """See `reckoning.Reckoning.entries`."""
        return self._read(reports.entries, mode, period)

    def slipped(self, mode: Mode, period: Period) -> Sequence[Slipped]:
        """See `reckoning.Reckoning.slipped`."""
        return self._read(reports.slipped, mode, period)

    def slippages(self, mode: Mode, period: Period) -> Sequence[int]:
        """See `reckoning.Reckoning.slippages`."""
        return self._read(reports.slippages, mode, period)

    def twins(self, period: Period) -> Sequence[TwinRecord]:
        """See `reckoning.Reckoning.twins`."""
        return self._read(twins.listed, period)

    def snapshots(
        self, mode: Mode, period: Period, *, limit: int | None = None
    ) -> Sequence[PortfolioSnapshot]:
        """See `reckoning.Reckoning.snapshots`."""
        return self._read(reports.snapshots, mode, period, limit=limit)

    def tilts(self, mode: Mode, period: Period) -> Sequence[Tilt]:
        """See `reckoning.Reckoning.tilts`."""
        return self._read(reports.tilts, mode, period)

    def tokens_of(self, mode: Mode, source: str) -> Collection[TokenId]:
        """See `reckoning.Reckoning.tokens_of`."""
        return self._read(reports.tokens_of, mode, source)

    def payouts(self, mode: Mode) -> Sequence[tuple[TokenId, int]]:
        """See `reckoning.Reckoning.payouts`."""
        return self._read(reports.payouts, mode)

    def bounds_mismatches(self) -> Sequence[BoundsMismatch]:
        """See `reckoning.Reckoning.bounds_mismatches`."""
        return self._read(checks.bounds_mismatches)

    def tilt_mismatches(self) -> Sequence[TiltMismatch]:
        """See `reckoning.Reckoning.tilt_mismatches`."""
        return self._read(checks.tilt_mismatches)

    def settlement_mismatches(self) -> Sequence[SettlementMismatch]:
        """See `reckoning.Reckoning.settlement_mismatches`."""
        return self._read(checks.settlement_mismatches)

    def signed_mismatches(self) -> Sequence[SignedMismatch]:
        """See `reckoning.Reckoning.signed_mismatches`."""
        return self._read(checks.signed_mismatches)

    def snapshot_mismatches(self) -> Sequence[PortfolioSnapshot]:
        """See `reckoning.Reckoning.snapshot_mismatches`."""
        return self._read(checks.snapshot_mismatches)
