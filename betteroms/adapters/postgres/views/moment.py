"""A place in the ledger: what was known then is what has a number up to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from betteroms.domain.terms import Mode


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything of this mode with a number up to `sequence`."""

    connection: psycopg.Connection[Any]
    mode: Mode
    sequence: int

    def rows(self, query: str, **given: Any) -> Iterable[tuple[Any, ...]]:
        """The rows of a query that names `mode` and `sequence`."""
        parameters = {"mode": self.mode, "sequence": self.sequence, **given}
        return self.connection.execute(query, parameters)

    def row(self, query: str) -> tuple[Any, ...]:
        """The one row of a query that sums something up."""
        (found,) = self.rows(query)
        return found
