"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from betteroms.domain.errors import OutputRefused


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `target` when all went well, and else is gone.

    It is written beside the target, and readable by its owner alone: what we write is an account's books.
    A link is followed.

    Raises:
        OutputRefused: the target exists and `force` does not say to replace it; or it is no plain file.
        OSError: it cannot be written.
    """
    target = target.resolve()
    refuse(target, force=force)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as fault:
        # People know the file they asked for, not the one beside it.
        raise OSError(fault.errno, fault.strerror, str(target)) from None
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # Whoever made a file of that name meanwhile keeps it.
        refuse(target, force=force)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def refuse(target: Path, *, force: bool) -> None:
    """Raise OutputRefused where `target` may not be replaced."""
    if not os.path.lexists(target):
        return
    if not target.is_file():
        raise OutputRefused(f"{target} is there already, and is no plain file")
    if not force:
        raise OutputRefused(f"{target} is there already")
