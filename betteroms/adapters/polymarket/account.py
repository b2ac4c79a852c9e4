"""What the venue knows of an account: its API credentials, and how it stands there.

A wallet's key vouches for the credentials (L1), they for every other question (L2); which of the two
a service shows is its `signing`. Source: VENUE 2.7.
"""

from collections.abc import Mapping
from typing import Any, Final

from betteroms.adapters.polymarket.http import Refused, Service, Signing
from betteroms.adapters.polymarket.typed_data import (
    CHAIN_ID,
    address_word,
    digest,
    keccak,
    number_word,
    text_word,
)
from betteroms.domain.errors import CredentialsUnusable, VenueUnreachable
from betteroms.domain.secret import Secret
from betteroms.domain.wallet import ApiCredentials, Wallet
from betteroms.ports import Clock

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
KEYS: Final = "/auth/api-keys"
CREATE: Final = "/auth/api-key"
DERIVE: Final = "/auth/derive-api-key"
CLOSED_ONLY: Final = "/auth/ban-status/closed-only"
TIER: Final = "/v1/user/rate-limit-tier"
HOLDING: Final = "/balance-allowance"
ATTESTATION: Final = "This message attests that I control the given wallet"
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId)"
TYPE: Final = "ClobAuth(address address,string timestamp,uint256 nonce,string message)"


def attesting(key: Secret, *, nonce: int, clock: Clock) -> Signing:
    """The headers of a question by whoever holds the key; `nonce` is of the credentials that are meant."""
    from eth_account import Account
    from eth_typing import Hash32

    account = Account.from_key(key.reveal())
    separator = keccak(
        text_word(DOMAIN_TYPE) + text_word("ClobAuthDomain") + text_word("1") + number_word(CHAIN_ID)
    )

    def headers(_: str, __: str) -> Mapping[str, str]:
        stamp = str(int(clock.now().timestamp()))
        contents = keccak(
            text_word(TYPE)
            + address_word(account.address)
            + text_word(stamp)
            + number_word(nonce)
            + text_word(ATTESTATION)
        )
        signature = bytes(account.unsafe_sign_hash(Hash32(digest(separator, contents))).signature)
        return {
            "POLY_ADDRESS": str(account.address),
            "POLY_SIGNATURE": f"0x{signature.hex()}",
            "POLY_TIMESTAMP": stamp,
            "POLY_NONCE": str(nonce),
        }

    return headers


class KeyDesk:
    """Where a wallet's key gets its API credentials; the service attests with the key and a nonce."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def credentials(self) -> tuple[ApiCredentials, bool]:
        """The credentials of the key and the nonce, and whether they had to be made.

        Asked again, after a crash as well, it gives the same ones: there is one set for each nonce.

        Raises:
            CredentialsUnusable: the venue refuses the key, or has ended the credentials of this nonce.
            VenueUnreachable: no usable answer.
        """
        found = self._asked("GET", DERIVE)
        if found is not None:
            return found, False
        made = self._asked("POST", CREATE)
        if made is not None:
            return made, True
        # The answer to an earlier attempt may have been lost: then they are there by now.
        found = self._asked("GET", DERIVE)
        if found is None:
            raise CredentialsUnusable(
                "the venue neither makes nor has credentials for this nonce: take another with --nonce"
            )
        return found, False

    def _asked(self, method: str, path: str) -> ApiCredentials | None:
        try:
            answer = self._service.get(path) if method == "GET" else self._service.post(path, None)
        except Refused as refused:
            if refused.status == BAD_REQUEST:
                return None
            if refused.status == UNAUTHORIZED:
                raise CredentialsUnusable(f"the venue refuses this key, or our clock: {refused}") from None
            raise
        if answer is None:
            return None
        try:
            words = [Secret(answer[name]) for name in ("apiKey", "secret", "passphrase")]
        except (KeyError, TypeError):
            raise self._service.unusable(method, path, "the answer holds no credentials") from None
        return ApiCredentials(key=words[0], secret=words[1], passphrase=words[2])


class Account:
    """Asks how a member stands, over a service that shows its credentials."""

    def __init__(self, service: Service, credentials: ApiCredentials) -> None:
        self._service = service
        self._credentials = credentials

    def is_known(self) -> bool:
        """Whether the venue takes these credentials for this key.

        Raises:
            VenueUnreachable: no usable answer.
        """
        try:
            answer = self._service.get(KEYS)
        except Refused as refused:
            if refused.status == UNAUTHORIZED:
                return False
            raise
        except ValueError:  # a secret that is no base64 was not given out by the venue
            return False
        keys = answer.get("apiKeys") if isinstance(answer, Mapping) else None
        if not isinstance(keys, list):
            raise self._service.unusable("GET", KEYS, "the answer lists no keys")
        return self._credentials.key.reveal() in keys

    def closed_only(self) -> bool:
        """Whether it may only sell. Raises VenueUnreachable."""
        return self._field(CLOSED_ONLY, "closed_only") is True

    def tier(self) -> str:
        """By which limits its orders are counted. Raises VenueUnreachable."""
        return str(self._field(TIER, "tier"))

    def dollars(self, wallet: Wallet) -> int:
        """What it believes the wallet to hold, in base units. Raises VenueUnreachable."""
        kind = str(wallet.signature_type.value)
        answer = self._service.get(HOLDING, [("asset_type", "COLLATERAL"), ("signature_type", kind)])
        try:
            return int(answer["balance"])
        except (TypeError, KeyError, ValueError):
            raise self._service.unusable("GET", HOLDING, "the answer is no balance") from None

    def _field(self, path: str, name: str) -> Any:
        answer = self._service.get(path)
        if not isinstance(answer, Mapping) or name not in answer:
            raise VenueUnreachable(f"GET {path}: the answer holds no {name}")
        return answer[name]
