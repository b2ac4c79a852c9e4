"""Whether the venue trades with where we are, and which version of its order protocol it speaks."""

from collections.abc import Mapping
from typing import Final

from betteroms.adapters.polymarket.http import Service

VERSION: Final = "/version"
UNKNOWN: Final = "unknown"


def blocked(service: Service) -> str | None:
    """The country that it does not trade with, None where it does; the service is the question's own URL.

    Raises:
        VenueUnreachable: no usable answer.
    """
    answer = service.get("")
    if not isinstance(answer, Mapping) or not isinstance(answer.get("blocked"), bool):
        raise service.unusable("GET", "", "the answer does not tell")
    return str(answer.get("country") or UNKNOWN) if answer["blocked"] else None


def protocol(service: Service) -> int:
    """The version of orders that the venue takes.

    Raises:
        VenueUnreachable: no usable answer.
    """
    answer = service.get(VERSION)
    version = answer.get("version") if isinstance(answer, Mapping) else None
    if not isinstance(version, int):
        raise service.unusable("GET", VERSION, "the answer is no version")
    return version
