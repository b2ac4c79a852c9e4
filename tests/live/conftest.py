"""A rehearsal as an operator has it: the real command line, the real client, a sandbox venue over sockets."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, cli, command, sql, start, surroundings  # noqa: F401
from tests.live.world import Operator, sandbox
from tests.sandbox.conftest import few_authorities, one_certificate  # noqa: F401
from tests.sandbox.running import Venue


@pytest.fixture
def venue() -> Iterator[Venue]:
    """A sandbox with the markets, books and test wallets it starts with."""
    with sandbox() as running:
        yield running


@pytest.fixture
def operator(
    cli: Callable[..., Ran],  # noqa: F811
    surroundings: Mapping[str, str],  # noqa: F811
    venue: Venue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Operator:
    """Somebody with the sandbox's deposit wallet."""
    return Operator(cli, venue, tmp_path, monkeypatch, kind="deposit")
