"""Commands as processes of their own, between proxies that see every word to venue and database."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.simulation import httpproxy, pgproxy
from tests.simulation.killing import REPOSITORY, SECONDS_MAX, Told, Victim
from tests.simulation.proxy import At, Fault, Message


class Zygote:
    """The process that all commands are forked from; one runs at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.simulation.live_zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(REPOSITORY)},
            cwd=REPOSITORY,
        )
        assert self.heard()["ready"]

    def start(self, order: Mapping[str, Any]) -> "Child":
        """Fork a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Child(zygote=self, pid=self.heard()["pid"])

    def heard(self) -> dict[str, Any]:
        """The next line it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that commands are forked from is gone"
        told: dict[str, Any] = json.loads(line)
        return told

    def close(self) -> None:
        self._process.communicate(timeout=SECONDS_MAX)


@dataclass(kw_only=True)
class Child:
    """A command that runs; what `killing.Victim` needs of a process."""

    zygote: Zygote
    pid: int
    returncode: int | None = None
    _waiting: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> int:
        """Wait for its end; how it ended."""
        with self._waiting:
            if self.returncode is None:
                self.returncode = int(self.zygote.heard()["code"])
        return self.returncode

    def kill(self) -> None:
        """SIGKILL, unless it is over."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def send_signal(self, number: int, /) -> None:
        os.kill(self.pid, number)


class Side(StrEnum):
    """Whom a message is for."""

    VENUE = "venue"
    DATABASE = "database"


class When(StrEnum):
    """When a command dies: `LATE` is before the other side hears of it, which it then does 40 s later."""

    BEFORE = "before"
    AFTER = "after"
    LATE = "before, and it arrives all the same"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One message of a command, and when to die of it."""

    side: Side
    number: int
    when: When
    words: str

    def __str__(self) -> str:
        return f"{self.when}: {self.side} {self.number}, {self.words}"


@dataclass(frozen=True, slots=True)
class Late(Fault):
    """One request is kept back, to be sent at some other time; whoever made it is ended."""

    number: int
    do: Callable[[], object]
    later: Callable[[bytes], object]

    def before(self, message: Message) -> bytes | None:
        if message.number != self.number:
            return message.raw
        self.do()
        self.later(message.raw)
        return None


@dataclass(frozen=True, kw_only=True)
class Heard:
    """How a command ended, and what the two proxies heard of it."""

    told: Told
    struck: bool
    database: list[Message]
    venue: list[Message]


@dataclass(kw_only=True)
class Shell:
    """Where commands are typed that meet a venue, and perhaps a database, through proxies.

    `environment` is made of the addresses of the two; `later` is handed a request that is to arrive late.
    """

    zygote: Zygote
    port: int
    directory: Path
    environment: Callable[[str, str], Mapping[str, str]]
    certificate: Path
    database: str | None = None
    now_ms: Callable[[], int | None] = lambda: None
    later: Callable[[bytes], object] = lambda _: None

    def run(self, *words: str, kill: Moment | None = None) -> Heard:
        """Type a command; kill it at a moment, if one is given."""
        victim = Victim()
        with ExitStack() as stack:
            venue = stack.enter_context(httpproxy.Proxy(self.port, self._fault(kill, victim, Side.VENUE)))
            database, url = None, ""
            if self.database is not None:
                fault = self._fault(kill, victim, Side.DATABASE)
                database = stack.enter_context(pgproxy.Proxy(self.database, fault))
                url = database.url
            process = self.zygote.start(self._order(words, url, venue.url))
            victim.process.set_result(process)
            code = process.wait()
        return Heard(
            told=self._told(code),
            struck=victim.struck,
            database=[] if database is None else list(database.log),
            venue=list(venue.log),
        )

    def _order(self, words: tuple[str, ...], database: str, venue: str) -> dict[str, Any]:
        environment = {
            **self.environment(database, venue),
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "SSL_CERT_FILE": str(self.certificate),
        }
        return {
            "words": words,
            "environment": environment,
            "directory": str(self.directory),
            "nowMs": self.now_ms(),
            "out": str(self._file("out")),
            "err": str(self._file("err")),
        }

    def _fault(self, kill: Moment | None, victim: Victim, side: Side) -> Fault:
        if kill is None or kill.side is not side:
            return Fault()
        if kill.when is When.LATE:
            return Late(kill.number, victim.kill, self.later)
        return At(kill.number, kill.when is When.AFTER, victim.kill)

    def _file(self, name: str) -> Path:
        return self.directory / f"command.{name}"

    def _told(self, code: int) -> Told:
        out, err = (self._file(name).read_text(encoding="utf-8") for name in ("out", "err"))
        assert "Traceback" not in out + err, out + err
        return Told(code=code, out=out, err=err)
