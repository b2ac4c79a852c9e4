"""The live switch, and what live trading has to prove before orders go together."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SwitchState(StrEnum):
    """What may leave the process: nothing; nothing, though it is rehearsed with signatures; orders."""

    OFF = "OFF"
    SHADOW = "SHADOW"
    ON = "ON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The venue gave an order of this wallet, signed for this domain, the name that we had computed.

    From then on orders of the domain may go together; the first time is what is remembered.
    """

    wallet: str
    domain: str
    at: datetime
