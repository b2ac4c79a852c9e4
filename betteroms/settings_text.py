"""How each kind of setting is read from its text: checked, exact, and never quoted where it may be secret.

Each function raises ValueError with words for the operator, to which the caller adds the variable's name.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from betteroms.domain.money import MICROS, Usdc, to_micros, to_text
from betteroms.domain.secret import Secret
from betteroms.domain.terms import SellFrom
from betteroms.jobs.notices import Kind

DOLLARS_MAX: Final = Usdc(10**12 * MICROS)
"""Below this amount everything fits the database's columns."""
HTTP_TIMEOUT_MIN: Final = timedelta(milliseconds=100)
HTTP_TIMEOUT_MAX: Final = timedelta(minutes=5)
BOOK_AGE_SECONDS_MAX: Final = 86_400
NOTICES: Final = tuple(kind.value for kind in Kind)
NOTICES_DEFAULT: Final = (Kind.FAILURES.value, Kind.TRIPS.value, Kind.DIGEST.value)
MINUTES_PER_HOUR: Final = 60
MINUTES_PER_DAY: Final = 1440
# The order of the curve secp256k1: private keys lie below it.
_KEY_BOUND: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_LOOPBACK: Final = re.compile(r"localhost|::1|127(\.[0-9]{1,3}){3}")
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:@\[\]]*)(:[0-9]{0,5})?")


def private_key(text: str) -> Secret:
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise ValueError("a private key is 64 hexadecimal digits, with or without 0x; this is not one")
    if not 0 < int(digits, 16) < _KEY_BOUND:
        raise ValueError("no wallet has this private key")
    return Secret(f"0x{digits.lower()}")


def secret(text: str) -> Secret:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("holds a space or a character that no credential has")
    return Secret(text)


def address(text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise ValueError("a wallet address is 0x and 40 hexadecimal digits")
    return text


def _split(text: str) -> SplitResult:
    # What urlsplit complains of may quote the password, so its words are not passed on.
    try:
        return urlsplit(text)
    except ValueError:
        raise ValueError("is not a URL") from None


def database(text: str) -> Secret:
    parts = _split(text)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError("must begin with postgresql://")
    if not text.isprintable() or " " in text:
        raise ValueError("holds a space or an unprintable character; write it as %20 and the like")
    if not all(_HOST.fullmatch(host) for host in parts.netloc.rpartition("@")[2].split(",")):
        raise ValueError("in a password, write @ : / ? # as %40 %3A %2F %3F %23")
    return Secret(f"postgresql:{text.partition(':')[2]}")


def _url(secure: str, text: str, *, keyed: bool = False) -> str:
    """A URL of the venue: encrypted, unless it is this machine's.

    `keyed` admits a query, where providers of chain nodes like to put their key.
    """
    parts = _split(text)
    plain = {"https": "http", "wss": "ws"}[secure]
    try:
        usable = parts.scheme in (secure, plain) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise ValueError(f"must be a URL that begins with {secure}://")
    if parts.scheme == plain and not _LOOPBACK.fullmatch(parts.hostname or ""):
        raise ValueError(f"{plain}:// is only for this machine (127.0.0.1); use {secure}://")
    if "@" in parts.netloc or parts.fragment or (parts.query and not keyed):
        raise ValueError("must not hold a user, a query or a fragment")
    return text.rstrip("/")


def https(text: str) -> str:
    return _url("https", text)


def wss(text: str) -> str:
    return _url("wss", text)


def node(text: str) -> Secret:
    return Secret(_url("https", text, keyed=True))


def directory(text: str) -> Path:
    # A relative home would be another, empty ledger in each directory the command is called from.
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError("~ cannot be resolved here; write the path out") from None
    if not path.is_absolute():
        raise ValueError("is not an absolute path")
    return path


def yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError(f"{_shown(text)} is neither yes nor no")
    return text.lower() == "yes"


def yes_text(value: bool) -> str:
    return "yes" if value else "no"


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"{_shown(text)} is not a whole number from {least} to {most}")
        return int(text)

    return read


def minutes(text: str) -> int:
    minutes = whole(1, MINUTES_PER_DAY)(text)
    if MINUTES_PER_HOUR % minutes and (minutes % MINUTES_PER_HOUR or MINUTES_PER_DAY % minutes):
        raise ValueError(f"cron cannot repeat every {minutes} minutes; take a divisor of 60, or of 24 hours")
    return minutes


def dollars(text: str) -> Usdc:
    micros = to_micros(text)
    if not 0 <= micros < DOLLARS_MAX:
        raise ValueError(f"{_shown(text)} is not an amount of dollars")
    return Usdc(micros)


def cap(text: str) -> Usdc:
    # Elsewhere 0 often means "no limit": too dangerous to be taken either way.
    cap = dollars(text)
    if cap == 0:
        raise ValueError("a cap of 0 would refuse every order; leave it unset for no cap")
    return cap


def fraction(text: str) -> int:
    micros = to_micros(text)
    if not 0 < micros <= MICROS:
        raise ValueError(f"{_shown(text)} is not above 0 and at most 1")
    return micros


def seconds(text: str) -> timedelta:
    micros = to_micros(text)
    least, most = (bound // timedelta(microseconds=1) for bound in (HTTP_TIMEOUT_MIN, HTTP_TIMEOUT_MAX))
    if not least <= micros <= most:
        raise ValueError(f"{_shown(text)} is not from {to_text(least)} to {to_text(most)} seconds")
    return timedelta(microseconds=micros)


def book_age(text: str) -> timedelta:
    return timedelta(seconds=whole(1, BOOK_AGE_SECONDS_MAX)(text))


def sell_from(text: str) -> SellFrom:
    if text.lower() not in list(SellFrom):
        raise ValueError(f"{_shown(text)} is none of {', '.join(SellFrom)}")
    return SellFrom(text.lower())


def seconds_text(duration: timedelta) -> str:
    return to_text(duration // timedelta(microseconds=1))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def services(text: str) -> Secret:
    """URLs of services that pass messages on, one after the other; which of them exist, apprise knows."""
    for number, url in enumerate(text.split(), start=1):
        if not re.match(r"[A-Za-z][A-Za-z0-9]*://\S", url) or not url.isprintable():
            raise ValueError(f"number {number} is not a URL such as json://127.0.0.1:8080")
    return Secret(" ".join(text.split()))


def notices(text: str) -> tuple[str, ...]:
    """Kinds of notifications with commas between them, brought into their usual order."""
    named = {name.strip().lower() for name in text.split(",") if name.strip()}
    unknown = sorted(named - set(NOTICES))
    if unknown:
        raise ValueError(f"{_shown(unknown[0])} is none of {', '.join(NOTICES)}")
    if not named:
        raise ValueError("names nothing; to be told nothing, leave BETTEROMS_NOTIFY_URLS unset")
    return tuple(name for name in NOTICES if name in named)
