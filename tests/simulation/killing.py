"""The real command in a process of its own, and ways for that process to come to harm."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.simulation.pgproxy import At, Fault, Message, Proxy
from tests.simulation.worlds import Act

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS_MAX = 60
DONE, REFUSED, ALREADY_RUN, DATABASE, LOCKED = 0, 5, 8, 9, 10
"""Exit codes of SPEC 1."""
CARRIED_OUT = (DONE, REFUSED)
"""How a run ends that was completed: whether some of its instructions were refused is not the matter here."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a command ended and what it said; `code` is negative for a signal that nobody handled."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Harm:
    """What came of a run that met a fault: how it ended, and what it had said to the server."""

    told: Told
    log: list[Message]
    struck: bool


def start(act: Act, url: str, home: Path, *options: str) -> "subprocess.Popen[str]":
    """`betteroms trade` over recorded books, with nothing of our environment."""
    environment = {
        "BETTEROMS_HOME": str(home),
        "DATABASE_URL": url,
        "LC_ALL": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
    }
    return subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-m", "betteroms", "trade", str(act.plan)),
            *("--books", str(act.books), "--json", *options),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={name: value for name, value in environment.items() if value},
        cwd=act.plan.parent,
    )


def told(process: "subprocess.Popen[str]") -> Told:
    """Wait for its end; what comes of it never shows a traceback."""
    try:
        out, err = process.communicate(timeout=SECONDS_MAX)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in err, err
    assert "Traceback" not in out, out
    return Told(code=process.returncode, out=out, err=err)


def traded(act: Act, url: str, home: Path, *options: str) -> Told:
    """Run the command to its end."""
    return told(start(act, url, home, *options))


def harmed(act: Act, upstream: str, home: Path, fault: Callable[["Victim"], Fault]) -> Harm:
    """Run the command through a proxy with a fault; the fault may reach for the process."""
    victim = Victim()
    with Proxy(upstream) as proxy:
        proxy.fault = fault(victim)
        process = start(act, proxy.url, home)
        victim.process.set_result(process)
        ended = told(process)
    return Harm(told=ended, log=proxy.log, struck=victim.struck)


class Process(Protocol):
    """What runs, and can be ended."""

    def kill(self) -> None: ...

    def wait(self) -> int: ...

    def send_signal(self, number: int, /) -> None: ...


class Victim:
    """The process that a fault is aimed at."""

    def __init__(self) -> None:
        self.process: Future[Process] = Future()
        self.struck = False

    def kill(self) -> None:
        """SIGKILL, and certainty that it is dead before anything else happens."""
        process = self.process.result(timeout=SECONDS_MAX)
        process.kill()
        process.wait()
        self.struck = True

    def signal(self, number: signal.Signals) -> None:
        """A signal that it may handle."""
        self.process.result(timeout=SECONDS_MAX).send_signal(number)
        self.struck = True


def killed_at(act: Act, upstream: str, home: Path, *, number: int, after: bool) -> Harm:
    """Kill the command with SIGKILL at one message: before the server sees it, or once it has acted on it."""
    harm = harmed(act, upstream, home, lambda victim: At(number, after, victim.kill))
    assert harm.struck, f"there was no message {number}"
    assert harm.told.code == -signal.SIGKILL
    return harm


def find(log: list[Message], text: str, *, kind: str = "Q", nth: int = 1) -> int:
    """The number of the nth message of a kind whose SQL begins with a text; from the end where negative."""
    found = [
        message.number for message in log if message.kind == kind and message.text.lstrip().startswith(text)
    ]
    assert len(found) >= abs(nth), f"{text!r} is not said {abs(nth)} times"
    return found[nth - 1 if nth > 0 else nth]
