"""How many orders a second the sandbox takes over HTTP, with signatures checked and without.

    python -m tests.benchmarks.sandbox_posts

The venue runs on one core, the client on another. Every order is another one, signed beforehand, rests in the
book, and comes with an L2 signature, which is always checked. The floor is the same server reading the same
posts and answering fixed bytes of the same length. Beside the time that passed it tells how many orders a
second of the venue's processor takes, which is what remains true on a busy machine.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from betteroms.domain.terms import Side
from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.serve import serve
from betteroms.sandbox.world import Options, World
from tests.sandbox.http.member import Member, compact
from tests.sandbox.stage import PLAIN, stage

ORDERS: Final = 6_000
CONNECTIONS: Final = 8
FIXED: Final = "/fixed"
REPOSITORY: Final = Path(__file__).resolve().parents[2]
MONEY: Final = "1000000000"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--orders", type=int, default=ORDERS)
    arguments.add_argument("--venue", choices=("checked", "unchecked"), help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.venue:
        run_venue(check_signatures=asked.venue == "checked")
    else:
        sys.stdout.write("\n".join(compare(asked.orders)) + "\n")


def make_world(*, check_signatures: bool) -> tuple[World, Member]:
    """The same in the venue and in the client, so that both know the keys."""
    world = World(Options(check_signatures=check_signatures, rate_limited=False), MachineClock())
    stage(world)
    return world, Member(world).fund(MONEY)


def run_venue(*, check_signatures: bool) -> None:
    world, _ = make_world(check_signatures=check_signatures)
    told = compact(
        {
            "success": True,
            "errorMsg": "",
            "orderID": "0x" + "00" * 32,
            "status": "live",
            "makingAmount": "",
            "takingAmount": "",
            "tradeIDs": [],
            "transactionsHashes": [],
        }
    )
    serve(_with_fixed(create_app(world), told), world, on_bound=_tell)


def _tell(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def _with_fixed(application: ASGIApp, told: bytes) -> ASGIApp:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != FIXED:
            await application(scope, receive, send)
            return
        while (await receive()).get("more_body", False):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told})

    return answer


def compare(orders: int) -> list[str]:
    """Measure each setting in a venue of its own; what to print."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    lines = [f"{orders} orders over {CONNECTIONS} connections, venue on one core"]
    for name in ("unchecked", "checked"):
        command = [sys.executable, "-m", "tests.benchmarks.sandbox_posts", "--venue", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as venue:
            os.sched_setaffinity(venue.pid, {cores[0]})
            try:
                assert venue.stdout is not None
                port = int(venue.stdout.readline())
                floor = measure(venue.pid, port, requests(orders, FIXED))
                reached = measure(venue.pid, port, requests(orders, "/order"))
            finally:
                venue.terminate()
        lines.append(f"signatures {name}: {reached}; fixed answers: {floor}; ratio {reached.over(floor):.2f}")
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many a second that passed, and a second of the venue's processor."""

    count: int
    seconds: float
    processor_seconds: float

    def over(self, floor: "Rate") -> float:
        return self.processor_seconds / floor.processor_seconds

    def __str__(self) -> str:
        by_processor = self.count / self.processor_seconds
        return f"{self.count / self.seconds:,.0f}/s ({by_processor:,.0f} per second of processor)"


def measure(pid: int, port: int, made: Sequence[bytes]) -> Rate:
    before = _processor_seconds(pid)
    seconds = asyncio.run(_post(port, made))
    return Rate(count=len(made), seconds=seconds, processor_seconds=_processor_seconds(pid) - before)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests(orders: int, path: str) -> list[bytes]:
    """Posts that all rest: buys of five shares at 0.10 to 0.29."""
    _, member = make_world(check_signatures=False)
    made = []
    for number in range(orders):
        body = compact(member.order(PLAIN, Side.BUY, f"0.{10 + number % 20}", "5"))
        headers = {
            "Host": "localhost",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **member.headers("POST", path, body),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        made.append(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
    return made


async def _post(port: int, made: Sequence[bytes]) -> float:
    """Send them all, each connection one after the other; seconds."""
    waiting = iter(made)
    began = time.perf_counter()
    await asyncio.gather(*(_one_connection(port, waiting) for _ in range(CONNECTIONS)))
    return time.perf_counter() - began


async def _one_connection(port: int, waiting: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200"), (head, body)
        assert json.loads(body)["status"] == "live", body
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    main()
