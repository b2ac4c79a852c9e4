"""How the venue says no over HTTP: a status, its words as JSON, and when to come back."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from betteroms.sandbox.model import Refused

INVALID_PAYLOAD: Final = "Invalid order payload"
NO_BOOK: Final = "No orderbook exists for the requested token id"
NO_MARKET: Final = "market not found"
NO_ORDER: Final = "order not found"


class ForNow(Refused):
    """Not now: the same request may pass later. `retry_after_s` is when, in seconds, where that is known.

    `details` join the body beside the words. Without words the body is empty (as 425 comes).
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        code: str | None = None,
        retry_after_s: int | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)


def answer(refused: Refused) -> Response:
    """The refusal as an answer. Source: VENUE 3.6, shapes/error_bodies.json."""
    body: dict[str, Any] = {"error": refused.text}
    if refused.code is not None:
        body["code"] = refused.code
    headers: dict[str, str] = {}
    if isinstance(refused, ForNow):
        body |= refused.details
        headers = refused.headers
    if not refused.text:
        return Response(status_code=refused.status, headers=headers)
    return JSONResponse(body, status_code=refused.status, headers=headers)
