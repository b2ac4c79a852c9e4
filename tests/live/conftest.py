"""A rehearsal as an operator has it: the real command line, the real client, a sandbox venue over sockets."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import certifi
import pytest

from tests.cli.conftest import Ran, cli, command, sql, start, surroundings  # noqa: F401
from tests.live.world import Operator, sandbox
from tests.sandbox.running import Venue

END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of the authorities that HTTP clients trust: nothing here is encrypted."""
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(END_OF_CERTIFICATE)
    path.write_text(first + end, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def few_authorities(one_certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients read all authorities for each of their connections."""
    monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


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
