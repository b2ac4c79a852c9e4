"""SIGKILL for `generate-creds` and `set-allowances`: typed again they do what is missing, nothing twice."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from betteroms.adapters.polymarket.approvals import EVERY
from betteroms.domain.approval import UNLIMITED, Approval, Holds
from betteroms.settings import load
from tests.cli.members import inside, keyed, member, members_venue, people
from tests.sandbox.running import Venue
from tests.sandbox.stage import Trader
from tests.simulation.live_processes import Heard, Moment, Shell, Side, When, Zygote
from tests.simulation.proxy import Message

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is for unix")

PEOPLE: Final = people()
KEY_NAMES: Final = ("POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE")
BESIDE: Final = "BETTEROMS_PAPER_CASH=7\n"
OpenShell = Callable[[Venue, dict[str, str]], Shell]


@pytest.fixture
def venue() -> Iterator[Venue]:
    with members_venue() as running:
        yield running


@pytest.fixture
def open_shell(zygote: Zygote, one_certificate: Path, tmp_path: Path) -> OpenShell:
    def opened(venue: Venue, settings: dict[str, str]) -> Shell:
        def environment(_: str, url: str) -> dict[str, str]:
            moved = {name: text.replace(venue.url, url) for name, text in settings.items()}
            return {"BETTEROMS_HOME": str(tmp_path / "home"), **moved}

        return Shell(
            zygote=zygote,
            port=venue.port,
            directory=tmp_path,
            environment=environment,
            certificate=one_certificate,
        )

    return opened


def around(message: Message) -> list[Moment]:
    words = f"{message.kind} {message.text}"
    return [
        Moment(side=Side.VENUE, number=message.number, when=when, words=words)
        for when in (When.BEFORE, When.AFTER)
    ]


def done(heard: Heard) -> Heard:
    assert heard.told.code == 0, heard.told
    return heard


def test_credentials_are_made_once_and_written_whole_whenever_the_command_was_killed(
    open_shell: OpenShell, tmp_path: Path
) -> None:
    somebody, file = PEOPLE["deposit"], tmp_path / ".env.local"
    words = ("generate-creds", "--write", "--json")
    with members_venue() as venue:
        heard = done(open_shell(venue, keyed(venue, somebody)).run(*words))
    made = next(message for message in heard.venue if message.text == "/auth/api-key")
    for moment in [*around(made), *around(heard.venue[-1])]:
        file.write_text(BESIDE, encoding="utf-8")
        file.chmod(0o600)
        with members_venue() as venue:
            shell = open_shell(venue, keyed(venue, somebody))
            assert shell.run(*words, kill=moment).struck, f"there was no {moment}"
            done(shell.run(*words))
            (key,) = inside(venue).members.keys_of(somebody.signer)
        settings = load({}, cwd=tmp_path)
        found = (settings.api_key, settings.api_secret, settings.api_passphrase)
        assert [each and each.reveal() for each in found] == [key.key, key.secret, key.passphrase], moment
        assert file.read_text(encoding="utf-8").startswith(BESIDE), f"{moment}: the file was not kept whole"


def changes(kind: str, heard: Heard) -> list[Message]:
    """What changes something on the chain; of an account's own transactions, one in the middle."""
    if kind != "eoa":
        return [message for message in heard.venue if message.text == "/relayer/submit"]
    sent = [message for message in heard.venue if b"eth_sendRawTransaction" in message.raw]
    return [sent[len(sent) // 2]]


@pytest.mark.parametrize("kind", ["eoa", "proxy", "safe", "deposit"])
def test_approvals_are_finished_whenever_the_command_was_killed(kind: str, open_shell: OpenShell) -> None:
    somebody, words = PEOPLE[kind], ("set-allowances", "--yes", "--json")
    with members_venue() as venue:
        heard = done(open_shell(venue, member(venue, somebody)).run(*words))
        usual = count_of(venue, somebody)
    found = changes(kind, heard)
    assert found
    for moment in [moment for message in found for moment in around(message)]:
        with members_venue() as venue:
            shell = open_shell(venue, member(venue, somebody))
            assert shell.run(*words, kill=moment).struck, f"there was no {moment}"
            done(shell.run(*words))
            for each in EVERY:
                wanted = (UNLIMITED if each.holds is Holds.DOLLARS else 1) if each.trading else 0
                assert granted(venue, somebody, each) == wanted, (moment, each.reason)
            assert count_of(venue, somebody) == usual, f"{moment}: something was sent twice"


def granted(venue: Venue, somebody: Trader, approval: Approval) -> int:
    """What the chain says."""
    bank, wallet, spender = inside(venue).bank, somebody.wallet.lower(), approval.spender.lower()
    if approval.holds is Holds.DOLLARS:
        return bank.allowance(wallet, spender)
    return int(bank.is_operator(wallet, approval.token.lower(), spender))


def count_of(venue: Venue, somebody: Trader) -> int:
    """How many transactions somebody's account has sent; zero where the relayer sends them."""
    return inside(venue).chain.next_nonce(somebody.signer.lower(), pending=True)
