"""What `doctor` looks at."""

from typing import TYPE_CHECKING

from betteroms.settings import Settings
from betteroms.wiring.database import conninfo
from betteroms.wiring.surroundings import clock

if TYPE_CHECKING:
    from betteroms.adapters.polymarket.health import VenueHealth
    from betteroms.adapters.postgres.views.health import DatabaseHealth


class Ground:
    """What `doctor` looks at; see `jobs.doctor.Ground`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.home = settings.home
        self.where = "DATABASE_URL" if settings.database_url else "the bundled server"
        self.key_set = settings.private_key is not None
        given = {
            "POLYMARKET_API_KEY": settings.api_key,
            "POLYMARKET_API_SECRET": settings.api_secret,
            "POLYMARKET_API_PASSPHRASE": settings.api_passphrase,
        }
        # All or none: none are made from the key when they are needed.
        self.credentials_missing = [name for name, value in given.items() if value is None]
        if len(self.credentials_missing) == len(given):
            self.credentials_missing = []

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
