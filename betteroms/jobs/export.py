"""Write all executions, orders, positions, entries or snapshots somewhere, a block at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.records import ExportColumn, ExportKind, Records

Block = Sequence[Sequence[Any]]


class Sink(Protocol):
    """Where rows go; it knows the format."""

    def write(self, columns: Sequence[ExportColumn], blocks: Iterable[Block]) -> None:
        """Write everything, the header too where the format has one."""
        ...


def export(
    records: Records,
    kind: ExportKind,
    sink: Sink,
    *,
    mode: Mode | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    show: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Write the rows of a kind, from `since` on and before `until`, and tell how many there were.

    No `mode` means every mode. Nothing that is written meanwhile by others is in it.
    """
    found = records.exported(kind, mode=mode, since=since, until=until)
    counted = _Counted(found.blocks, kind, show)
    sink.write(found.columns, counted)
    return {
        "what": kind.value,
        "mode": None if mode is None else mode.value,
        "since": told.maybe_instant(since),
        "until": told.maybe_instant(until),
        "columns": [column.name for column in found.columns],
        "rows": counted.rows,
    }


class _Counted:
    """Blocks on their way, and how many rows have passed."""

    def __init__(self, blocks: Iterable[Block], kind: ExportKind, show: Callable[[str], None]) -> None:
        self.rows = 0
        self._blocks, self._kind, self._show = blocks, kind, show

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            yield block
            self.rows += len(block)
            self._show(f"writing {self._kind}: {self.rows:,}")
