"""The limiter against a clock of its own."""

from hypothesis import given
from hypothesis import strategies as st

from betteroms.adapters.polymarket.limiter import Limiter


class Stopwatch:
    """Time that passes only when someone sleeps or it is pushed."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def limiter(watch: Stopwatch, *, per_second: float = 10, burst: int = 5) -> Limiter:
    return Limiter(per_second=per_second, burst=burst, monotonic=watch.monotonic, sleep=watch.sleep)


def test_a_burst_does_not_wait() -> None:
    watch = Stopwatch()
    limited = limiter(watch)
    for _ in range(5):
        limited.wait()
    assert watch.slept == 0


def test_beyond_the_burst_each_question_waits_its_turn() -> None:
    watch = Stopwatch()
    limited = limiter(watch)
    for _ in range(25):
        limited.wait()
    assert abs(watch.slept - 2.0) < 1e-6


def test_time_fills_the_bucket_again_but_not_beyond_the_burst() -> None:
    watch = Stopwatch()
    limited = limiter(watch)
    for _ in range(5):
        limited.wait()
    watch.now += 3_600
    for _ in range(6):
        limited.wait()
    assert abs(watch.slept - 0.1) < 1e-6


@given(st.lists(st.floats(0, 2), max_size=60), st.integers(1, 9), st.integers(1, 20))
def test_no_window_holds_more_than_the_burst_and_the_rate(
    pauses: list[float], burst: int, per_second: int
) -> None:
    watch = Stopwatch()
    limited = limiter(watch, per_second=per_second, burst=burst)
    times: list[float] = []
    for pause in pauses:
        watch.now += pause
        limited.wait()
        times.append(watch.now)
    for first, start in enumerate(times):
        for last, end in enumerate(times[first:], start=first):
            assert last - first + 1 <= burst + per_second * (end - start) + 1e-6
