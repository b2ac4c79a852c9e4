"""The encrypted keystore: what it keeps, what opens it, and what it refuses."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from betteroms.adapters import keystore as module
from betteroms.adapters.keystore import Keystore, passphrase_in
from betteroms.adapters.whole_file import whole_file
from betteroms.domain.errors import CredentialsUnusable, ExtraMissing, NotFound, OutputRefused
from betteroms.domain.secret import Secret

KEY = Secret("0x" + "4f" * 32)
ADDRESS = Account.from_key(KEY.reveal()).address
PASSPHRASE = Secret("correct horse battery")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Keystore:
    kept = Keystore(tmp_path_factory.mktemp("kept") / "home", whole_file=whole_file)
    assert kept.write(KEY, PASSPHRASE, force=False) == ADDRESS
    return kept


def copied(written: Keystore, home: Path, **changed: Any) -> Keystore:
    home.mkdir(exist_ok=True)
    content = {**json.loads(written.path.read_bytes()), **changed}
    kept = Keystore(home, whole_file=whole_file)
    kept.path.write_text(json.dumps(content), encoding="utf-8")
    kept.path.chmod(0o600)
    return kept


def test_what_was_kept_comes_back_and_other_programs_can_read_it(written: Keystore) -> None:
    assert written.open(PASSPHRASE) == KEY
    assert written.address() == ADDRESS
    content = json.loads(written.path.read_bytes())
    assert (content["version"], content["crypto"]["kdf"]) == (3, "scrypt")
    assert f"0x{bytes(Account.decrypt(content, PASSPHRASE.reveal())).hex()}" == KEY.reveal()


def test_the_file_is_its_owners_alone_and_holds_no_key(written: Keystore) -> None:
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    text = written.path.read_text(encoding="utf-8")
    assert KEY.reveal()[2:] not in text
    assert PASSPHRASE.reveal() not in text


def test_a_wrong_passphrase_opens_nothing(written: Keystore) -> None:
    with pytest.raises(CredentialsUnusable, match=r"^the passphrase does not open the keystore$"):
        written.open(Secret("something else"))


def test_what_is_there_is_not_replaced_by_accident(written: Keystore) -> None:
    with pytest.raises(OutputRefused):
        written.write(Secret("0x" + "11" * 32), PASSPHRASE, force=False)
    assert written.address() == ADDRESS


def test_where_there_is_none_that_is_told(tmp_path: Path) -> None:
    kept = Keystore(tmp_path, whole_file=whole_file)
    assert not kept.exists()
    for ask in (kept.address, kept.remove, lambda: kept.open(PASSPHRASE)):
        with pytest.raises(NotFound, match="there is no keystore at"):
            ask()


def test_it_can_be_removed(written: Keystore, tmp_path: Path) -> None:
    kept = copied(written, tmp_path)
    kept.remove()
    assert not kept.exists()


def test_a_file_that_others_can_read_is_refused(written: Keystore, tmp_path: Path) -> None:
    kept = copied(written, tmp_path)
    kept.path.chmod(0o640)
    with pytest.raises(CredentialsUnusable, match="open to others"):
        kept.open(PASSPHRASE)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"version": 3}', '{"address": "x", "version": 3}'])
def test_another_file_is_no_keystore(text: str, tmp_path: Path) -> None:
    kept = Keystore(tmp_path, whole_file=whole_file)
    kept.path.write_text(text, encoding="utf-8")
    kept.path.chmod(0o600)
    for ask in (kept.address, lambda: kept.open(PASSPHRASE)):
        with pytest.raises(CredentialsUnusable, match="is no keystore"):
            ask()


def test_a_damaged_keystore_opens_nothing(written: Keystore, tmp_path: Path) -> None:
    content = json.loads(written.path.read_bytes())
    other = "1" if content["crypto"]["ciphertext"][0] != "1" else "2"
    crypto = {**content["crypto"], "ciphertext": other + content["crypto"]["ciphertext"][1:]}
    with pytest.raises(CredentialsUnusable, match="the passphrase does not open"):
        copied(written, tmp_path, crypto=crypto).open(PASSPHRASE)
    with pytest.raises(CredentialsUnusable, match="no keystore that can be read"):
        copied(written, tmp_path, version=9).open(PASSPHRASE)


def test_a_passphrase_file_is_read_without_its_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(" with blanks \n", encoding="utf-8")
    file.chmod(0o600)
    assert passphrase_in(file) == Secret(" with blanks ")


@pytest.mark.parametrize(("text", "mode"), [("word", 0o644), ("\n", 0o600), (None, 0o600)])
def test_a_passphrase_file_that_is_open_empty_or_absent_is_refused(
    text: str | None, mode: int, tmp_path: Path
) -> None:
    file = tmp_path / "passphrase"
    if text is not None:
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
    with pytest.raises(CredentialsUnusable) as refused:
        passphrase_in(file)
    assert "word" not in str(refused.value).replace("passphrase", "")


def test_without_the_keyring_program_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    assert module.remembered(ADDRESS) is None
    assert not module.forget(ADDRESS)
    with pytest.raises(ExtraMissing, match=r"betteroms\[keyring\]"):
        module.remember(ADDRESS, PASSPHRASE)


@pytest.fixture
def system_keyring() -> Iterator[Any]:
    """The real program, with a keyring that forgets everything in the end."""
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError

    class Kept(KeyringBackend):
        priority = 1
        words: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.words.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.words[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            if self.words.pop((service, username), None) is None:
                raise PasswordDeleteError

    before = keyring.get_keyring()
    make: Any = Kept
    keyring.set_keyring(make())
    yield keyring
    keyring.set_keyring(before)


def test_the_systems_keyring_remembers_and_forgets(system_keyring: Any) -> None:
    assert module.remembered(ADDRESS) is None
    module.remember(ADDRESS, PASSPHRASE)
    assert module.remembered(ADDRESS) == PASSPHRASE
    assert module.forget(ADDRESS)
    assert module.remembered(ADDRESS) is None


def test_a_system_without_a_keyring_is_told(system_keyring: Any) -> None:
    from keyring.backends import fail

    make: Any = fail.Keyring
    system_keyring.set_keyring(make())
    assert module.remembered(ADDRESS) is None
    with pytest.raises(CredentialsUnusable, match="no keyring takes the passphrase"):
        module.remember(ADDRESS, PASSPHRASE)


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_the_home_is_made_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    kept = Keystore(tmp_path / "a" / "home", whole_file=whole_file)
    kept.write(KEY, PASSPHRASE, force=False)
    assert stat.S_IMODE((tmp_path / "a" / "home").stat().st_mode) == 0o700
