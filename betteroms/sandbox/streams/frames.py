"""What clients send on either channel: JSON objects that subscribe, and the text PING."""

import json
from collections.abc import Mapping
from typing import Any, Final

PING: Final = "PING"
PONG: Final = "PONG"
WRONG: Final = "INVALID OPERATION"
"""What the venue answers to a frame that it cannot make out."""


class WrongFrame(ValueError):
    """The frame asks for nothing that the channel knows."""


class Unauthorized(Exception):
    """The credentials are not those of an API key."""


def read_frame(text: str) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        WrongFrame: anything else.
    """
    try:
        frame = json.loads(text)
    except ValueError:
        raise WrongFrame from None
    if not isinstance(frame, dict):
        raise WrongFrame
    return frame


def names(frame: Mapping[str, Any], field: str) -> list[str]:
    """A list of texts; an absent one is empty.

    Raises:
        WrongFrame: it is anything else.
    """
    found = frame.get(field) or []
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise WrongFrame
    return found
