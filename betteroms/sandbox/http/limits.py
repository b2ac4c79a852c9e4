"""How often one may ask: windows by endpoint as at the edge, and buckets of tokens by signer.

Sources: VENUE 7; the venue's page on trading rate limits (tiers, what each request costs, headers).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from betteroms.sandbox.http.refusals import ForNow

LIMITED: Final = "rate limited"
TEN_SECONDS_MS: Final = 10_000
MINUTE_MS: Final = 60_000
TEN_MINUTES_MS: Final = 600_000
TOKEN: Final = 1000
"""Buckets count in thousandths of a token: what refills in a millisecond is whole then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Tokens per second, and the most a bucket holds. `debt`: sweeping cancels may leave less than none."""

    name: str
    order_rate: int
    order_burst: int
    cancel_rate: int
    cancel_burst: int
    debt: bool


TIERS: Final = {
    tier.name: tier
    for tier in (
        Tier(name="standard", order_rate=40, order_burst=60, cancel_rate=80, cancel_burst=120, debt=True),
        Tier(name="copper", order_rate=60, order_burst=90, cancel_rate=120, cancel_burst=180, debt=True),
        Tier(name="bronze", order_rate=80, order_burst=120, cancel_rate=160, cancel_burst=240, debt=True),
        Tier(name="silver", order_rate=200, order_burst=300, cancel_rate=400, cancel_burst=600, debt=True),
        Tier(name="gold", order_rate=400, order_burst=600, cancel_rate=800, cancel_burst=1200, debt=True),
        Tier(
            name="platinum", order_rate=450, order_burst=675, cancel_rate=900, cancel_burst=1350, debt=False
        ),
        Tier(
            name="diamond", order_rate=525, order_burst=787, cancel_rate=1050, cancel_burst=1575, debt=False
        ),
        Tier(name="elite", order_rate=600, order_burst=900, cancel_rate=1200, cancel_burst=1800, debt=False),
    )
}
STANDARD: Final = TIERS["standard"]


class Bucket:
    """A signer's tokens of one kind. They refill all the time; spending is all or nothing."""

    __slots__ = ("burst", "held", "rate", "stamp_ms")

    def __init__(self, *, rate: int, burst: int, now_ms: int) -> None:
        self.rate = rate
        self.burst = burst * TOKEN
        self.held = self.burst
        self.stamp_ms = now_ms

    def wait_ms(self, cost: int, now_ms: int) -> int | None:
        """Zero when there are enough tokens, else how long until there are; None for never."""
        self._refill(now_ms)
        lacking = cost * TOKEN - self.held
        if lacking <= 0:
            return 0
        return -(-lacking // self.rate) if cost * TOKEN <= self.burst else None

    def spend(self, cost: int) -> None:
        self.held -= cost * TOKEN

    def _refill(self, now_ms: int) -> None:
        self.held = min(self.burst, self.held + (now_ms - self.stamp_ms) * self.rate)
        self.stamp_ms = now_ms


class Limits:
    """The buckets of every signer and the windows of every endpoint. Nothing is counted when it is off.

    `warning` lets signers through who are out of tokens, and only tells them (the venue began so).
    """

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self.warning = False
        self.tiers: dict[str, Tier] = {}
        self._buckets: dict[tuple[str, bool], Bucket] = {}
        self._counts: dict[tuple[str, int], tuple[int, int, int]] = {}

    def tier(self, signer: str) -> Tier:
        return self.tiers.get(signer, STANDARD)

    def set_tier(self, signer: str, name: str) -> None:
        """Move a signer to another tier, its buckets full."""
        self.tiers[signer] = TIERS[name]
        for cancels in (False, True):
            self._buckets.pop((signer, cancels), None)

    def take(self, signer: str, cost: int, now_ms: int, *, cancels: bool = False) -> dict[str, str]:
        """Pay for a request before it is carried out; the headers for its answer.

        Raises:
            ForNow: 429, and nothing was paid. A cost beyond the burst can never be paid: no Retry-After.
        """
        if not self.on:
            return {}
        bucket = self._bucket(signer, cancels, now_ms)
        wait_ms = bucket.wait_ms(cost, now_ms)
        if wait_ms == 0:
            bucket.spend(cost)
            return self._headers(signer, bucket, now_ms)
        if self.warning:
            return self._headers(signer, bucket, now_ms) | {"Poly-RateLimit-Warning": "true"}
        headers = self._headers(signer, bucket, now_ms + (wait_ms or 0))
        retry_after_s = None if wait_ms is None else -(-wait_ms // 1000)
        raise ForNow(LIMITED, status=429, retry_after_s=retry_after_s, headers=headers)

    def take_after(self, signer: str, cost: int, now_ms: int) -> dict[str, str]:
        """Pay for the orders that a sweeping cancel turned out to cancel, be there enough or not."""
        if not self.on:
            return {}
        bucket = self._bucket(signer, True, now_ms)
        bucket.spend(cost)
        if not self.tier(signer).debt:
            bucket.held = max(bucket.held, 0)
        return self._headers(signer, bucket, now_ms)

    def check_window(self, method: str, path: str, now_ms: int) -> None:
        """Count a request against the windows of its endpoint: all callers of a venue on loopback are one.

        A window slides by weighing the last full one: what fell into it counts as if it had been even.

        Raises:
            ForNow: 429.
        """
        if not self.on:
            return
        for name, span_ms, most in windows(method, path):
            index, elapsed_ms = divmod(now_ms, span_ms)
            last_index, before, count = self._counts.get((name, span_ms), (index, 0, 0))
            if index != last_index:
                before, count = (count if index == last_index + 1 else 0), 0
            if count + before * (span_ms - elapsed_ms) // span_ms >= most:
                raise ForNow(LIMITED, status=429, retry_after_s=-(-(span_ms - elapsed_ms) // 1000))
            self._counts[name, span_ms] = (index, before, count + 1)

    def state(self) -> dict[str, Any]:
        """What outlives a restart: the tiers. Buckets start full and windows empty."""
        return {signer: tier.name for signer, tier in self.tiers.items()}

    def restore(self, state: dict[str, Any]) -> None:
        self.tiers = {signer: TIERS[name] for signer, name in state.items()}
        self._buckets.clear()

    def _bucket(self, signer: str, cancels: bool, now_ms: int) -> Bucket:
        bucket = self._buckets.get((signer, cancels))
        if bucket is None:
            tier = self.tier(signer)
            rate = tier.cancel_rate if cancels else tier.order_rate
            burst = tier.cancel_burst if cancels else tier.order_burst
            bucket = self._buckets[signer, cancels] = Bucket(rate=rate, burst=burst, now_ms=now_ms)
        return bucket

    def _headers(self, signer: str, bucket: Bucket, reset_ms: int) -> dict[str, str]:
        return {
            "Poly-RateLimit-Remaining": str(bucket.held // TOKEN),
            "Poly-RateLimit-Reset": str(-(-reset_ms // 1000)),
            "Poly-RateLimit-Tier": self.tier(signer).name,
        }


Window = tuple[str, int, int]
"""What is counted, over how many milliseconds, and how many are let through."""

_TRADING: Final[dict[tuple[str, str], tuple[int, int]]] = {
    ("POST", "/order"): (5_000, 120_000),
    ("POST", "/orders"): (2_000, 21_000),
    ("DELETE", "/order"): (5_000, 120_000),
    ("DELETE", "/orders"): (2_000, 15_000),
    ("DELETE", "/cancel-all"): (250, 6_000),
    ("DELETE", "/cancel-market-orders"): (1_500, 21_000),
}
"""Requests in ten seconds and in ten minutes."""
_CLOB: Final = {
    "/book": 1_500,
    "/books": 500,
    "/price": 1_500,
    "/prices": 500,
    "/midpoint": 1_500,
    "/midpoints": 500,
    "/prices-history": 1_000,
    "/tick-size": 200,
    "/balance-allowance": 200,
    "/balance-allowance/update": 50,
    "/data/orders": 500,
    "/data/trades": 500,
}
_ELSEWHERE: Final = {
    "/gamma": 4_000,
    "/gamma/events": 500,
    "/gamma/markets": 300,
    "/gamma/public-search": 350,
    "/gamma/tags": 200,
    "/data-api": 1_000,
    "/data-api/trades": 200,
    "/data-api/positions": 150,
    "/data-api/closed-positions": 150,
}
EVERYTHING: Final = 15_000
CLOB: Final = 9_000
LEDGER: Final = 900
API_KEYS: Final = 100
SUBMITS: Final = 25
_FREE: Final = ("sandbox", "rpc", "ws")
"""No part of the protocol, or somebody else's host."""


@lru_cache(maxsize=4096)
def windows(method: str, path: str) -> tuple[Window, ...]:
    """The windows that a request counts in."""
    first, *rest = path.strip("/").split("/")
    if first in _FREE:
        return ()
    counted = [("everything", TEN_SECONDS_MS, EVERYTHING)]
    if first in ("gamma", "data-api"):
        for name in (f"/{first}", "/".join(["", first, *rest[:1]])):
            if name in _ELSEWHERE and (name, TEN_SECONDS_MS, _ELSEWHERE[name]) not in counted:
                counted.append((name, TEN_SECONDS_MS, _ELSEWHERE[name]))
        return tuple(counted)
    if first == "relayer":
        return (*counted, ("submit", MINUTE_MS, SUBMITS)) if rest == ["submit"] else tuple(counted)
    counted.append(("clob", TEN_SECONDS_MS, CLOB))
    if (method, path) in _TRADING:
        burst, sustained = _TRADING[method, path]
        counted += [
            (f"{method} {path}", TEN_SECONDS_MS, burst),
            (f"{method} {path}", TEN_MINUTES_MS, sustained),
        ]
    if path in _CLOB:
        counted.append((path, TEN_SECONDS_MS, _CLOB[path]))
    if first == "data":
        counted.append(("ledger", TEN_SECONDS_MS, LEDGER))
    if first == "auth" and path.endswith(("api-key", "api-keys")):
        counted.append(("api keys", TEN_SECONDS_MS, API_KEYS))
    return tuple(counted)
