"""What may befall a message of a stream on its way out to one subscriber."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Message = dict[str, Any] | list[dict[str, Any]]
"""One frame: an object, or a list of them (the books that a subscription begins with)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How a message goes out. None of this befalls the answer to PING.

    `copies`: how often; 0 drops it. `held`: after the message that follows it. `stalls`: neither it nor
    anything after it goes out, though the connection lives. `cuts`: the connection ends instead.
    """

    copies: int = 1
    held: bool = False
    stalls: bool = False
    cuts: bool = False


AS_IT_IS: Final = Fate()

Choose = Callable[[str, Message], Fate]
"""Takes the channel ("/ws/market" or "/ws/user") and the message. Asked once for each message and subscriber,
oldest connection first, so that a chooser that counts always counts the same."""


def unharmed(_channel: str, _message: Message) -> Fate:
    return AS_IT_IS
