"""The logs of a settled trade, as the exchange contract writes them.

Source: VENUE 9, venue/matches_on_chain.json.
"""

from betteroms.domain.terms import Side
from betteroms.sandbox.chain.abi import address_word, topic, words
from betteroms.sandbox.chain.frames import Log
from betteroms.sandbox.exchange.settlement import ChainEvent, FeeCharged, Leg, OrderFilled, OrdersMatched

ORDER_FILLED = topic(
    "OrderFilled(bytes32,address,address,uint8,uint256,uint256,uint256,uint256,bytes32,bytes32)"
)
ORDERS_MATCHED = topic("OrdersMatched(bytes32,address,uint8,uint256,uint256,uint256)")
FEE_CHARGED = topic("FeeCharged(address,uint256)")
_NO_BUILDER = _NO_METADATA = 0
"""The venue does not keep them with its orders."""


def log_of(event: ChainEvent, contract: str) -> Log:
    """What the exchange `contract` tells of it. The order that took has the contract in the taker's place."""
    topics: tuple[str, ...]
    match event:
        case OrderFilled(leg=leg, taker=taker, making=making, taking=taking):
            topics = (ORDER_FILLED, leg.order_id, address_word(leg.wallet), address_word(taker or contract))
            data = words(*_kind(leg), making, taking, leg.fee, _NO_BUILDER, _NO_METADATA)
        case FeeCharged(receiver=receiver, amount=amount):
            topics, data = (FEE_CHARGED, address_word(receiver)), words(amount)
        case OrdersMatched(leg=leg, making=making, taking=taking):
            topics = (ORDERS_MATCHED, leg.order_id, address_word(leg.wallet))
            data = words(*_kind(leg), making, taking)
    return Log(address=contract, topics=topics, data=data)


def _kind(leg: Leg) -> tuple[int, int]:
    return (0 if leg.side is Side.BUY else 1), int(leg.token_id)
