"""The private key in a file that a passphrase opens, as Ethereum's programs write it (version 3, scrypt).

The passphrase can be left to the keyring of the operating system, where the program `keyring` knows one.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Final

from betteroms.domain.errors import CredentialsUnusable, ExtraMissing, NotFound
from betteroms.domain.secret import Secret

FILE: Final = "keystore.json"
BYTES_MAX: Final = 65_536
SERVICE: Final = "betteroms keystore"
"""What the keyring of the system calls our passphrases."""

WholeFile = Callable[..., AbstractContextManager[BinaryIO]]
"""Makes a file that appears whole or not at all; see `adapters.whole_file`."""


class Keystore:
    """The one keystore of a home."""

    def __init__(self, home: Path, *, whole_file: WholeFile) -> None:
        self._home = home
        self._whole_file = whole_file

    @property
    def path(self) -> Path:
        return self._home / FILE

    def exists(self) -> bool:
        return self.path.is_file()

    def address(self) -> str:
        """The address of the key inside, which is no secret.

        Raises:
            NotFound: there is no keystore.
            CredentialsUnusable: it is no keystore, or open to others.
        """
        from eth_utils.address import to_checksum_address

        try:
            return str(to_checksum_address(str(self._content()["address"])))
        except (KeyError, ValueError):
            raise CredentialsUnusable(f"{self.path} is no keystore: it names no address") from None

    def write(self, key: Secret, passphrase: Secret, *, force: bool) -> str:
        """Keep a key; its address.

        Raises:
            OutputRefused: there is one already, and `force` does not say to replace it.
            OSError: it cannot be written.
        """
        from eth_account import Account

        content = Account.encrypt(bytes.fromhex(key.reveal()[2:]), passphrase.reveal(), kdf="scrypt")
        is_root = sys.platform != "win32" and os.geteuid() == 0
        # Root's home follows the umask, so that the account of the bundled database can enter it.
        self._home.mkdir(mode=0o777 if is_root else 0o700, parents=True, exist_ok=True)
        with self._whole_file(self.path, force=force) as file:
            file.write(json.dumps(content).encode())
        return self.address()

    def open(self, passphrase: Secret) -> Secret:
        """The key.

        Raises:
            NotFound: there is no keystore.
            CredentialsUnusable: the passphrase is wrong, or the file no keystore, or open to others.
        """
        from eth_account import Account

        content = self._content()
        try:
            key = bytes(Account.decrypt(content, passphrase.reveal()))
        except (ValueError, KeyError, TypeError, RuntimeError) as fault:
            if "MAC mismatch" in str(fault):
                raise CredentialsUnusable("the passphrase does not open the keystore") from None
            raise CredentialsUnusable(f"{self.path} is no keystore that can be read") from None
        return Secret(f"0x{key.hex()}")

    def remove(self) -> None:
        """Delete the file.

        Raises:
            NotFound: there is none.
        """
        try:
            self.path.unlink()
        except FileNotFoundError:
            raise self._missing() from None

    def _content(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                if os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                    raise CredentialsUnusable(f"{self.path} is open to others: chmod 600 it")
                text = file.read(BYTES_MAX + 1)
        except FileNotFoundError:
            raise self._missing() from None
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if len(text) > BYTES_MAX or not isinstance(content, dict):
            raise CredentialsUnusable(f"{self.path} is no keystore")
        return content

    def _missing(self) -> NotFound:
        return NotFound([f"there is no keystore at {self.path}"])


def remember(address: str, passphrase: Secret) -> None:
    """Leave a passphrase to the system's keyring.

    Raises:
        ExtraMissing: `keyring` is not installed.
        CredentialsUnusable: the system has no keyring that takes it.
    """
    keyring = _keyring()
    if keyring is None:
        raise ExtraMissing("keyring", "the system's keyring is reached by keyring, which is not installed")
    try:
        keyring.set_password(SERVICE, address, passphrase.reveal())
    except Exception as fault:  # each system's keyring has faults of its own
        raise CredentialsUnusable(f"no keyring takes the passphrase ({type(fault).__name__})") from None


def remembered(address: str) -> Secret | None:
    """The passphrase that the system's keyring has; None where it has none, or there is no keyring."""
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        found = keyring.get_password(SERVICE, address)
    except Exception:  # a keyring that is locked or absent knows nothing
        return None
    return Secret(found) if found else None


def forget(address: str) -> bool:
    """Take a passphrase out of the system's keyring; whether there was one."""
    if remembered(address) is None:
        return False
    _keyring().delete_password(SERVICE, address)
    return True


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def passphrase_in(path: Path) -> Secret:
    """The passphrase that a file holds, without the newline that editors put at its end.

    Raises:
        CredentialsUnusable: it cannot be read, holds nothing, or is open to others.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                raise CredentialsUnusable(
                    f"{path} (the keystore's passphrase) is open to others: chmod 600 it"
                )
            text = file.read(BYTES_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise CredentialsUnusable(
            f"{path} (the keystore's passphrase) cannot be read ({type(fault).__name__})"
        ) from None
    if not text:
        raise CredentialsUnusable(f"{path} (the keystore's passphrase) holds nothing")
    return Secret(text)
