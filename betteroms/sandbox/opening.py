"""Opens a venue as it was asked for: from recordings, an invented world or a file; and what goes on there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from betteroms.sandbox.clock import Clock, HandClock, MachineClock
from betteroms.sandbox.faults import script as fault_scripts
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.life import BadLifeScript, Life, Pace, Script
from betteroms.sandbox.life import parse as parse_life
from betteroms.sandbox.model import Market
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.state import BadState, Keeper
from betteroms.sandbox.transcript import Transcript
from betteroms.sandbox.venue import Surrounded, Venue
from betteroms.sandbox.world import Options, World

SCRIPT_BYTES_MAX: Final = 16 * 1024 * 1024
REMARKS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody wants of a venue; None for a file that is not wanted. `start_ms` is for a hand clock."""

    seed: int = 0
    books: Path | None = None
    state: Path | None = None
    faults: Path | None = None
    script: Path | None = None
    life: bool = False
    transcript: Path | None = None
    hand_clock: bool = False
    start_ms: int | None = None
    check_signatures: bool = True
    rate_limited: bool = True


class Unusable(Exception):
    """The venue cannot be opened as wished; every reason, with the file that it is about."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("; ".join(complaints))
        self.complaints = tuple(complaints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A venue to be served. `remarks` are for people; `look` is to be called again and again."""

    app: Surrounded
    world: World
    remarks: Sequence[str]
    look: Callable[[], None] = field(default=lambda: None)

    def told(self) -> dict[str, Any]:
        """What whoever started it wants to know."""
        return {
            "seed": self.world.options.seed,
            "markets": len(self.world.exchange.markets),
            "nowMs": self.world.now(),
        }


@contextmanager
def opened(wishes: Wishes) -> Iterator[Opened]:
    """The venue while the block lasts; where it has a file it is written at the end.

    Raises:
        Unusable: a file cannot be read, or written, or is not what it should be.
    """
    with ExitStack() as closing:
        clock = _clock(wishes)
        world = World(_options(wishes), clock)
        app = create_app(world, transcript=_transcript(wishes, clock, closing))
        venue = app.venue
        if wishes.faults is not None:
            venue.faults.add(_faults(wishes.faults, venue))
        remarks, life, keeper = _begun(wishes, venue)
        life.begin()
        if keeper is None:
            yield Opened(app=app, world=world, remarks=remarks)
            return
        if not keeper.path.exists():
            _save(keeper)  # better told now than when there is something to lose
        try:
            yield Opened(app=app, world=world, remarks=remarks, look=keeper.look)
        finally:
            _save(keeper)


def _clock(wishes: Wishes) -> Clock:
    if not wishes.hand_clock:
        return MachineClock()
    return HandClock(MachineClock().now_ms() if wishes.start_ms is None else wishes.start_ms)


def _options(wishes: Wishes) -> Options:
    return Options(
        seed=wishes.seed, check_signatures=wishes.check_signatures, rate_limited=wishes.rate_limited
    )


def _begun(wishes: Wishes, venue: Venue) -> tuple[list[str], Life, Keeper | None]:
    """Fill the venue, from its file or anew; what is to be said of it, its life and its keeper."""
    world = venue.world
    if wishes.state is not None and wishes.state.exists():
        life = Life(world)
        keeper = venue.keep(wishes.state, life=life)
        _load(keeper)
        return [f"going on from {wishes.state}, with its books and its counterparties"], life, keeper
    left_out = _seeded(world, wishes.books)
    script = None if wishes.script is None else _life(wishes.script, world)
    life = Life(world, script=script, pace=Pace() if wishes.life else None)
    kept = None if wishes.state is None else venue.keep(wishes.state, life=life)
    more = [f"… and {len(left_out) - REMARKS_MAX} more"] if len(left_out) > REMARKS_MAX else []
    return [f"left out: {line}" for line in left_out[:REMARKS_MAX]] + more, life, kept


def _seeded(world: World, books: Path | None) -> list[str]:
    try:
        left_out = seed_world(world, books)
    except (OSError, ValueError) as wrong:
        words = _words(wrong)
        raise Unusable([words if words.startswith(str(books)) else f"{books}: {words}"]) from wrong
    if not world.exchange.markets:
        raise Unusable([f"{books}: no market is recorded there", *left_out[:REMARKS_MAX]])
    return left_out


def _faults(path: Path, venue: Venue) -> fault_scripts.Script:
    try:
        return fault_scripts.parse(_text(path), endpoints=venue.endpoints)
    except fault_scripts.BadScript as wrong:
        raise Unusable([f"{path}: {complaint}" for complaint in wrong.complaints]) from wrong


def _life(path: Path, world: World) -> Script:
    markets: dict[str, Market] = world.exchange.markets
    try:
        return parse_life(_text(path), markets)
    except BadLifeScript as wrong:
        raise Unusable([f"{path}: {complaint}" for complaint in wrong.complaints]) from wrong


def _text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(SCRIPT_BYTES_MAX + 1)
    except OSError as wrong:
        raise Unusable([f"{path}: {_words(wrong)}"]) from wrong
    if len(text) > SCRIPT_BYTES_MAX:
        raise Unusable([f"{path}: longer than {SCRIPT_BYTES_MAX} bytes"])
    return text


def _transcript(wishes: Wishes, clock: Clock, closing: ExitStack) -> Transcript | None:
    """Written anew, or gone on with where the venue goes on; another file is not replaced."""
    if wishes.transcript is None:
        return None
    goes_on = wishes.state is not None and wishes.state.exists()
    try:
        file: IO[str] = closing.enter_context(
            wishes.transcript.open("a" if goes_on else "x", encoding="utf-8")
        )
    except FileExistsError as wrong:
        raise Unusable([f"{wishes.transcript}: is there already; name another file"]) from wrong
    except OSError as wrong:
        raise Unusable([f"{wishes.transcript}: {_words(wrong)}"]) from wrong
    return Transcript(clock, file)


def _load(keeper: Keeper) -> None:
    try:
        keeper.load()
    except BadState as wrong:
        raise Unusable([str(wrong)]) from wrong
    except OSError as wrong:
        raise Unusable([f"{keeper.path}: {_words(wrong)}"]) from wrong


def _save(keeper: Keeper) -> None:
    try:
        keeper.save()
    except OSError as wrong:
        raise Unusable([f"{keeper.path}: cannot be written: {_words(wrong)}"]) from wrong


def _words(wrong: Exception) -> str:
    return (wrong.strerror if isinstance(wrong, OSError) else None) or str(wrong)
