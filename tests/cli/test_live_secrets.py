"""Every byte that the commands about keys write: none holds a key, a credential or a signature."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from betteroms.settings import LOCAL_FILE
from tests.cli.conftest import Ran
from tests.cli.members import inside, key_of, member, members_venue, people
from tests.sandbox.running import Venue
from tests.simulation.httpproxy import Proxy

Cli = Callable[..., Ran]
PASSPHRASE = "correct horse battery"
SIGNATURES = re.compile(r"(?i)poly_signature: (\S+)|(0x[0-9a-f]{130,})")
COMMANDS = (
    ("generate-creds",),
    ("generate-creds", "--json"),
    ("generate-creds", "--write"),
    ("keys", "show-address"),
    ("keys", "show-address", "--json"),
    ("set-allowances", "--yes"),
    ("set-allowances", "--revoke", "--yes", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("db", "status"),
)
BROKEN = {
    "POLYMARKET_FUNDER": "0x" + "22" * 20,
    "POLYMARKET_API_SECRET": "bm90LXRoZS1zZWNyZXQ=",
    "POLYMARKET_RELAYER_API_KEY": "not-the-relayers-key",
    "BETTEROMS_CLOB_URL": "http://127.0.0.1:1",
    "BETTEROMS_RPC_URL": "http://127.0.0.1:1/v3/the-key-of-a-node",
}


@pytest.fixture
def venue() -> Iterator[Venue]:
    with members_venue() as running:
        yield running


def kept(sql: psycopg.Connection[Any]) -> str:
    """Everything in the database."""
    names = sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return "".join(str(sql.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in names)


def files(*places: Path, but: frozenset[str]) -> str:
    """What was written anywhere, but for the files that are made to keep secrets."""
    found = [path for place in places for path in place.rglob("*") if path.is_file() and path.name not in but]
    return "".join(path.read_bytes().decode("latin-1") for path in found if "postgres" not in path.parts)


@pytest.mark.parametrize("kind", ["eoa", "deposit"])
def test_no_byte_gives_a_secret_away(
    kind: str,
    cli: Cli,
    venue: Venue,
    sql: psycopg.Connection[Any],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import io
    import sys

    somebody, own = people()[kind], tmp_path / "own"
    written: list[Ran] = []
    with Proxy(venue.port) as proxy:
        settings = {
            name: text.replace(f":{venue.port}", f":{proxy.port}")
            for name, text in member(venue, somebody, BETTEROMS_HTTP_ATTEMPTS="1").items()
        }
        for words in COMMANDS:
            written.append(cli("--debug", "--verbose", *words, **settings))
        for name, wrong in BROKEN.items() if kind == "deposit" else ():
            for words in (("generate-creds",), ("set-allowances", "--yes"), ("doctor",)):
                written.append(cli("--debug", "--verbose", *words, **{**settings, name: wrong}))
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{somebody.private_key}\n{PASSPHRASE}\n"))
        written.append(cli("keys", "import", "--passphrase-stdin", BETTEROMS_HOME=str(own)))
    assert [ran.code for ran in written[: len(COMMANDS)]] == [0] * len(COMMANDS)
    key = key_of(venue, somebody)
    secrets = {somebody.private_key[2:], key.key, key.secret, key.passphrase, PASSPHRASE}
    secrets |= {settings["POLYMARKET_RELAYER_API_KEY"], "the-key-of-a-node", *BROKEN_WORDS}
    heard = SIGNATURES.findall("\n".join(message.raw.decode() for message in proxy.log))
    signatures = {word.removeprefix("0x") for pair in heard for word in pair if word}
    assert len(signatures) > 10
    told = "".join(ran.out + ran.err for ran in written)
    everything = told + kept(sql) + files(home, tmp_path, but=frozenset({LOCAL_FILE, "keystore.json"}))
    assert len(everything) > 10_000
    lower = everything.lower()
    assert {secret for secret in secrets if secret.lower() in lower} == set()
    assert {signature for signature in signatures if signature.lower() in lower} == set()
    local = (tmp_path / LOCAL_FILE).read_text(encoding="utf-8")
    assert key.secret in local
    assert somebody.private_key[2:] not in local + (own / "keystore.json").read_text(encoding="utf-8")
    assert inside(venue).members.keys_of(somebody.signer) == [key]


BROKEN_WORDS = {BROKEN["POLYMARKET_API_SECRET"], BROKEN["POLYMARKET_RELAYER_API_KEY"]}
