"""Starts the real command in processes of its own, quickly: each is a fork of one that has imported it.

A forked command knows nothing of the others, and dies alone. Where the venue's clock is moved by hand it is
told what time it is: whoever trades there must not be ahead of it.

Orders come as JSON lines on stdin; for each there is a line with the process's id, and one with how it ended.
"""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn


def main() -> None:
    """Carry out orders until there are no more."""
    import_everything()
    _tell({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            become(order)
        _tell({"pid": child})
        _, status = os.waitpid(child, 0)
        _tell({"code": os.waitstatus_to_exitcode(status)})


def import_everything() -> None:
    """What a live command imports on its way."""
    import coincurve  # noqa: F401
    import httpx
    import polymarket  # noqa: F401

    from betteroms.adapters import logs, system  # noqa: F401
    from betteroms.adapters.polymarket import member, membership, signing, standing, venue  # noqa: F401
    from betteroms.adapters.postgres import ledger, switch  # noqa: F401
    from betteroms.adapters.postgres.views import health, records  # noqa: F401
    from betteroms.cli import allowances, app, canceling, confirming, credentials, polling  # noqa: F401
    from betteroms.jobs import cancel, overview, poll, trade  # noqa: F401
    from betteroms.jobs.live import trading  # noqa: F401
    from betteroms.wiring import account, live  # noqa: F401

    httpx.Client(http2=True, verify=False).close()  # what it needs is imported when one is made


def become(order: Mapping[str, Any]) -> NoReturn:
    """Be the command, from here to the end."""
    from betteroms.cli import app

    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    for number, name in enumerate((os.devnull, order["out"], order["err"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(name, flags, 0o600), number)
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - they are the process's own, to its end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if order["nowMs"] is not None:
        tell_the_time(order["nowMs"])
    sys.argv = ["betteroms", *order["words"]]
    app.main()


def tell_the_time(now_ms: int) -> None:
    """Let it be this time for whoever asks, for good."""
    from polymarket.clients import secure

    from betteroms.adapters import system

    now = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    ours: Any = system.SystemClock
    ours.now = lambda _: now
    theirs: Any = secure
    theirs.time = SimpleNamespace(time=lambda: now_ms / 1000)


def _tell(what: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
