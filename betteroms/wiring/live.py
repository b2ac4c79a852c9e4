"""The venue as a member: our key, its wallet, the venue's client, and what carries live orders out.

Nothing of this is imported, and no key is read, before something live or in the shadow is to be done.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from betteroms.domain.errors import CredentialsUnusable, VenueUnreachable
from betteroms.domain.order import Denial
from betteroms.domain.secret import Secret
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from betteroms.domain.wallet import ApiCredentials, Wallet
from betteroms.executors.live import LiveExecutor
from betteroms.jobs.desk import MakeExecutor, Member
from betteroms.ports import Clock
from betteroms.settings import Settings

if TYPE_CHECKING:
    from threading import Event

    import psycopg
    from polymarket import SecureClient

    from betteroms.adapters.polymarket.http import Service, Signing
    from betteroms.adapters.polymarket.signing import OrderSigner
    from betteroms.domain.liquidity import LiquidityMemory
    from betteroms.domain.rounding import Rules
    from betteroms.pipeline import World
    from betteroms.ports import Executor, Ledger, Snapshot
    from betteroms.ports.trading import Standing, Venue

API: Final = {
    "POLYMARKET_API_KEY": "api_key",
    "POLYMARKET_API_SECRET": "api_secret",
    "POLYMARKET_API_PASSPHRASE": "api_passphrase",
}
READS_PER_SECOND: Final = 40
READS_BURST: Final = 50
"""At most 450 in the ten seconds for which the venue allows 900 to its ledger (VENUE 7)."""


class Keys:
    """Our key, and whose wallet it trades for: read when they are first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def settings(self) -> Settings:
        """The settings with the private key, wherever that is kept. Raises CredentialsUnusable."""
        from betteroms.wiring.account import unlocked

        return unlocked(self._settings)

    @cached_property
    def wallet(self) -> Wallet:
        """Whose money it is. Raises CredentialsUnusable, VenueUnreachable."""
        from betteroms.adapters.polymarket.wallets import address_of
        from betteroms.wiring.account import wallet

        return wallet(self.settings, address_of(self.key))

    @property
    def key(self) -> Secret:
        """The private key itself. Raises CredentialsUnusable."""
        assert self.settings.private_key is not None
        return self.settings.private_key

    @cached_property
    def signer(self) -> "OrderSigner":
        """What signs orders. Raises CredentialsUnusable, VenueUnreachable."""
        from betteroms.adapters.polymarket.signing import OrderSigner

        wallet = self.wallet
        return OrderSigner(
            self.key,
            wallet=wallet.address,
            signature_type=wallet.signature_type,
            session_key=wallet.session_key,
        )

    @cached_property
    def credentials(self) -> ApiCredentials:
        """What the venue knows our programs by. Raises CredentialsUnusable."""
        from betteroms.wiring.account import api_credentials

        found = api_credentials(self.settings)
        if found is None:
            missing = [f"{name} is not set" for name in API if not getattr(self.settings, API[name])]
            raise CredentialsUnusable(
                "live trading needs the venue's credentials: betteroms generate-creds --write", missing
            )
        return found


@dataclass(slots=True)
class Proofs:
    """The signing domains that executors proved, to be written down by whoever writes."""

    clock: Clock
    wallet: str
    told: set[str] = field(default_factory=set)
    executors: list[LiveExecutor] = field(default_factory=list)

    def newly(self) -> Sequence[Proven]:
        """What was proven since the last call."""
        found = {domain for executor in self.executors for domain in executor.proven} - self.told
        self.told |= found
        now = self.clock.now()
        return [Proven(wallet=self.wallet, domain=domain, at=now) for domain in sorted(found)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The venue opened for a member; closed by whoever opened it."""

    client: "SecureClient"
    venue: "Venue"
    standing: "Standing"
    wallet: Wallet


@contextmanager
def access(settings: Settings, keys: Keys, clock: Clock, notes: list[str]) -> Iterator[Access]:
    """The venue's client for our wallet, and our own questions beside it.

    Raises:
        CredentialsUnusable: a key is missing, or the venue refuses it.
        VenueUnreachable: no usable answer.
    """
    from betteroms.adapters.polymarket.health import health
    from betteroms.adapters.polymarket.http import Patience, new_client
    from betteroms.adapters.polymarket.member import Member as MemberAdapter
    from betteroms.adapters.polymarket.membership import Membership, signing
    from betteroms.adapters.polymarket.standing import AccountStanding

    wallet, credentials = keys.wallet, keys.credentials
    timeout = settings.http_timeout
    patience = Patience(connect=timeout, read=timeout, attempts=settings.http_attempts)
    with ExitStack() as stack:
        client = _client(keys)
        stack.callback(client.close)
        http = stack.enter_context(new_client(patience))

        def service(sign: "Signing | None") -> "Service":
            return _service(settings, http, patience, clock, notes, sign)

        ours = Membership(service(signing(credentials, owner=wallet.owner, clock=clock)), wallet=wallet)
        public = service(None)
        yield Access(
            client=client,
            venue=MemberAdapter(
                client, api_key=credentials.key.reveal(), wallet=wallet.address, ask_order=ours.order
            ),
            standing=AccountStanding(
                client,
                health=lambda: health(settings.clob_url, clock=clock, patience=patience),
                ask=public.get,
                refresh=ours.refresh,
            ),
            wallet=wallet,
        )


def _service(
    settings: Settings, http: Any, patience: Any, clock: Clock, notes: list[str], sign: "Signing | None"
) -> "Service":
    from betteroms.adapters.polymarket.http import Service
    from betteroms.adapters.polymarket.limiter import Limiter

    return Service(
        settings.clob_url,
        client=http,
        patience=patience,
        limiter=Limiter(per_second=READS_PER_SECOND, burst=READS_BURST),
        clock=clock,
        notes=notes,
        signing=sign,
    )


def _client(keys: Keys) -> "SecureClient":
    """The venue's client; wallet and credentials are given, so that it makes neither by itself."""
    from polymarket import SecureClient, errors

    from betteroms.adapters.polymarket.environment import environment, revealed
    from betteroms.wiring.account import deployed

    wallet, credentials = keys.wallet, keys.credentials
    # The client would make a deposit wallet that is missing, which nobody asked for here.
    if not all(deployed(keys.settings, (wallet,)).values()):
        raise CredentialsUnusable(
            f"the {wallet.name} {wallet.address} does not exist yet: sign in at the venue's page once"
        )
    try:
        return SecureClient.create(
            private_key=keys.key.reveal(),
            wallet=wallet.address,
            environment=environment(keys.settings),
            credentials=revealed(credentials),
        )
    except (errors.UserInputError, errors.SigningError) as fault:
        raise CredentialsUnusable(f"the venue's client refuses them: {fault}") from None
    except errors.RequestRejectedError as fault:
        if fault.status == 401:
            raise CredentialsUnusable(f"the venue refuses the credentials: {fault}") from None
        if fault.status == 403:
            raise CredentialsUnusable(
                f"the venue refuses this account, or this machine's address: {fault}"
            ) from None
        raise VenueUnreachable(f"signing in: {fault}") from None
    except errors.PolymarketError as fault:
        raise VenueUnreachable(f"signing in: {fault}") from None


def member_of(opened: Access, proofs: Proofs, keys: Keys, connection: "psycopg.Connection[Any]") -> Member:
    """The member's side of a desk."""
    from betteroms.adapters.postgres.sent import known_until, wallet_of

    return Member(
        venue=opened.venue,
        standing=opened.standing,
        wallet=opened.wallet.address,
        contract=keys.signer.domain,
        newly_proven=proofs.newly,
        known_until=lambda: known_until(connection),
        ledger_wallet=lambda: wallet_of(connection),
    )


def live(
    connection: "psycopg.Connection[Any]",
    ledger: "Ledger",
    opened: Access,
    proofs: Proofs,
    keys: Keys,
    clock: Clock,
) -> MakeExecutor:
    """What carries live orders out."""
    from betteroms.adapters.postgres.sent import unwanted
    from betteroms.adapters.postgres.switch import PostgresSwitch

    gate = PostgresSwitch(connection)

    def make(world: "World", _: "LiquidityMemory", __: Any, snapshot: "Snapshot") -> "Executor":
        known = ledger.proven(opened.wallet.address)
        proofs.told |= known
        executor = LiveExecutor(
            venue=opened.venue,
            signer=keys.signer,
            gate=gate,
            clock=clock,
            markets=world.markets,
            rules=_rules(world),
            booked=snapshot.settling.booked,
            proven=known,
            unwanted=unwanted(connection, Mode.LIVE),
        )
        proofs.executors.append(executor)
        return executor

    return make


def shadowed(paper: MakeExecutor, keys: Keys) -> MakeExecutor:
    """What carries orders out in the shadow; the key is read when the first of them is signed."""
    from betteroms.executors.shadow import ShadowExecutor

    def make(world: "World", memory: "LiquidityMemory", now: Any, snapshot: "Snapshot") -> "Executor":
        return ShadowExecutor(
            paper(world, memory, now, snapshot),
            signer=lambda: keys.signer,
            markets=world.markets,
            rules=_rules(world),
        )

    return make


def rehearsed(paper: MakeExecutor) -> MakeExecutor:
    """What stands in for live where all is thrown away."""
    from betteroms.executors.rehearsal import RehearsalExecutor

    def make(world: "World", memory: "LiquidityMemory", now: Any, snapshot: "Snapshot") -> "Executor":
        return RehearsalExecutor(paper(world, memory, now, snapshot))

    return make


def _rules(world: "World") -> "dict[Any, Rules]":
    return {token: rules for token, rules in world.rules.items() if not isinstance(rules, Denial)}


@contextmanager
def nudges(settings: Settings, nudge: "Event") -> Iterator[None]:
    """Have the venue's stream say when there is something to look at.

    Raises:
        CredentialsUnusable: a key is missing.
    """
    from betteroms.adapters.polymarket.environment import environment, revealed
    from betteroms.adapters.polymarket.hints import nudges

    keys = Keys(settings)
    wallet, credentials = keys.wallet, keys.credentials

    async def open_client() -> Any:
        from polymarket import AsyncSecureClient

        return await AsyncSecureClient.create(
            private_key=keys.key.reveal(),
            wallet=wallet.address,
            environment=environment(settings),
            credentials=revealed(credentials),
        )

    with nudges(open_client, nudge):
        yield
