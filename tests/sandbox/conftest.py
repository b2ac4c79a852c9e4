"""Venues for the tests of the sandbox."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import certifi
import pytest

from tests.sandbox.running import QUICK, Venue, sandbox_process, sandbox_venue
from tests.sandbox.stage import stage

END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of the authorities that HTTP clients trust."""
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(END_OF_CERTIFICATE)
    path.write_text(first + end, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def few_authorities(one_certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is encrypted, but clients read all authorities for each of their ten connections."""
    monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


@pytest.fixture
def venue() -> Iterator[Venue]:
    """A venue with the markets and books of `stage`, in a thread; whatever was done, its books agree."""
    with sandbox_venue(stage) as running:
        yield running
        told = running.get("/sandbox/audit")["invariants"]
        assert [each for each in told if not each["holds"]] == []


@pytest.fixture
def patient_venue() -> Iterator[Venue]:
    """The same venue, where one may ask as often as one likes."""
    with sandbox_venue(stage, options=replace(QUICK, rate_limited=False)) as running:
        yield running


@pytest.fixture
def process_venue() -> Iterator[Venue]:
    """A venue with its built-in markets, in a process of its own."""
    with sandbox_process() as running:
        yield running
