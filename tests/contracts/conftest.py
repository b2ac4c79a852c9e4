"""Ledgers to hold to their promises."""

from collections.abc import Iterator

import pytest

from tests.contracts.ledgers import LEDGERS, Installation, Kind, MakeLedger, MemoryInstallation
from tests.contracts.postgres_installation import PostgresInstallation, emptied


@pytest.fixture
def make_memory_ledger() -> MakeLedger:
    return MemoryInstallation


@pytest.fixture
def make_postgres_ledger(shared_database_url: str) -> Iterator[MakeLedger]:
    """One database, emptied for each installation; only the latest of them is in use."""
    made: list[PostgresInstallation] = []

    def make() -> Installation:
        while made:
            made.pop().close()
        emptied(shared_database_url)
        made.append(PostgresInstallation(shared_database_url))
        return made[0]

    yield make
    while made:
        made.pop().close()


@pytest.fixture(params=LEDGERS)
def ledger_kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of ledger in turn."""
    return LEDGERS[request.param]


@pytest.fixture
def make_ledger(ledger_kind: Kind, request: pytest.FixtureRequest) -> MakeLedger:
    """Makes installations of one kind, each of them empty."""
    make: MakeLedger = request.getfixturevalue(ledger_kind.fixture)
    return make


@pytest.fixture
def installation(make_ledger: MakeLedger) -> Installation:
    return make_ledger()
