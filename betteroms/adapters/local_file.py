"""Lines of `.env.local` set anew, with every other line left as it is."""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from io import StringIO
from pathlib import Path
from typing import BinaryIO, Final

from betteroms.domain.errors import OutputRefused
from betteroms.domain.secret import Secret

PLAIN: Final = re.compile(r"[A-Za-z0-9_./:+=-]*")
"""What needs no quotes there, and means nothing but itself."""

WholeFile = Callable[..., AbstractContextManager[BinaryIO]]
"""Makes a file that appears whole or not at all; see `adapters.whole_file`."""


def set_lines(path: Path, values: Mapping[str, Secret], *, whole_file: WholeFile) -> None:
    """Set these variables in the file, which is made where there is none; only its owner can read it.

    Raises:
        OutputRefused: it is open to others, no text, or a value cannot be written in a line.
        OSError: it cannot be read or written.
    """
    content = _read(path)
    for name, value in values.items():
        if not PLAIN.fullmatch(value.reveal()):
            raise OutputRefused(f"{name} cannot be written into {path}: it holds an unusual character")
    with whole_file(path, force=True) as file:
        file.write(changed(content, {name: value.reveal() for name, value in values.items()}).encode())


def changed(content: str, values: Mapping[str, str]) -> str:
    """The text with these assignments in the place of older ones, or at its end."""
    from dotenv.parser import parse_stream

    left = dict(values)
    lines: list[str] = []
    for binding in parse_stream(StringIO(content)):
        original = binding.original.string
        if binding.key is not None and binding.key in values:
            # Comments and blank lines before an assignment belong to its text, and stay.
            before = original[: len(original) - len(original.lstrip())]
            export = "export " if original.lstrip().startswith("export ") else ""
            original = f"{before}{export}{binding.key}={left.pop(binding.key, values[binding.key])}\n"
        lines.append(original)
    text = "".join(lines)
    if left and text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"{name}={value}\n" for name, value in left.items())


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                raise OutputRefused(f"{path} is open to others: chmod 600 it first")
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise OutputRefused(f"{path} is no text") from None
