"""Our key and its wallet: where the key comes from, whose money it moves, how the venue is asked."""

import getpass
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from betteroms.domain.errors import CredentialsUnusable, TransactionFailed, VenueUnreachable
from betteroms.domain.secret import Secret
from betteroms.domain.wallet import ApiCredentials, SignatureType, Wallet
from betteroms.settings import LOCAL_FILE, Settings
from betteroms.wiring.surroundings import clock, whole_file

if TYPE_CHECKING:
    import httpx

    from betteroms.adapters.keystore import Keystore
    from betteroms.adapters.polymarket.http import Service, Signing
    from betteroms.adapters.polymarket.node import Node
    from betteroms.domain.approval import Approval
    from betteroms.ports.wallet import Chain, Sender

PER_SECOND: Final = 8
BURST: Final = 20
"""Below the 100 questions in ten seconds that the venue allows about API keys (VENUE 7)."""
API: Final = ("POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE")


def keystore(settings: Settings) -> "Keystore":
    """The keystore of this home, which need not exist."""
    from betteroms.adapters.keystore import Keystore

    return Keystore(settings.home, whole_file=whole_file)


def owner_of(settings: Settings) -> str | None:
    """The key's own address, without opening a keystore; None where there is no key.

    Raises:
        CredentialsUnusable: the keystore cannot be read.
    """
    if settings.private_key is not None:
        from betteroms.adapters.polymarket.wallets import address_of

        return address_of(settings.private_key)
    kept = keystore(settings)
    return kept.address() if kept.exists() else None


def unlocked(settings: Settings, *, may_ask: bool = True) -> Settings:
    """The same settings with the private key: the environment's or `.env.local`'s, else the keystore's.

    What opens the keystore comes from the file that the settings name, from the system's keyring, or, where
    somebody can be asked (and `may_ask` allows it), from whoever sits there.

    Raises:
        CredentialsUnusable: there is no key, or it cannot be had.
    """
    if settings.private_key is not None:
        return settings
    kept = keystore(settings)
    if not kept.exists():
        raise CredentialsUnusable(
            "there is no private key: set POLYMARKET_PRIVATE_KEY, or betteroms keys import"
        )
    passphrase = _passphrase(settings, kept, may_ask=may_ask)
    return replace(settings, private_key=kept.open(passphrase))


def _passphrase(settings: Settings, kept: "Keystore", *, may_ask: bool) -> Secret:
    from betteroms.adapters.keystore import passphrase_in, remembered

    if settings.keystore_passphrase_file is not None:
        return passphrase_in(settings.keystore_passphrase_file)
    found = remembered(kept.address())
    if found is not None:
        return found
    if may_ask and sys.stdin is not None and sys.stdin.isatty():
        return Secret(getpass.getpass(f"passphrase of {kept.path}: ", stream=sys.stderr))
    raise CredentialsUnusable(
        "nothing opens the keystore: BETTEROMS_KEYSTORE_PASSPHRASE_FILE names no file, the system's keyring "
        "knows no passphrase, and nobody can be asked"
    )


def passphrase_in(path: Path) -> Secret:
    """What a passphrase file holds; see `adapters.keystore.passphrase_in`."""
    from betteroms.adapters.keystore import passphrase_in

    return passphrase_in(path)


def remember(address: str, passphrase: Secret) -> None:
    """Leave a passphrase to the system's keyring; see `adapters.keystore.remember`."""
    from betteroms.adapters.keystore import remember

    remember(address, passphrase)


def forget(address: str) -> bool:
    """Take it out again; whether there was one."""
    from betteroms.adapters.keystore import forget

    return forget(address)


def wallets_of(owner: str) -> tuple[Wallet, ...]:
    """Every wallet that a key's own address can have."""
    from betteroms.adapters.polymarket.wallets import wallets_of

    return wallets_of(owner)


def wallet(settings: Settings, owner: str) -> Wallet:
    """Whose money a key moves; the relayer is asked only where POLYMARKET_FUNDER does not say.

    Raises:
        CredentialsUnusable: the address is none of the key's wallets, or none is given and several could be.
        VenueUnreachable: none is given, and the relayer does not answer.
    """
    from betteroms.adapters.polymarket.relayed import is_deployed
    from betteroms.adapters.polymarket.wallets import classify

    with services(settings) as open_service:
        relayer = open_service(settings.relayer_url, None)
        return classify(
            owner,
            settings.funder,
            session_key=settings.session_key,
            deployed=lambda address: is_deployed(relayer, address),
        )


def deployed(settings: Settings, wallets: Sequence[Wallet]) -> dict[str, bool]:
    """By address, which of the wallet contracts exist. Raises VenueUnreachable."""
    from betteroms.adapters.polymarket.relayed import is_deployed

    with services(settings) as open_service:
        relayer = open_service(settings.relayer_url, None)
        return {
            each.address: is_deployed(relayer, each.address)
            for each in wallets
            if each.signature_type is not SignatureType.EOA
        }


def api_credentials(settings: Settings) -> ApiCredentials | None:
    """What the settings say of them; None unless all three are set."""
    if settings.api_key is None or settings.api_secret is None or settings.api_passphrase is None:
        return None
    return ApiCredentials(
        key=settings.api_key, secret=settings.api_secret, passphrase=settings.api_passphrase
    )


def made_credentials(settings: Settings, *, nonce: int) -> tuple[ApiCredentials, bool]:
    """The credentials of the key and a nonce, and whether they had to be made.

    Raises:
        CredentialsUnusable: there is no key, or the venue refuses it.
        VenueUnreachable: no usable answer.
    """
    from betteroms.adapters.polymarket.account import KeyDesk, attesting

    assert settings.private_key is not None
    with services(settings) as open_service:
        signing = attesting(settings.private_key, nonce=nonce, clock=clock())
        return KeyDesk(open_service(settings.clob_url, signing)).credentials()


def put_locally(values: Mapping[str, Secret]) -> Path:
    """Set lines of the `.env.local` here; where that is.

    Raises:
        OutputRefused: it is open to others, or cannot take them.
        OSError: it cannot be written.
    """
    from betteroms.adapters.local_file import set_lines

    path = Path.cwd() / LOCAL_FILE
    set_lines(path, values, whole_file=whole_file)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Approving:
    """What `set-allowances` works with; `every` holds all approvals, those of trading among them."""

    wallet: Wallet
    chain: "Chain"
    every: "tuple[Approval, ...]"
    open_sender: "Callable[[], Sender]"
    refresh: Callable[[], None]


@contextmanager
def approving(settings: Settings) -> Iterator[Approving]:
    """The chain as our wallet sees it, and what changes it; `settings` hold the private key.

    Nothing is signed before `open_sender` is called.

    Raises:
        CredentialsUnusable: key, wallet and credentials do not go together.
        VenueUnreachable: no usable answer.
    """
    from betteroms.adapters.polymarket.approvals import EVERY, WalletChain
    from betteroms.adapters.polymarket.membership import Membership, signing
    from betteroms.adapters.polymarket.transactions import OwnTransactions

    owner = owner_of(settings)
    assert owner is not None
    assert settings.private_key is not None
    key = settings.private_key
    whose = wallet(settings, owner)
    credentials = api_credentials(settings)
    if credentials is None:
        raise CredentialsUnusable(
            "the venue is told of new approvals with API credentials: betteroms generate-creds --write"
        )
    with ExitStack() as stack:
        open_service = stack.enter_context(services(settings))
        chain = stack.enter_context(node(settings))
        member = open_service(settings.clob_url, signing(credentials, owner=owner, clock=clock()))

        def sender() -> "Sender":
            if whose.signature_type is SignatureType.EOA:
                return OwnTransactions(chain, key)
            relayer = open_service(settings.relayer_url, None)
            return _relayed(settings, whose, credentials, relayer, stack)

        yield Approving(
            wallet=whose,
            chain=WalletChain(chain, whose.address),
            every=EVERY,
            open_sender=sender,
            refresh=lambda: Membership(member, wallet=whose).refresh("COLLATERAL", None),
        )


def _relayed(
    settings: Settings,
    whose: Wallet,
    credentials: ApiCredentials,
    relayer: "Service",
    stack: ExitStack,
) -> "Sender":
    from polymarket import RelayerApiKey, SecureClient, errors

    from betteroms.adapters.polymarket.environment import environment, revealed
    from betteroms.adapters.polymarket.relayed import RelayedTransactions, is_deployed

    assert settings.private_key is not None
    if settings.relayer_api_key is None:
        raise CredentialsUnusable(
            f"the {whose.name} is changed through the venue's relayer, which wants a key of its own: "
            "POLYMARKET_RELAYER_API_KEY"
        )
    # The venue's client would make a deposit wallet that is missing, which nobody asked for here.
    if not is_deployed(relayer, whose.address):
        raise TransactionFailed(
            f"the {whose.name} {whose.address} does not exist yet: sign in at the venue's page once"
        )
    try:
        client = SecureClient.create(
            private_key=settings.private_key.reveal(),
            wallet=whose.address,
            environment=environment(settings),
            credentials=revealed(credentials),
            api_key=RelayerApiKey(
                key=settings.relayer_api_key.reveal(),
                address=settings.relayer_api_key_address or whose.owner,
            ),
        )
    except (errors.UserInputError, errors.RequestRejectedError) as fault:
        raise CredentialsUnusable(f"the venue refuses key, wallet or credentials: {fault}") from None
    except errors.PolymarketError as fault:
        raise VenueUnreachable(f"the venue's client: {fault}") from None
    stack.callback(client.close)
    return RelayedTransactions(client)


@contextmanager
def services(settings: Settings) -> "Iterator[Callable[[str, Signing | None], Service]]":
    """Opens services of the venue by their URL, and by how a question shows who asks; closed in the end."""
    from betteroms.adapters.polymarket.http import Patience, Service, new_client
    from betteroms.adapters.polymarket.limiter import Limiter

    timeout = settings.http_timeout
    patience = Patience(connect=timeout, read=timeout, attempts=settings.http_attempts)
    time = clock()
    with new_client(patience) as client:

        def open_service(url: str, signing: "Signing | None") -> Service:
            return Service(
                url,
                client=client,
                patience=patience,
                limiter=Limiter(per_second=PER_SECOND, burst=BURST),
                clock=time,
                notes=[],
                signing=signing,
            )

        yield open_service


@contextmanager
def node(settings: Settings) -> "Iterator[Node]":
    """A node of the chain; closed in the end."""
    from betteroms.adapters.polymarket.http import Patience, new_client
    from betteroms.adapters.polymarket.node import Node

    timeout = settings.http_timeout
    client: httpx.Client
    with new_client(Patience(connect=timeout, read=timeout, attempts=settings.http_attempts)) as client:
        yield Node(settings.rpc_url, client=client)
