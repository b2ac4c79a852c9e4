"""Whole processes: how long, how much memory at its peak, and whether they ended well."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds of each repetition, and the greatest peak resident size in MiB."""

    seconds: tuple[float, ...]
    peak_mib: float

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        return (
            f"min {self.best * 1e3:.0f} ms, median {self.median * 1e3:.0f} ms, peak {self.peak_mib:.0f} MiB"
        )


def process(arguments: Sequence[str], *, environ: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Run one process to its end; seconds and peak MiB.

    Raises:
        RuntimeError: it ended with another code than 0.
    """
    started = time.perf_counter()
    child = subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, **(environ or {})},
    )
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {child.returncode}: {said.decode()}")
    return seconds, usage.ru_maxrss / 1024


def repeated(
    times: int,
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    before: Callable[[], Mapping[str, str]] | None = None,
) -> Measured:
    """Run a process so many times, after one to warm the caches; `before` gives each its environment."""
    results = []
    for number in range(times + 1):
        extra = before() if before else {}
        measured = process(arguments, environ={**(environ or {}), **extra})
        if number:
            results.append(measured)
    return Measured(
        seconds=tuple(seconds for seconds, _ in results), peak_mib=max(peak for _, peak in results)
    )


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def betteroms(*words: str) -> list[str]:
    return [sys.executable, "-m", "betteroms", *words]
