"""Venues on which things go wrong."""

from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from coincurve import PrivateKey

from tests.sandbox.faults.scene import START_MS, Scene, attest, scene


@pytest.fixture
def venue() -> Iterator[Scene]:
    """A venue of its own, on a clock moved by hand, without faults so far."""
    with scene() as made:
        yield made


@pytest.fixture
def attested() -> Callable[[int], dict[str, str]]:
    """Headers by which a wallet of its own asks for the API key of a nonce."""

    def headers(nonce: int) -> dict[str, str]:
        return attest(PrivateKey(sha256(b"attested").digest()), nonce, START_MS // 1000)

    return headers
