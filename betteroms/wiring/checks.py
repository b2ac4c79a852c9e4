"""What `doctor` looks at."""

from typing import TYPE_CHECKING

from betteroms.settings import Settings
from betteroms.wiring.database import conninfo
from betteroms.wiring.surroundings import clock

if TYPE_CHECKING:
    from betteroms.adapters.polymarket.health import VenueHealth
    from betteroms.adapters.postgres.views.health import DatabaseHealth
    from betteroms.wiring.live_checks import LiveChecks


class Ground:
    """What `doctor` looks at; see `jobs.doctor.Ground`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.home = settings.home
        self.where = "DATABASE_URL" if settings.database_url else "the bundled server"
        self.key_place = _key_place(settings)

    def live(self) -> "LiveChecks":
        """What live trading needs, where there is a key."""
        from betteroms.wiring.live_checks import LiveChecks

        return LiveChecks(self._settings)

    def database(self) -> "DatabaseHealth":
        """How the database is; the bundled one is started if it does not run."""
        from betteroms.adapters.postgres.views.health import health

        return health(conninfo(self._settings))

    def venue(self) -> "VenueHealth":
        """How the venue is, asked once."""
        from betteroms.adapters.polymarket.health import health
        from betteroms.adapters.polymarket.http import Patience

        timeout = self._settings.http_timeout
        patience = Patience(connect=timeout, read=timeout, total=timeout, attempts=1)
        return health(self._settings.clob_url, clock=clock(), patience=patience)


def _key_place(settings: Settings) -> str | None:
    """Where the private key is kept, in words; None where there is none."""
    if settings.private_key is not None:
        return "POLYMARKET_PRIVATE_KEY"
    from betteroms.wiring.account import keystore

    kept = keystore(settings)
    return str(kept.path) if kept.exists() else None
