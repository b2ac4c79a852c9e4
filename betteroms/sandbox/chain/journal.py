"""What a transaction changed so far, so that a revert leaves nothing behind."""

from collections.abc import Callable, Hashable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

Key = TypeVar("Key", bound=Hashable)
_ABSENT: Final = object()


class Journal:
    """Remembers how things were before each change. Whoever changes the chain's state notes it here first."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def note(self, table: MutableMapping[Key, Any], *keys: Key) -> None:
        """These entries are about to change."""
        for key in keys:
            self._undo.append(_putting_back(table, key, table.get(key, _ABSENT)))

    def on_undo(self, undo: Callable[[], None]) -> None:
        self._undo.append(undo)

    @contextmanager
    def attempt(self, *, keep: bool) -> Iterator[None]:
        """Run a call: undone if it raises, and also when only its answer is wanted (`keep` false)."""
        self._undo.clear()
        done = False
        try:
            yield
            done = True
        finally:
            if not (done and keep):
                for undo in reversed(self._undo):
                    undo()
            self._undo.clear()


def _putting_back(table: MutableMapping[Key, Any], key: Key, value: Any) -> Callable[[], None]:
    def undo() -> None:
        if value is _ABSENT:
            table.pop(key, None)
        else:
            table[key] = value

    return undo
