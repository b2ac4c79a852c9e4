"""The venue on this machine, and retries that do not wait."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import stamina

from betteroms.adapters.polymarket.http import Patience
from betteroms.adapters.polymarket.venue import Polymarket
from tests.polymarket.samples import StepClock
from tests.venue_server import VenueServer

Serve = Callable[..., VenueServer]
OpenVenue = Callable[..., Polymarket]


@pytest.fixture(autouse=True)
def quick_retries() -> Iterator[None]:
    """As many attempts as in earnest, without the pauses between them."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a loopback venue that knows the books and rows it is given."""
    with ExitStack() as stack:
        yield lambda **known: stack.enter_context(VenueServer(**known))


@pytest.fixture
def open_venue(clock: StepClock) -> Iterator[OpenVenue]:
    """Opens our adapter at a loopback venue."""
    with ExitStack() as stack:

        def opened(server: VenueServer, **settings: Any) -> Polymarket:
            patience: Patience = settings.get("patience") or Patience()
            # Loading the certificates that nothing here needs takes longer than most of these tests.
            client = httpx.Client(
                verify=False,
                trust_env=False,
                timeout=httpx.Timeout(patience.read.total_seconds(), connect=3.0),
            )
            settings |= {"client": stack.enter_context(client)}
            return stack.enter_context(Polymarket(server.url, server.url, clock=clock, **settings))

        yield opened
