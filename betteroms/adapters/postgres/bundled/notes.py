"""What a bundled server wrote about itself: its pid file and its log."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from betteroms.adapters.postgres.bundled.faults import TAIL_BYTES_MAX
from betteroms.adapters.postgres.bundled.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """What the server wrote about itself; possibly long ago, so never to be believed alone."""

    pid: int
    ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """None where there is none, or nothing in it that makes sense."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return None
    if not lines or not re.fullmatch(r"-?[1-9][0-9]{0,9}", lines[0].strip()):
        return None
    # Line 8 is the state: src/include/utils/pidfile.h
    return PidFile(pid=abs(int(lines[0])), ready=len(lines) >= 8 and lines[7].strip() == "ready")


def log_size(place: Place) -> int:
    """Where the log ends now, in bytes; 0 if there is none."""
    try:
        return place.log.stat().st_size
    except OSError:
        return 0


def log_since(place: Place, start: int) -> str:
    """What the log says from there on, its end if that is long."""
    try:
        with place.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(start if start <= end else 0, end - TAIL_BYTES_MAX))
            return log.read().decode(errors="replace")
    except OSError:
        return ""
