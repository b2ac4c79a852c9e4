"""Who may do what at the venue: API keys, the wallets behind them, and what is forbidden to whom.

Source: VENUE 2.2, 2.7 and 3.6.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from betteroms.domain.terms import Side
from betteroms.sandbox.model import Refused, SignedOrder
from betteroms.sandbox.signing.credentials import attestation_digest, keyed, request_signature
from betteroms.sandbox.signing.recovery import BadSignature, signature_bytes, signer_of
from betteroms.sandbox.signing.typed_data import Malformed, account
from betteroms.sandbox.signing.wallets import Wallet, WalletKind, wallets_of

CLOCK_SKEW_MAX_MS: Final = 60_000
"""How far a request's timestamp may be from the venue's clock. The real limit is not known."""
READONLY_KEYS_MAX: Final = 100

L1_REFUSED: Final = "Invalid L1 Request headers"
L2_REFUSED: Final = "Unauthorized/Invalid api key"
NOT_CREATED: Final = "Could not create api key"
NOT_DERIVED: Final = "Could not derive api key!"
WRONG_OWNER: Final = "the order owner has to be the owner of the API KEY"
WRONG_SIGNER: Final = "the order signer address has to be the address of the API KEY"
MAKER_UNKNOWN: Final = "maker address not allowed, please use the deposit wallet flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a client shows with each request. `address` is the wallet's key that made it, in lower case.

    `secret` is URL-safe base64. A read-only key is shown by itself and opens no trading.
    """

    key: str
    secret: str
    passphrase: str
    address: str
    nonce: int = 0
    readonly: bool = False


class Members:
    """Everybody known to the venue. Addresses are compared in lower case.

    `admitted` may trade straight from their own account (type 0) where that is not open to all; `banned` may
    not trade; `closed_only` may only sell.
    """

    def __init__(self, seed: int, *, skew_max_ms: int = CLOCK_SKEW_MAX_MS) -> None:
        self._seed = seed
        self._skew_max_ms = skew_max_ms
        self.keys: dict[str, ApiKey] = {}
        self.wallets: dict[str, Wallet] = {}
        self.admitted: set[str] = set()
        self.banned: set[str] = set()
        self.closed_only: set[str] = set()
        self._used: dict[tuple[str, int], str] = {}
        self._readonly_made: dict[str, int] = {}
        self._begun: dict[str, hmac.HMAC] = {}

    def create_key(self, address: str, nonce: int) -> ApiKey:
        """The API key of an account and a nonce. It follows from them and from the venue's seed.

        Raises:
            Refused: 400, the nonce was used before.
        """
        address = address.lower()
        if (address, nonce) in self._used:
            raise Refused(NOT_CREATED)
        key = self._make("key", address, nonce, readonly=False)
        self._used[address, nonce] = key.key
        self.keys[key.key] = key
        self.know(address)
        return key

    def derive_key(self, address: str, nonce: int) -> ApiKey:
        """The API key that was made before.

        Raises:
            Refused: 400, there is none, or it was deleted.
        """
        key = self.keys.get(self._used.get((address.lower(), nonce), ""))
        if key is None:
            raise Refused(NOT_DERIVED)
        return key

    def create_readonly_key(self, address: str) -> ApiKey:
        """One more key that reads and does not trade.

        Raises:
            Refused: 400, the account has too many.
        """
        address = address.lower()
        number = self._readonly_made.get(address, 0)
        if number >= READONLY_KEYS_MAX:
            raise Refused(NOT_CREATED)
        key = self._make("readonly-key", address, number, readonly=True)
        self._readonly_made[address] = number + 1
        self.keys[key.key] = key
        return key

    def keys_of(self, address: str, *, readonly: bool = False) -> list[ApiKey]:
        address = address.lower()
        return [key for key in self.keys.values() if key.address == address and key.readonly is readonly]

    def delete(self, key: str) -> None:
        """The key is good for nothing any more; its nonce stays used."""
        self.keys.pop(key, None)
        self._begun.pop(key, None)

    def check_l1(self, headers: Mapping[str, str], now_ms: int) -> tuple[str, int]:
        """Whose wallet signed the request, in lower case, and the nonce.

        `headers` are looked up by names in lower case; so they are for `check_l2`.

        Raises:
            Refused: 401, a header is missing or wrong, the signature is another's, or the time is off.
        """
        try:
            address = headers["poly_address"]
            timestamp = headers["poly_timestamp"]
            nonce = _whole(headers["poly_nonce"])
            signed = attestation_digest(address=address, timestamp=timestamp, nonce=nonce)
            by = signer_of(signed, signature_bytes(headers["poly_signature"]))
            fresh = self._is_fresh(timestamp, now_ms)
        except (KeyError, ValueError, Malformed, BadSignature) as e:
            raise Refused(L1_REFUSED, status=401) from e
        if by != address.lower() or not fresh:
            raise Refused(L1_REFUSED, status=401)
        return by, nonce

    def check_l2(
        self,
        headers: Mapping[str, str],
        method: str,
        path: str,
        body: bytes,
        now_ms: int,
        *,
        trading: bool = False,
    ) -> ApiKey:
        """The API key that made the request. `path` is without the query, `body` exactly as it came.

        A read-only key is shown with the address alone, and is good unless the request is `trading`.

        Raises:
            Refused: 401, whatever is wrong with it.
        """
        key = self._shown_key(headers, method, path, body, now_ms)
        if key is None or (trading and key.readonly):
            raise Refused(L2_REFUSED, status=401)
        return key

    def know(self, address: str) -> tuple[Wallet, ...]:
        """Register the wallets that follow from an account; those known already stay as they are.

        Raises:
            Malformed: not an address.
        """
        derived = wallets_of(address)
        return tuple(self.wallets.setdefault(wallet.address, wallet) for wallet in derived)

    def register(self, wallet: Wallet) -> None:
        """Make a wallet known that follows from no key, or say anew who signs for it."""
        self.wallets[wallet.address] = wallet

    def authorize_session_key(self, wallet: str, session_key: str, until_s: int) -> None:
        """Let a further key sign for a deposit wallet, until a second; 0 ends it now.

        Raises:
            Refused: 404, the venue does not know the wallet.
        """
        known = self.wallets.get(wallet.lower())
        if known is None or known.kind is not WalletKind.DEPOSIT:
            raise Refused("wallet not found", status=404)
        session_keys = {**known.session_keys, session_key.lower(): until_s}
        if until_s == 0:
            del session_keys[session_key.lower()]
        self.register(replace(known, session_keys=session_keys))

    def wallet_for(self, signed: SignedOrder) -> Wallet | None:
        """The wallet an order trades for: registered, or one that its signer has by the factories' rule."""
        maker = signed.maker.lower()
        wallet = self.wallets.get(maker)
        if wallet is None and signed.signature_type != WalletKind.DEPOSIT:
            with suppress(Malformed):
                wallet = next((own for own in wallets_of(signed.signer) if own.address == maker), None)
        if wallet is None or wallet.kind != signed.signature_type:
            return None
        return wallet

    def is_closed_only(self, key: ApiKey) -> bool:
        return not self.closed_only.isdisjoint((key.address, key.key))

    def admit(self, signed: SignedOrder, *, owner: str, key: ApiKey, any_maker: bool, now_ms: int) -> Wallet:
        """The wallet of an order whose poster may trade for it. Says nothing on the signature itself.

        `owner` is the API key named in the body, `key` the one that made the request. `any_maker` lets every
        account trade for itself (type 0), not the admitted only.

        Raises:
            Refused: in the venue's words; 401 for a read-only key.
        """
        if key.readonly:
            raise Refused(L2_REFUSED, status=401)
        if owner != key.key:
            raise Refused(WRONG_OWNER)
        wallet = self.wallet_for(signed)
        if signed.signature_type != WalletKind.DEPOSIT:
            may_sign = signed.signer.lower() == key.address
        else:
            may_sign = signed.signer.lower() == signed.maker.lower() and (
                wallet is None or wallet.may_sign(key.address, now_ms=now_ms)
            )
        if not may_sign:
            raise Refused(WRONG_SIGNER)
        if wallet is None or not wallet.may_sign(key.address, now_ms=now_ms):
            raise Refused(MAKER_UNKNOWN)
        if wallet.kind is WalletKind.EOA and not any_maker and wallet.address not in self.admitted:
            raise Refused(MAKER_UNKNOWN)
        self._check_standing(signed, wallet, key)
        return wallet

    def dump(self) -> dict[str, Any]:
        """Everything, in plain JSON values; `restore` takes it back."""
        return {
            "keys": [asdict(key) for key in self.keys.values()],
            "used": [[address, nonce, key] for (address, nonce), key in self._used.items()],
            "readonlyMade": dict(self._readonly_made),
            "wallets": [
                {
                    "address": wallet.address,
                    "kind": int(wallet.kind),
                    "owner": wallet.owner,
                    "sessionKeys": dict(wallet.session_keys),
                }
                for wallet in self.wallets.values()
            ],
            "admitted": sorted(self.admitted),
            "banned": sorted(self.banned),
            "closedOnly": sorted(self.closed_only),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what was dumped; whatever was known before is forgotten."""
        self.keys = {row["key"]: ApiKey(**row) for row in state["keys"]}
        self._used = {(address, nonce): key for address, nonce, key in state["used"]}
        self._readonly_made = dict(state["readonlyMade"])
        self.wallets = {
            row["address"]: Wallet(
                address=row["address"],
                kind=WalletKind(row["kind"]),
                owner=row["owner"],
                session_keys=dict(row["sessionKeys"]),
            )
            for row in state["wallets"]
        }
        self.admitted = set(state["admitted"])
        self.banned = set(state["banned"])
        self.closed_only = set(state["closedOnly"])
        self._begun = {}

    def _make(self, kind: str, address: str, nonce: int, *, readonly: bool) -> ApiKey:
        account(address)

        def drawn(part: str) -> bytes:
            return sha256(f"sandbox:{self._seed}:{kind}:{address}:{nonce}:{part}".encode()).digest()

        return ApiKey(
            key=str(UUID(bytes=drawn("key")[:16], version=4)),
            secret=urlsafe_b64encode(drawn("secret")).decode(),
            passphrase=drawn("passphrase").hex(),
            address=address,
            nonce=nonce,
            readonly=readonly,
        )

    def _shown_key(
        self, headers: Mapping[str, str], method: str, path: str, body: bytes, now_ms: int
    ) -> ApiKey | None:
        address = headers.get("poly_address", "").lower()
        key = self.keys.get(headers.get("poly_api_key", ""))
        if key is None:
            key = self.keys.get(headers.get("poly_readonly_api_key", ""))
            return key if key is not None and key.readonly and key.address == address else None
        timestamp = headers.get("poly_timestamp", "")
        if key.address != address or not self._is_fresh(timestamp, now_ms):
            return None
        begun = self._begun.get(key.key) or self._begun.setdefault(key.key, keyed(key.secret))
        signature = request_signature(begun, timestamp=timestamp, method=method, path=path, body=body)
        # one comparison, in a time that tells nothing of where they differ
        shown = headers.get("poly_signature", "") + headers.get("poly_passphrase", "")
        return key if hmac.compare_digest(shown.encode(), (signature + key.passphrase).encode()) else None

    def _is_fresh(self, timestamp: str, now_ms: int) -> bool:
        try:
            return abs(_whole(timestamp) * 1000 - now_ms) <= self._skew_max_ms
        except ValueError:
            return False

    def _check_standing(self, signed: SignedOrder, wallet: Wallet, key: ApiKey) -> None:
        concerned = (wallet.address, key.address)
        for address in concerned:
            if address in self.banned:
                raise Refused(f"'{address}' address banned")
        if signed.side is Side.SELL:
            return
        for address in concerned:
            if address in self.closed_only or key.key in self.closed_only:
                raise Refused(f"'{address}' address in closed only mode")


def _whole(text: str) -> int:
    """A whole number in plain digits.

    Raises:
        ValueError: anything else.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)
