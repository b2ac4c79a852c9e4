"""Whether the venue is up, and what time it believes it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from betteroms.adapters.polymarket.http import Patience, Service, new_client
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.ports import Clock

OK: Final = "/ok"
TIME: Final = "/time"
_MILLISECONDS_FROM: Final = 10**11
"""No time in seconds is that great before the year 5138."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueHealth:
    """What the venue said. `drift` is how far our clock is ahead of its own, which counts whole seconds."""

    url: str
    answer: str
    drift: timedelta
    took: timedelta


def health(clob_url: str, *, clock: Clock, patience: Patience) -> VenueHealth:
    """Ask `/ok` and `/time`, each once.

    Raises:
        VenueUnreachable: no usable answer.
    """
    with new_client(patience) as client:
        service = Service(
            clob_url,
            client=client,
            patience=patience,
            limiter=Limiter(per_second=10, burst=10),
            clock=clock,
            notes=[],
        )
        up = service.get(OK)
        if up is None:
            raise service.unusable("GET", OK, "it knows no such path: is the URL right?")
        asked_at = clock.now()
        stamp = _seconds(service.get(TIME))
        answered_at = clock.now()
        if stamp is None:
            raise service.unusable("GET", TIME, "the answer is no time")
    took = answered_at - asked_at
    # Its seconds are cut off, so its time lies half a second later in the mean.
    venue = datetime.fromtimestamp(stamp, tz=UTC) + timedelta(seconds=0.5)
    return VenueHealth(url=clob_url, answer=str(up), drift=asked_at + took / 2 - venue, took=took)


def _seconds(answer: Any) -> int | None:
    text = str(answer).strip()
    if isinstance(answer, bool) or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    number = int(text)
    return number // 1000 if number >= _MILLISECONDS_FROM else number
