"""Rows written as CSV, as JSON, or as Parquet: amounts exact, times in UTC, a block at a time.

CSV and JSON need nothing else; Parquet needs pyarrow, an optional extra that is imported when it is used.
"""

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, BinaryIO, Final

from betteroms.domain.errors import ExtraMissing
from betteroms.domain.money import to_text
from betteroms.records import Cell, ExportColumn

JSON_SCHEMA_VERSION: Final = 1
ROW_GROUP_ROWS: Final = 50_000
"""Rows of a Parquet file that are compressed, and can be read, together."""

_UTF_8: Final = codecs.getwriter("utf-8")
Block = Sequence[Sequence[Any]]
_Format = Callable[[Any], Any]

# Spreadsheets take what begins so for a formula, which may run programs. An apostrophe in front makes it
# text; one that was there gets another, so that taking one off always gives what was there.
# Source: OWASP, "CSV Injection".
_FORMULA: Final = frozenset("=+-@\t\r\n'＝＋－＠")


class Csv:
    """A header and a row per line (RFC 4180), UTF-8; an empty field is no value."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, columns: Sequence[ExportColumn], blocks: Iterable[Block]) -> None:
        """Write the header and all rows."""
        formats = [_CSV.get(column.cell) for column in columns]
        writer = csv.writer(_UTF_8(self._stream), lineterminator="\r\n")
        writer.writerow([column.name for column in columns])
        for block in blocks:
            # csv writes None as nothing, and whole numbers as they are.
            writer.writerows(_formatted(block, formats))


class JsonLines:
    """One object per line, as `--json` prints lists: amounts as text, null for no value."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, columns: Sequence[ExportColumn], blocks: Iterable[Block]) -> None:
        """Write all rows."""
        names = [column.name for column in columns]
        formats = [_JSON.get(column.cell) for column in columns]
        encode = json.JSONEncoder(separators=(",", ":")).encode
        version = {"schemaVersion": JSON_SCHEMA_VERSION}
        for block in blocks:
            lines = [
                encode(version | dict(zip(names, row, strict=True))) for row in _formatted(block, formats)
            ]
            self._stream.write("\n".join([*lines, ""]).encode())


class Parquet:
    """Columns of exact types: dollars and shares decimal128(18, 6), prices (10, 6), times in UTC.

    Raises:
        ExtraMissing: pyarrow is not installed; told before any work is done.
    """

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._arrow: Any = import_module("pyarrow")
            self._parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            raise ExtraMissing("parquet", "Parquet files need pyarrow") from error
        self._stream = stream

    def write(self, columns: Sequence[ExportColumn], blocks: Iterable[Block]) -> None:
        """Write all rows, in groups."""
        schema = self._arrow.schema([(column.name, self._type(column.cell)) for column in columns])
        with self._parquet.ParquetWriter(self._stream, schema, compression="zstd") as writer:
            for rows in _grouped(blocks, ROW_GROUP_ROWS):
                arrays = [
                    self._array(column.cell, values)
                    for column, values in zip(columns, zip(*rows, strict=True), strict=True)
                ]
                writer.write_table(self._arrow.Table.from_arrays(arrays, schema=schema))

    def _type(self, cell: Cell) -> Any:
        arrow = self._arrow
        return {
            Cell.WORD: arrow.dictionary(arrow.int32(), arrow.string()),
            Cell.TEXT: arrow.string(),
            Cell.PRICE: arrow.decimal128(10, 6),
            Cell.AMOUNT: arrow.decimal128(18, 6),
            Cell.WHOLE: arrow.int64(),
            Cell.FLAG: arrow.bool_(),
            Cell.TIME: arrow.timestamp("us", tz="UTC"),
        }[cell]

    def _array(self, cell: Cell, values: Sequence[Any]) -> Any:
        kind = self._type(cell)
        if cell not in (Cell.PRICE, Cell.AMOUNT):
            return self._arrow.array(values, kind)
        # Millionths as whole numbers have the very bytes of decimals with six places: nothing is divided.
        whole = self._arrow.array(values, self._arrow.int64()).cast(self._arrow.decimal128(19, 0))
        return self._arrow.Array.from_buffers(kind, len(whole), whole.buffers(), whole.null_count)


def _formatted(block: Block, formats: Sequence[_Format | None]) -> Iterable[Sequence[Any]]:
    """The rows with their values as they are to be written, made column by column: that is half the time."""
    columns = zip(*block, strict=True)
    return zip(
        *(
            values if form is None else [None if value is None else form(value) for value in values]
            for values, form in zip(columns, formats, strict=True)
        ),
        strict=True,
    )


def _grouped(blocks: Iterable[Block], rows_max: int) -> Iterator[list[Sequence[Any]]]:
    """The rows of the blocks, so many at a time."""
    rows: list[Sequence[Any]] = []
    for block in blocks:
        rows.extend(block)
        while len(rows) >= rows_max:
            yield rows[:rows_max]
            rows = rows[rows_max:]
    if rows:
        yield rows


def guarded(text: str) -> str:
    """Text as a spreadsheet shows it and never calculates it: with an apostrophe where it needs one."""
    return f"'{text}" if text[:1] in _FORMULA else text


def _flag(value: bool) -> str:
    return "true" if value else "false"


@lru_cache(maxsize=4_096)
def _instant(at: datetime) -> str:
    """RFC 3339; the connection gives every time in UTC, so that what is cut off is +00:00."""
    assert at.tzinfo is not None
    assert not at.utcoffset()
    return f"{at.isoformat()[:-6]}Z"


_CSV: Final[dict[Cell, _Format]] = {
    Cell.WORD: guarded,
    Cell.TEXT: guarded,
    Cell.PRICE: to_text,
    Cell.AMOUNT: to_text,
    Cell.FLAG: _flag,
    Cell.TIME: _instant,
}
_JSON: Final[dict[Cell, _Format]] = {Cell.PRICE: to_text, Cell.AMOUNT: to_text, Cell.TIME: _instant}
FORMATS: Final[dict[str, Callable[[BinaryIO], Csv | JsonLines | Parquet]]] = {
    "csv": Csv,
    "json": JsonLines,
    "parquet": Parquet,
}
