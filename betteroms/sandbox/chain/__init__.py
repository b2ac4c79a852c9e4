"""The chain beside the venue: token contracts, transactions that approve and convert, a node's answers."""

from betteroms.sandbox.chain.chain import Chain
from betteroms.sandbox.chain.frames import Call

__all__ = ["Call", "Chain"]
