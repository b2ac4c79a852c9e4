"""What the venue starts with: markets, books, and wallets to rehearse with."""

from pathlib import Path
from typing import TYPE_CHECKING

from betteroms.sandbox.seeding.demo import seed_demo
from betteroms.sandbox.seeding.recorded import seed_recorded
from betteroms.sandbox.seeding.wallets import TestWallet, admit_test_wallets, test_wallets

if TYPE_CHECKING:
    from betteroms.sandbox.world import World

__all__ = ["TestWallet", "admit_test_wallets", "seed_world", "test_wallets"]


def seed_world(world: "World", books: Path | None) -> list[str]:
    """Fill a new venue: with recorded markets and books, or without them with a few invented ones.

    The test wallets are there either way. Says what of the recordings was left out, for people.

    Raises:
        OSError: there is no such directory, or it cannot be listed.
        ValueError: it holds more files than are read.
    """
    left_out: list[str] = []
    if books is None:
        seed_demo(world)
    else:
        left_out = seed_recorded(world, books)
    admit_test_wallets(world)
    return left_out
