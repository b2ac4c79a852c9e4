"""The one risk module: it judges an order as it would be sent, and changes nothing."""

from betteroms.domain.risk.checks import judge
from betteroms.domain.risk.exposure import Account, Allowed, Exposure
from betteroms.domain.risk.history import History
from betteroms.domain.risk.limits import Limits, tighter

__all__ = ["Account", "Allowed", "Exposure", "History", "Limits", "judge", "tighter"]
