"""What the venue's answers to posted orders mean, by status and by words.

Source: VENUE 3.3, 3.6, 7 and 10.2. Only what is certain becomes a verdict other than UNKNOWN.
"""

from typing import TYPE_CHECKING, Final

from betteroms.ports.trading import Answer, Verdict

if TYPE_CHECKING:
    from polymarket import AcceptedOrder, RejectedOrder

SEEN_BEFORE: Final = "is invalid. duplicated"
TIMED_OUT: Final = "VENUE_TIMED_OUT"
NOT_REACHED: Final = "order timed out"
"""A 500 with these words never reached the book: the same bytes may go again at once."""
KILLED: Final = (
    ("fok orders are fully filled or killed", "FOK_NOT_FILLED"),
    ("no orders found to match with fak order", "FAK_NO_MATCH"),
)
REFUSALS: Final = (
    ("order crosses book", "POST_ONLY_WOULD_CROSS"),
    ("crosses the book", "POST_ONLY_WOULD_CROSS"),
    ("breaks minimum tick size rule", "VENUE_TICK"),
    ("lower than the minimum", "VENUE_MINIMUM_SIZE"),
    ("min size: $1", "VENUE_MINIMUM_NOTIONAL"),
    ("not enough balance", "VENUE_BALANCE"),
    ("the balance is not enough", "VENUE_BALANCE"),
    ("the allowance is not enough", "VENUE_ALLOWANCE"),
    ("invalid amounts", "VENUE_AMOUNTS"),
    ("invalid price", "VENUE_PRICE"),
    ("invalid expiration", "VENUE_EXPIRATION"),
    ("invalid nonce", "VENUE_NONCE"),
    ("order_version_mismatch", "VENUE_VERSION"),
    ("invalid signature", "VENUE_SIGNATURE"),
    ("maker address not allowed", "VENUE_WALLET"),
    ("signer address has to be", "VENUE_SIGNER"),
    ("order owner has to be", "VENUE_OWNER"),
    ("address banned", "VENUE_BANNED"),
    ("closed only mode", "VENUE_CLOSED_ONLY"),
    ("not yet ready to process", "VENUE_MARKET_NOT_READY"),
    ("no orderbook exists", "VENUE_NO_BOOK"),
    ("api key", "VENUE_CREDENTIALS"),
)
"""Words of the venue, in lower case, and our code for them; the first that is found wins."""
AWAY: Final = {425: "VENUE_RESTARTING", 429: "VENUE_BUSY"}
OURS: Final = {425: "its matching engine restarts (status 425)"}
"""What is told where the venue says nothing, and the client's words are about that."""


def of_words(words: str) -> Answer:
    """What a refusal with these words means, whatever its status was."""
    low = words.lower()
    if SEEN_BEFORE in low:
        return Answer(verdict=Verdict.SEEN_BEFORE, reason=words)
    for part, code in KILLED:
        if part in low:
            return Answer(verdict=Verdict.KILLED, code=code, reason=words)
    for part, code in REFUSALS:
        if part in low:
            return Answer(verdict=Verdict.REFUSED, code=code, reason=words)
    return Answer(verdict=Verdict.REFUSED, reason=words)


def of_response(response: "AcceptedOrder | RejectedOrder") -> Answer:
    """What the venue said to one order of a request that it took."""
    if response.ok:
        matched = response.status != "live" and response.taking_amount > 0
        return Answer(verdict=Verdict.LANDED, external_order_id=str(response.order_id), matched=matched)
    if response.code == "unmatched" or not response.message:
        # It may be resting there all the same, and its name was not told.
        return Answer(verdict=Verdict.UNKNOWN, reason=response.message or "no order id and no reason")
    if NOT_REACHED in response.message.lower():
        return Answer(verdict=Verdict.TURNED_AWAY, code=TIMED_OUT, reason=response.message)
    if response.code == "post_only_mode":
        return Answer(verdict=Verdict.TURNED_AWAY, code="VENUE_POST_ONLY", reason=response.message)
    return of_words(response.message)


def of_fault(fault: Exception) -> Answer:
    """What it means that the request as a whole got no such answer. Anything not known is UNKNOWN."""
    import httpx
    from polymarket import errors

    words = str(fault)
    cause = fault.__cause__
    if isinstance(fault, errors.TransportError):
        unsent = isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        if unsent:
            return Answer(verdict=Verdict.TURNED_AWAY, code="VENUE_UNREACHABLE", reason=words)
        return Answer(verdict=Verdict.UNKNOWN, reason=f"no answer: {words}")
    if isinstance(fault, errors.RateLimitError):
        return Answer(verdict=Verdict.TURNED_AWAY, code=AWAY[429], reason=words)
    if not isinstance(fault, errors.RequestRejectedError):
        return Answer(verdict=Verdict.UNKNOWN, reason=words)
    status = fault.status or 0
    if status in AWAY:
        return Answer(verdict=Verdict.TURNED_AWAY, code=AWAY[status], reason=OURS.get(status, words))
    if fault.restriction is not None or (status == 503 and "trading is currently" in words.lower()):
        return Answer(verdict=Verdict.TURNED_AWAY, code="VENUE_NOT_TRADING", reason=words)
    if status == 500 and NOT_REACHED in words.lower():
        return Answer(verdict=Verdict.TURNED_AWAY, code=TIMED_OUT, reason=words)
    if 400 <= status < 500:
        return of_words(words)
    return Answer(verdict=Verdict.UNKNOWN, reason=words)
