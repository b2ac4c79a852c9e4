"""The invented markets of a venue without recordings: one of each kind, the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from betteroms.sandbox.model import Market, Protocol
from betteroms.sandbox.seeding.markets import TOKEN_LEAST, protocol_of
from betteroms.sandbox.seeding.resting import Level, rest_levels

if TYPE_CHECKING:
    from betteroms.sandbox.world import World

CENT: Final = 10_000
TENTH: Final = 1_000
YES_NO: Final = ("Yes", "No")
LEVELS: Final = 6
RUNS_FOR: Final = timedelta(days=60)
GAME_IN: Final = timedelta(days=2)
MINIMUM_SIZE: Final = 5_000_000
SECONDS_DELAY: Final = 3
FIRST_GAMMA_ID: Final = 9_200_001
FIRST_EVENT_ID: Final = 920_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Invented:
    """A market to be: `middle` is where its book is centred; rates and prices in millionths."""

    slug: str
    question: str
    middle: int
    fee_type: str
    fee_rate: int
    tick: int = CENT
    outcomes: tuple[str, str] = YES_NO
    protocol: Protocol = Protocol.CTF
    label: str = ""
    sports: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedEvent:
    """Markets that belong together; exclusive ones when `neg_risk`."""

    slug: str
    title: str
    tag: str
    markets: tuple[Invented, ...]
    neg_risk: bool = False


def _cup(team: str, middle: int) -> Invented:
    return Invented(
        slug=f"will-{team.lower()}-win-the-lake-cup",
        question=f"Will {team} win the Lake Cup?",
        label=team,
        middle=middle,
        fee_type="culture_fees",
        fee_rate=50_000,
        tick=TENTH,
    )


EVENTS: Final = (
    InventedEvent(
        slug="first-snow-in-zurich",
        title="First snow in Zurich",
        tag="Weather",
        markets=(
            Invented(
                slug="will-it-snow-in-zurich-this-month",
                question="Will it snow in Zurich this month?",
                middle=415_000,
                fee_type="weather_fees",
                fee_rate=50_000,
            ),
        ),
    ),
    InventedEvent(
        slug="winner-of-the-lake-cup",
        title="Winner of the Lake Cup",
        tag="Culture",
        markets=(_cup("Bregenz", 512_500), _cup("Lindau", 301_500), _cup("Konstanz", 172_500)),
        neg_risk=True,
    ),
    InventedEvent(
        slug="people-on-the-moon-again",
        title="People on the Moon again",
        tag="Tech",
        markets=(
            Invented(
                slug="will-people-walk-on-the-moon-this-year",
                question="Will people walk on the Moon this year?",
                middle=285_000,
                fee_type="tech_fees",
                fee_rate=40_000,
                protocol=Protocol.POSITION,
            ),
        ),
    ),
    InventedEvent(
        slug="alpine-league-final",
        title="Alpine League: Chamois vs. Marmots",
        tag="Sports",
        markets=(
            Invented(
                slug="alpine-league-final-chamois-marmots",
                question="Alpine League: Chamois vs. Marmots",
                outcomes=("Chamois", "Marmots"),
                middle=545_000,
                fee_type="sports_fees_v2",
                fee_rate=50_000,
                sports=True,
            ),
        ),
    ),
    InventedEvent(
        slug="treaty-of-the-three-cantons",
        title="Treaty of the three cantons",
        tag="Geopolitics",
        markets=(
            Invented(
                slug="will-the-three-cantons-sign-a-treaty",
                question="Will the three cantons sign a treaty?",
                middle=75_000,
                fee_type="",
                fee_rate=0,
            ),
        ),
    ),
)


def seed_demo(world: "World") -> None:
    """Add the invented markets and rest their books."""
    now_ms = world.now()
    gamma_id = FIRST_GAMMA_ID
    for number, event in enumerate(EVENTS):
        group = _hex(world, "group", event.slug, size=31) + "00" if event.neg_risk else None
        for index, invented in enumerate(event.markets):
            market = _market(world, event, invented, index, group, now_ms)
            market.gamma_id, market.event_id = str(gamma_id), str(FIRST_EVENT_ID + number)
            gamma_id += 1
            world.exchange.add_market(market, now_ms)
            chance = Random(f"{world.options.seed}:{invented.slug}")  # noqa: S311 - chance is to be repeatable
            bids, asks = _levels(chance, invented)
            refused = rest_levels(world, market, bids=bids, asks=asks, now_ms=now_ms)
            assert not refused, f"our own levels keep the venue's rules: {refused}"


def _market(
    world: "World", event: InventedEvent, invented: Invented, index: int, group: str | None, now_ms: int
) -> Market:
    condition, tokens = _ids(world, invented)
    ends = datetime.fromtimestamp(now_ms // 1000, UTC) + RUNS_FOR
    starts = datetime.fromtimestamp(now_ms // 1000, UTC) + GAME_IN if invented.sports else None
    return Market(
        condition_id=condition,
        question_id=group[:-2] + f"{index:02x}" if group else _hex(world, "question", invented.slug, size=32),
        gamma_id="",
        slug=invented.slug,
        question=invented.question,
        token_ids=tokens,
        outcomes=invented.outcomes,
        tick=invented.tick,
        minimum_size=MINIMUM_SIZE,
        fee_rate=invented.fee_rate,
        neg_risk=event.neg_risk,
        group_id=group,
        protocol=invented.protocol,
        seconds_delay=SECONDS_DELAY if invented.sports else 0,
        game_starts_ms=int(starts.timestamp()) * 1000 if starts else None,
        ends_ms=int(ends.timestamp()) * 1000,
        event_slug=event.slug,
        row=_row(invented, starts),
        event=_event(event, group),
    )


def _row(invented: Invented, starts: datetime | None) -> dict[str, Any]:
    row: dict[str, Any] = {"description": "An invented market of the sandbox."}
    if invented.label:
        row["groupItemTitle"] = invented.label
    if invented.fee_type:
        row["feeType"] = invented.fee_type
    if starts is not None:
        row |= {"sportsMarketType": "moneyline", "gameStartTime": f"{starts:%Y-%m-%d %H:%M:%S}+00"}
    return row


def _event(event: InventedEvent, group: str | None) -> dict[str, Any]:
    tag = {"id": str(100 + [each.tag for each in EVENTS].index(event.tag)), "label": event.tag}
    values: dict[str, Any] = {
        "title": event.title,
        "description": "An invented event of the sandbox.",
        "tags": [tag | {"slug": event.tag.lower()}],
    }
    if group is not None:
        values |= {"enableNegRisk": True, "negRiskAugmented": False, "negRiskMarketID": group}
    return values


def _ids(world: "World", invented: Invented) -> tuple[str, tuple[str, str]]:
    """The condition id and both tokens, shaped as the venue's are (VENUE 2.5)."""
    if invented.protocol is Protocol.POSITION:
        head, tail = world.name("position", invented.slug)[:18], world.name("nonce", invented.slug)[:4]
        condition = (b"\x01" + head + bytes(8) + tail).hex()
        yes = int(condition + "00", 16)
        return f"0x{condition}00", (str(yes), str(yes + 1))
    return _hex(world, "condition", invented.slug, size=32), (
        _token(world, invented.slug, 0),
        _token(world, invented.slug, 1),
    )


def _token(world: "World", slug: str, outcome: int) -> str:
    attempt = 0
    while True:
        number = int.from_bytes(world.name("token", slug, outcome, attempt))
        if number >= TOKEN_LEAST and protocol_of(str(number)) is Protocol.CTF:
            return str(number)
        attempt += 1


def _hex(world: "World", what: str, slug: str, *, size: int) -> str:
    return "0x" + world.name(what, slug)[:size].hex()


def _levels(chance: Random, invented: Invented) -> tuple[Sequence[Level], Sequence[Level]]:
    """Bids and asks around the middle, best first, growing with the distance; prices on the grid."""
    bids = _side(
        chance, invented, first=invented.middle // invented.tick * invented.tick, step=-invented.tick
    )
    asks = _side(
        chance, invented, first=(invented.middle // invented.tick + 1) * invented.tick, step=invented.tick
    )
    return bids, asks


def _side(chance: Random, invented: Invented, *, first: int, step: int) -> list[Level]:
    levels: list[Level] = []
    price = first
    for distance in range(LEVELS):
        if not invented.tick <= price <= 1_000_000 - invented.tick:
            break
        hundredths = chance.randint(2_000, 20_000) * (1 + distance)
        levels.append((price, hundredths * 10_000))
        price += step * chance.randint(1, 2)
    return levels
