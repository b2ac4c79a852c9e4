"""The relayer beside the venue: transactions of wallets without gas."""

from betteroms.sandbox.relayer.keys import BuilderKey, builder_key, relayer_key
from betteroms.sandbox.relayer.relayer import Relayer

__all__ = ["BuilderKey", "Relayer", "builder_key", "relayer_key"]
