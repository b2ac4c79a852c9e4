"""What `doctor` looks at before money moves: key, wallet, credentials, venue, approvals, the switch."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from betteroms.domain.approval import PLENTY, Holds, Standing
from betteroms.domain.errors import BetterOmsError, CredentialsUnusable, VenueUnreachable
from betteroms.domain.money import to_text
from betteroms.domain.switch import SwitchState
from betteroms.domain.wallet import Wallet
from betteroms.jobs.findings import Finding, Level

PROTOCOL: Final = 2
"""The version of the venue's order protocol that we sign for. Source: VENUE 2.7."""
DOMAINS: Final = 3
"""So many contracts settle orders, each a signing domain of its own."""
POL_MIN: Final = 10**17
"""A tenth of a POL pays for some dozens of approvals."""
POL: Final = 10**18


class LiveGround(Protocol):
    """What there is to look at of a key and its wallet. Whatever asks the venue raises VenueUnreachable."""

    @property
    def credentials_missing(self) -> Sequence[str]: ...

    def opens(self) -> None:
        """Raises CredentialsUnusable where the key cannot be had without asking somebody."""
        ...

    def wallet(self) -> Wallet:
        """Raises CredentialsUnusable."""
        ...

    def credentials_known(self) -> bool: ...
    def protocol(self) -> int: ...
    def blocked(self) -> str | None:
        """The country that the venue does not serve, None where it does."""
        ...

    def closed_only(self) -> bool: ...
    def tier(self) -> str: ...
    def approvals(self) -> Sequence[Standing]: ...
    def dollars(self) -> tuple[int, int]:
        """On the chain, and as the venue believes; base units."""
        ...

    def gas(self) -> int | None:
        """The wallet's POL in wei; None where somebody else pays for gas."""
        ...

    def switch(self) -> SwitchState | None:
        """None where the database has no place for it yet. Raises DatabaseUnavailable."""
        ...

    def ledger_wallet(self) -> str | None:
        """Whose live books the database holds; None where it holds none. Raises as `switch`."""
        ...

    def proven(self) -> int:
        """For how many signing domains the venue named an order as we do. Raises as `switch`."""
        ...


Check = Callable[[LiveGround], Finding]


def key_line(ground: LiveGround, place: str) -> Finding:
    """Where the key is, and whether it can be had; never the key."""
    try:
        ground.opens()
    except CredentialsUnusable as fault:
        return Finding(check="key", level=Level.WARNING, text=f"in {place}: {fault}")
    text = f"set in {place}, and of the right shape: 64 hexadecimal digits"
    return Finding(check="key", level=Level.OK, text=text)


def examine_live(ground: LiveGround, *, offline: bool) -> Iterator[Finding]:
    """One finding after the other; `offline` leaves the venue and the chain alone."""
    yield _looked("switch", _switch, ground)
    if offline:
        missing = ground.credentials_missing
        if missing:
            yield _incomplete(missing)
        names = ["wallet", *(() if missing else ("credentials",)), *ASKING]
        yield from (Finding(check=name, level=Level.SKIPPED, text="not asked (--offline)") for name in names)
        return
    wallet, known = _looked("wallet", _wallet, ground), _looked("credentials", _credentials, ground)
    yield from (wallet, known)
    for name, check in ASKING.items():
        needed = [wallet] * (name in OF_WALLET) + [known] * (name in OF_MEMBER)
        lacking = next((finding.check for finding in needed if finding.level is not Level.OK), None)
        if lacking is None:
            yield _looked(name, check, ground)
        else:
            yield Finding(check=name, level=Level.SKIPPED, text=f"needs the line {lacking} to be ok")


def _looked(name: str, check: Check, ground: LiveGround) -> Finding:
    try:
        return check(ground)
    except BetterOmsError as fault:
        problems = [problem.strip() for problem in getattr(fault, "problems", ())]
        text = "; ".join([str(fault).splitlines()[0], *problems])
        return Finding(check=name, level=Level.FAILED, text=text, fault=type(fault))


def _wallet(ground: LiveGround) -> Finding:
    found = ground.wallet()
    text = f"{found.address}, {found.name} (type {found.signature_type.value}) of the key {found.owner}"
    return Finding(check="wallet", level=Level.OK, text=text)


def _credentials(ground: LiveGround) -> Finding:
    if ground.credentials_missing:
        return _incomplete(ground.credentials_missing)
    if not ground.credentials_known():
        text = "the venue refuses them for this key, or our clock: betteroms generate-creds --write"
        return Finding(check="credentials", level=Level.FAILED, text=text, fault=CredentialsUnusable)
    return Finding(check="credentials", level=Level.OK, text="the venue takes them for this key")


def _incomplete(missing: Sequence[str]) -> Finding:
    text = f"incomplete: {', '.join(missing)} not set: betteroms generate-creds --write"
    return Finding(check="credentials", level=Level.WARNING, text=text)


def _protocol(ground: LiveGround) -> Finding:
    version = ground.protocol()
    if version != PROTOCOL:
        text = f"the venue speaks version {version} and this program {PROTOCOL}: no live order is placed"
        return Finding(check="protocol", level=Level.FAILED, text=text, fault=VenueUnreachable)
    return Finding(check="protocol", level=Level.OK, text=f"version {version}, as this program signs")


def _place(ground: LiveGround) -> Finding:
    country = ground.blocked()
    if country is not None:
        text = f"the venue does not trade with this place ({country})"
        return Finding(check="place", level=Level.WARNING, text=text)
    return Finding(check="place", level=Level.OK, text="the venue trades with this place")


def _standing(ground: LiveGround) -> Finding:
    if ground.closed_only():
        text = "closed-only: this account may sell, and buy nothing"
        return Finding(check="standing", level=Level.WARNING, text=text)
    return Finding(check="standing", level=Level.OK, text="the account may buy and sell")


def _tier(ground: LiveGround) -> Finding:
    return Finding(check="tier", level=Level.OK, text=f"the venue counts orders by its tier {ground.tier()}")


def _allowances(ground: LiveGround) -> Finding:
    missing = [each for each in ground.approvals() if not each.granted]
    if missing:
        names = ", ".join(each.approval.reason for each in missing)
        text = f"missing: {names}: betteroms set-allowances"
        return Finding(check="allowances", level=Level.WARNING, text=text)
    return Finding(check="allowances", level=Level.OK, text="trading has every approval it needs")


def _dollars(ground: LiveGround) -> Finding:
    there, believed = ground.dollars()
    if there != believed:
        text = (
            f"{to_text(there)} on the chain, {to_text(believed)} as the venue believes: it has not looked yet"
        )
        return Finding(check="dollars", level=Level.WARNING, text=text)
    limits = [each.granted for each in ground.approvals() if each.approval.holds is Holds.DOLLARS]
    short = [limit for limit in limits if limit < min(there, PLENTY)]
    if short:
        text = f"{to_text(there)}, of which only {to_text(min(short))} may be moved: betteroms set-allowances"
        return Finding(check="dollars", level=Level.WARNING, text=text)
    return Finding(check="dollars", level=Level.OK, text=f"{to_text(there)} in the wallet")


def _gas(ground: LiveGround) -> Finding:
    wei = ground.gas()
    if wei is None:
        return Finding(check="gas", level=Level.OK, text="the relayer pays for the wallet")
    text = f"{to_text(wei // (POL // 10**6))} POL"
    if wei < POL_MIN:
        text = f"{text}: not enough to set allowances; trading itself needs none"
        return Finding(check="gas", level=Level.WARNING, text=text)
    return Finding(check="gas", level=Level.OK, text=text)


def _switch(ground: LiveGround) -> Finding:
    meaning = {
        SwitchState.OFF: "live plans are refused",
        SwitchState.SHADOW: "what would be sent is recorded, and nothing is sent",
        SwitchState.ON: "live plans are traded",
    }
    state = ground.switch()
    if state is None:
        return Finding(check="switch", level=Level.SKIPPED, text="the schema is not this program's yet")
    return Finding(check="switch", level=Level.OK, text=f"{state.value}: {meaning[state]}")


def _ledger(ground: LiveGround) -> Finding:
    before, now = ground.ledger_wallet(), ground.wallet().address
    if before is None:
        return Finding(check="ledger", level=Level.OK, text="nothing live is in this database yet")
    if before.lower() != now.lower():
        text = f"this database holds the live books of {before}: every wallet needs a database of its own"
        return Finding(check="ledger", level=Level.FAILED, text=text, fault=CredentialsUnusable)
    return Finding(check="ledger", level=Level.OK, text="the live books of this database are the wallet's")


def _order_ids(ground: LiveGround) -> Finding:
    proven = ground.proven()
    text = f"proven for {proven} of {DOMAINS} contracts"
    if proven < DOMAINS:
        text = f"{text}; the first order of each of the others goes alone"
    return Finding(check="order ids", level=Level.OK, text=text)


ASKING: Final[dict[str, Check]] = {
    "protocol": _protocol,
    "place": _place,
    "standing": _standing,
    "tier": _tier,
    "allowances": _allowances,
    "dollars": _dollars,
    "gas": _gas,
    "ledger": _ledger,
    "order ids": _order_ids,
}
OF_WALLET: Final = frozenset({"allowances", "dollars", "gas", "ledger", "order ids"})
OF_MEMBER: Final = frozenset({"standing", "tier", "dollars"})
