"""A whole ledger in dicts."""

from betteroms.adapters.memory.ledger import KeptRun, MemoryLedger

__all__ = ["KeptRun", "MemoryLedger"]
