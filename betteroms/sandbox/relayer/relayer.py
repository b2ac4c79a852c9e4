"""The relayer: carries out for wallets, one after another, what their owners signed, and pays the gas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from betteroms.sandbox.accounts import Members
from betteroms.sandbox.chain import Call, Chain
from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.chain.chain import GAS_PRICE, TIP
from betteroms.sandbox.chain.records import Record
from betteroms.sandbox.chain.transactions import DYNAMIC_FEE
from betteroms.sandbox.model import Refused
from betteroms.sandbox.relayer.envelopes import PROXY, Envelope, Reader
from betteroms.sandbox.relayer.keys import Naming
from betteroms.sandbox.schedule import Schedule
from betteroms.sandbox.signing import WalletKind
from betteroms.sandbox.signing.wallets import deposit_wallet, old_deposit_wallet, safe_wallet

JOBS_MAX: Final = 100_000
GAS: Final = 500_000


class State(StrEnum):
    """How far a transaction has come (VENUE 8)."""

    NEW = "STATE_NEW"
    EXECUTED = "STATE_EXECUTED"
    MINED = "STATE_MINED"
    CONFIRMED = "STATE_CONFIRMED"
    INVALID = "STATE_INVALID"
    FAILED = "STATE_FAILED"

    @property
    def busy(self) -> bool:
        """Whether its wallet has to wait for it."""
        return self in (State.NEW, State.EXECUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An envelope on its way. `hash` is empty until it is sent to the chain, `error` unless it failed."""

    id: str
    envelope: Envelope
    state: State
    hash: str
    error: str
    created_ms: int
    updated_ms: int


class Relayer:
    def __init__(
        self,
        *,
        chain: Chain,
        members: Members,
        schedule: Schedule,
        now: Callable[[], int],
        name: Naming,
        mined_after_ms: int,
        confirmed_after_ms: int,
    ) -> None:
        self._chain = chain
        self._members = members
        self._schedule = schedule
        self._now = now
        self._name = name
        self._mined_after_ms = mined_after_ms
        self._confirmed_after_ms = max(confirmed_after_ms, mined_after_ms)
        self._jobs: dict[str, Job] = {}
        self._busy: set[str] = set()
        self.relay = "0x" + name("relay")[:20].hex()
        """The account that the relayer sends from."""
        self._reader = Reader(members, self.relay)
        schedule.handle("relayed", self._go_on)

    def submit(self, body: object) -> Job:
        """Take an envelope on.

        Raises:
            Refused: 400, it is not in order, not its turn, or too late.
        """
        now_ms = self._now()
        envelope = self._reader.read(body, now_ms)
        self._check(envelope, now_ms)
        number = len(self._jobs)
        job = Job(
            id=str(UUID(bytes=self._name("relayed", number)[:16], version=4)),
            envelope=envelope,
            state=State.NEW,
            hash="",
            error="",
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        self._jobs[job.id] = job
        self._busy.add(envelope.wallet)
        for state, after_ms in (
            (State.EXECUTED, self._mined_after_ms // 2),
            (State.MINED, self._mined_after_ms),
            (State.CONFIRMED, self._confirmed_after_ms),
        ):
            self._schedule.at(now_ms + after_ms, "relayed", id=job.id, state=state.value)
        return job

    def job(self, job_id: str) -> Job:
        """Raises:
        Refused: 404, there is none.
        """
        job = self._jobs.get(job_id)
        if job is None:
            raise Refused("transaction not found", status=404)
        return job

    def nonce(self, address: str, kind: str) -> int:
        """The nonce for the next envelope of an account's wallet of that kind.

        Raises:
            Malformed: not an address.
        """
        address = address.lower()
        if kind == PROXY:
            counter = address
        elif kind.startswith("SAFE"):
            counter = safe_wallet(address)
        else:
            counter = self._deposit_wallet_of(address)
        return self._chain.wallets.nonces.get(counter, 0)

    def dump(self) -> dict[str, Any]:
        """Everything, in plain JSON values; `restore` takes it back."""
        return {"jobs": [_job_row(job) for job in self._jobs.values()]}

    def restore(self, dumped: Mapping[str, Any]) -> None:
        self._jobs = {row["id"]: _job_of(row) for row in dumped["jobs"]}
        self._busy = {job.envelope.wallet for job in self._jobs.values() if job.state.busy}

    def _deposit_wallet_of(self, address: str) -> str:
        """The one it owns, the old one if that exists, or the one it is a session key of."""
        for wallet in self._members.wallets.values():
            if wallet.kind is WalletKind.DEPOSIT and address in wallet.session_keys:
                return wallet.address
        old = old_deposit_wallet(address)
        return old if self._chain.wallets.deployed(old) else deposit_wallet(address)

    def _check(self, envelope: Envelope, now_ms: int) -> None:
        wallets = self._chain.wallets
        deployed = wallets.deployed(envelope.wallet)
        if envelope.wallet in self._busy:
            raise Refused("wallet has in-flight action")
        if envelope.makes_wallet and deployed:
            raise Refused("wallet already deployed")
        if not envelope.makes_wallet and not deployed and envelope.kind != PROXY:
            raise Refused("wallet not deployed")
        if envelope.nonce is not None:
            expected = wallets.nonces.get(envelope.counter, 0)
            if envelope.nonce != expected:
                raise Refused(f"batch nonce {envelope.nonce} does not match on-chain nonce {expected}")
        if _is_late(envelope, now_ms):
            raise Refused("deadline expired")
        if len(self._jobs) >= JOBS_MAX:
            raise Refused("too many transactions", status=429)

    def _go_on(self, values: Mapping[str, Any], now_ms: int) -> None:
        job = self._jobs[values["id"]]
        state = State(values["state"])
        if job.state in (State.FAILED, State.INVALID):
            return
        changed = replace(job, state=state, updated_ms=now_ms)
        if state is State.EXECUTED:
            changed = replace(changed, hash=self._hash_of(job))
        elif state is State.MINED:
            self._busy.discard(job.envelope.wallet)
            changed = self._carry_out(changed, now_ms)
        self._jobs[job.id] = changed

    def _hash_of(self, job: Job) -> str:
        return "0x" + self._name("relayed-transaction", job.id).hex()

    def _carry_out(self, job: Job, now_ms: int) -> Job:
        envelope, nonces = job.envelope, self._chain.wallets.nonces
        if _is_late(envelope, now_ms):
            return replace(job, state=State.INVALID, error="deadline expired")
        try:
            self._chain.carry_out(self._record(job), envelope.calls, now_ms)
        except Revert as e:
            # a relayed proxy call uses its nonce up even so; the other wallets take nothing of it back
            nonces[envelope.counter] += envelope.kind == PROXY
            return replace(job, state=State.FAILED, error=f"execution reverted: {e.text}".rstrip(": "))
        self._chain.wallets.deploy(envelope.wallet)
        if envelope.nonce is not None:
            nonces[envelope.counter] += 1
        return job

    def _record(self, job: Job) -> Record:
        nonces = self._chain.coins.nonces
        nonces[self.relay] += 1
        return Record(
            hash=job.hash,
            kind=DYNAMIC_FEE,
            sender=self.relay,
            to=job.envelope.wallet,
            nonce=nonces[self.relay] - 1,
            gas=GAS,
            gas_price=GAS_PRICE,
            tip=TIP,
            value=0,
            data="0x",
            gas_used=GAS // 2,
        )


def _is_late(envelope: Envelope, now_ms: int) -> bool:
    return envelope.deadline_s is not None and now_ms > envelope.deadline_s * 1000


def _job_row(job: Job) -> dict[str, Any]:
    row = {field.name: getattr(job, field.name) for field in fields(job)}
    envelope = {field.name: getattr(job.envelope, field.name) for field in fields(job.envelope)}
    envelope["calls"] = [[call.sender, call.to, call.value, call.data.hex()] for call in job.envelope.calls]
    return {**row, "state": job.state.value, "envelope": envelope}


def _job_of(row: Mapping[str, Any]) -> Job:
    calls = tuple(
        Call(sender=sender, to=to, value=value, data=bytes.fromhex(data))
        for sender, to, value, data in row["envelope"]["calls"]
    )
    envelope = Envelope(**{**row["envelope"], "calls": calls})
    return Job(**{**row, "state": State(row["state"]), "envelope": envelope})
