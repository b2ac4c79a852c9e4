"""BetterOMS: a single-operator order-management system for Polymarket."""

__version__ = "0.1.0"
