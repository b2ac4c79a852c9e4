"""Who may use the relayer: whoever shows a relayer key of an account, or signs with the builder key.

The keys follow from the venue's seed. Source: VENUE 8.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from betteroms.sandbox.model import Refused
from betteroms.sandbox.signing.credentials import keyed, request_signature

PREFIX: Final = "/relayer"
"""Where the relayer is found at this venue; clients sign paths without it."""
SKEW_MAX_MS: Final = 60_000
REFUSED: Final = "invalid authorization"

Naming = Callable[..., bytes]
"""The venue's own `name`: bytes that follow from its seed and the parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderKey:
    """`secret` is URL-safe base64."""

    key: str
    secret: str
    passphrase: str


def relayer_key(name: Naming, address: str) -> str:
    """The relayer key of an account."""
    return str(UUID(bytes=name("relayer-key", address.lower())[:16], version=4))


def builder_key(name: Naming) -> BuilderKey:
    """The venue's one builder key."""
    return BuilderKey(
        key=str(UUID(bytes=name("builder-key")[:16], version=4)),
        secret=urlsafe_b64encode(name("builder-secret")).decode(),
        passphrase=name("builder-passphrase").hex(),
    )


def check(
    name: Naming, headers: Mapping[str, str], *, method: str, path: str, body: bytes, now_ms: int
) -> None:
    """Raises:
    Refused: 401, neither key is shown, or one that is wrong.
    """
    shown = headers.get("relayer_api_key")
    if shown is not None:
        wanted = relayer_key(name, headers.get("relayer_api_key_address", ""))
        good = hmac.compare_digest(shown.encode(), wanted.encode())
    else:
        good = _builder_signed(builder_key(name), headers, method, path, body, now_ms)
    if not good:
        raise Refused(REFUSED, status=401)


def _builder_signed(
    key: BuilderKey, headers: Mapping[str, str], method: str, path: str, body: bytes, now_ms: int
) -> bool:
    timestamp = headers.get("poly_builder_timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs(int(timestamp[:16]) * 1000 - now_ms) > SKEW_MAX_MS:
        return False
    shown = [headers.get(f"poly_builder_{part}", "") for part in ("api_key", "passphrase", "signature")]
    signature = request_signature(
        keyed(key.secret),
        timestamp=timestamp,
        method=method,
        path=path.removeprefix(PREFIX),
        body=body,
    )
    wanted = [key.key, key.passphrase, signature]
    return hmac.compare_digest(":".join(shown).encode(), ":".join(wanted).encode())
