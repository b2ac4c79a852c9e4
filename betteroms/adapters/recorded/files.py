"""Read the JSON documents of a directory of recordings, and say of each file what could not be read."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from betteroms.adapters.exact_json import NotJson, decode
from betteroms.domain.errors import RecordingUnreadable

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of one file, after unpacking."""
FILES_MAX: Final = 20_000
SUFFIXES: Final = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file, or what a file holds, that could not be used; `reason` is for people."""

    file: str
    reason: str


def documents(directory: Path) -> Iterator[tuple[str, Any | Ignored]]:
    """Every document below `directory` with the file it is in, by file name, then from top to bottom.

    What cannot be read comes as `Ignored`. A file of lines has a document in each of them.

    Raises:
        RecordingUnreadable: there is no such directory, it cannot be listed, or holds too many files.
    """
    for path in _files(directory):
        name = path.relative_to(directory).as_posix()
        for document in _documents(path, name):
            yield name, document


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        what = "is a file, not a directory" if directory.exists() else "does not exist"
        raise RecordingUnreadable(f"{directory}: {what}")
    try:
        next(directory.iterdir(), None)
    except OSError as fault:
        raise RecordingUnreadable(f"{directory}: {fault.strerror or fault}") from None
    files: list[Path] = []
    for path in directory.rglob("*"):
        if not path.is_dir():
            files.append(path)
        if len(files) > FILES_MAX:
            raise RecordingUnreadable(f"{directory}: holds more than {FILES_MAX} files")
    return sorted(files, key=lambda path: path.relative_to(directory).as_posix())


def _documents(path: Path, name: str) -> Iterator[Any | Ignored]:
    if not name.lower().endswith(SUFFIXES):
        yield Ignored(name, f"not a recording: its name does not end in {', '.join(SUFFIXES)}")
        return
    content = _content(path, name)
    if isinstance(content, Ignored):
        yield content
        return
    try:
        # A byte order mark is no part of JSON, and some recorders write one.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        yield Ignored(name, f"not UTF-8 text (byte {wrong.start})")
        return
    if ".jsonl" not in name.lower():
        try:
            yield decode(text)
            return
        except NotJson as wrong:
            if not _has_lines(text):
                yield Ignored(name, str(wrong))
                return
    elif not _has_lines(text):
        # One document on several lines, or nothing at all.
        try:
            yield decode(text)
        except NotJson as wrong:
            yield Ignored(name, str(wrong))
        return
    yield from _lines(text, name)


def _content(path: Path, name: str) -> bytes | Ignored:
    try:
        if not path.is_file():
            return Ignored(name, "not an ordinary file")
        with path.open("rb") as file:
            if name.lower().endswith(".gz"):
                # Loaded here: most recordings are not packed, and this costs a millisecond.
                import gzip

                with gzip.GzipFile(fileobj=file) as unpacked:
                    content = unpacked.read(FILE_BYTES_MAX + 1)
            else:
                content = file.read(FILE_BYTES_MAX + 1)
    except (EOFError, zlib.error):
        return Ignored(name, "the packed file is cut off or damaged")
    except OSError as fault:
        return Ignored(name, f"cannot be read: {fault.strerror or fault}")
    if len(content) > FILE_BYTES_MAX:
        return Ignored(name, f"larger than {FILE_BYTES_MAX >> 20} MiB")
    return content


def _has_lines(text: str) -> bool:
    """Whether the first line that holds anything is a whole document, as in a file of lines."""
    first = text.lstrip().partition("\n")[0]
    try:
        decode(first)
    except NotJson:
        return False
    return True


def _lines(text: str, name: str) -> Iterator[Any | Ignored]:
    bad = 0
    first_bad = ""
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line or line.isspace():
            continue
        try:
            yield decode(line)
        except NotJson as wrong:
            bad += 1
            first_bad = first_bad or f"line {number}: {wrong}"
    if bad:
        others = f", and {bad - 1} more such lines" if bad > 1 else ""
        yield Ignored(name, f"{first_bad}{others}; the other lines were read")
