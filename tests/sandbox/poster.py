"""A client that may send what the clients of others would never send: odd amounts, other people's names.

It signs with the parts of `py-clob-client-v2`, so that nothing of ours is on both sides.
"""

import json
from typing import Any, Final

import httpx
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderDataV2, SignedOrderV2, order_to_json_v2
from py_clob_client_v2.order_utils.model.side import Side
from py_clob_client_v2.order_utils.model.signature_type_v2 import SignatureTypeV2

from tests.sandbox.running import Venue
from tests.sandbox.stage import PLAIN, Trader, money, trader

EXCHANGE: Final = "0xE111180000d2663C0091e4f400237545B87B996B"
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
Answer = tuple[int, str]
"""The status, and the text of `error`."""


class Poster:
    """Somebody with 1,000 dollars and 500 shares of each outcome of `PLAIN`, if not told otherwise."""

    def __init__(self, venue: Venue, name: str = "ada", kind: str = "eoa", **funds: Any) -> None:
        self.venue = venue
        self.trader: Trader = trader(name, kind)
        shares = dict.fromkeys(PLAIN.token_ids, "500")
        venue.told("fund", **{**money(self.trader, shares=shares), **funds})
        self.client = ClobClient(
            venue.url,
            137,
            key=self.trader.private_key,
            signature_type=self.trader.signature_type,
            funder=self.trader.wallet,
        )
        self.client.set_api_creds(self.client.create_or_derive_api_key())

    def signed(
        self,
        maker_amount: int,
        taker_amount: int,
        side: str = "BUY",
        *,
        exchange: str = EXCHANGE,
        **more: Any,
    ) -> SignedOrderV2:
        """An order of `PLAIN`'s first outcome with these amounts, whatever they are worth."""
        kind = self.trader.signature_type
        data = OrderDataV2(
            maker=self.trader.wallet,
            signer=self.trader.wallet if kind == SignatureTypeV2.POLY_1271 else self.trader.signer,
            tokenId=PLAIN.token_ids[0],
            makerAmount=str(maker_amount),
            takerAmount=str(taker_amount),
            side=SIDES[side],
            signatureType=SignatureTypeV2(kind),
        )
        for field, value in more.items():
            setattr(data, field, value)
        return ExchangeOrderBuilderV2(exchange, 137, self.client.signer).build_signed_order(data)

    def body(self, order: SignedOrderV2, order_type: str = "GTC", **changes: Any) -> dict[str, Any]:
        """What is posted; `changes` replace fields beside the order."""
        told: dict[str, Any] = order_to_json_v2(order, self.client.creds.api_key, order_type)
        return {**told, **changes}

    def post(self, body: Any, path: str = "/order") -> Answer:
        """Post a body; text is sent as it is."""
        return said(self.ask("POST", path, body))

    def ask(self, method: str, path: str, body: Any = None, **changes: str) -> httpx.Response:
        """Send any request with this person's credentials; `changes` replace headers."""
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        headers = self.client._l2_headers(method, path, serialized_body=text or None)
        headers |= {"Content-Type": "application/json", **changes}
        return httpx.request(method, self.venue.url + path, content=text, headers=headers, timeout=10)


def said(answer: httpx.Response) -> Answer:
    """A refusal's status and text; an empty text where there is none."""
    try:
        told = answer.json()
    except ValueError:
        return answer.status_code, ""
    return answer.status_code, str(told.get("error", "")) if isinstance(told, dict) else ""
