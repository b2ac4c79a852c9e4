"""Pictures: PNG of the promised size, the same bytes for the same data, whatever the data holds."""

import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from betteroms import wiring
from betteroms.adapters.pictures import Pictures
from betteroms.domain.errors import ExtraMissing
from betteroms.domain.figures import TICKS, Bar, CashMove, EquityPoint
from betteroms.domain.money import Usdc
from tests.cli.conftest import ROOT

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POINTS = [
    EquityPoint(
        at=NOON + timedelta(hours=hour),
        net_liquidation=Usdc(10**10 + hour * 999_999),
        pessimistic=Usdc(10**10 + hour * 900_000),
        optimistic=Usdc(10**10 + hour * 1_100_000),
    )
    for hour in range(50)
]
MOVES = [CashMove(at=NOON + timedelta(hours=5 * n), cash=Usdc((-1) ** n * 10**9)) for n in range(12)]
BARS = [
    Bar(name=name, cost=Usdc(n * 1_000_000), value=Usdc(n * n * 500_000))
    for n, name in enumerate(
        ["", "$5? $x_{1}^2$", "雨が降るか", "a\nb\x07", "x" * 200, *(f"m{n}" for n in range(30))]
    )
]
DRAWN: dict[str, Callable[[Pictures], bytes]] = {
    "equity": lambda draw: draw.equity_curve(POINTS, MOVES),
    "equity with few deposits": lambda draw: draw.equity_curve(POINTS, MOVES[:3]),
    "equity without bounds": lambda draw: draw.equity_curve(
        [EquityPoint(at=point.at, net_liquidation=point.net_liquidation) for point in POINTS]
    ),
    "one point": lambda draw: draw.equity_curve(POINTS[:1], MOVES[:1]),
    "no point": lambda draw: draw.equity_curve([], MOVES),
    "exposure": lambda draw: draw.exposure(BARS),
    "one market worth nothing": lambda draw: draw.exposure([Bar(name="x", cost=Usdc(0), value=Usdc(0))]),
    "no market": lambda draw: draw.exposure([]),
    "slippage": lambda draw: draw.slippage([*range(-9_000, 40_000, 100), *range(10**6, 10**7, 10**5)]),
    "slippage far away": lambda draw: draw.slippage([120_000] * 9),
    "slippage in ticks": lambda draw: draw.slippage([0, 500_000, 500_000, -1_000_000], unit=TICKS),
    "no slippage": lambda draw: draw.slippage([]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_a_png_of_the_promised_size(name: str) -> None:
    body = DRAWN[name](Pictures())
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", body[16:24]) == (1200, 700)
    # Nothing in it says when, or with which version, it was drawn.
    assert b"tEXt" not in body
    assert len(body) > 10_000


@pytest.mark.parametrize("name", ["equity", "exposure", "slippage"])
def test_the_same_data_gives_the_same_bytes_whatever_the_users_style(name: str, tmp_path: Path) -> None:
    import matplotlib

    first = DRAWN[name](Pictures())
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 30, "savefig.dpi": 300}):
        assert DRAWN[name](Pictures()) == first
        assert matplotlib.rcParams["font.size"] == 30


def test_empty_pictures_differ_from_each_other() -> None:
    assert len({DRAWN[name](Pictures()) for name in ("no point", "no market", "no slippage")}) == 3


def test_without_matplotlib_it_is_told_how_to_get_it() -> None:
    script = (
        "import sys\nsys.modules['matplotlib'] = None\nfrom betteroms import wiring\n"
        "from betteroms.domain.errors import ExtraMissing\n"
        "try:\n    wiring.pictures()\nexcept ExtraMissing as fault:\n    sys.stdout.write(str(fault))\n"
    )
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout == "pictures need matplotlib: pip install 'betteroms[plots]'"
    assert ExtraMissing("plots", "x").extra == "plots"


def test_nothing_is_imported_before_something_is_drawn() -> None:
    script = (
        "import sys\nfrom betteroms import wiring\nfrom betteroms.cli import charts, export\n"
        "import betteroms.adapters.pictures, betteroms.adapters.exports\n"
        "sys.stdout.write(str({'matplotlib', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout == "set()"


def test_the_composition_root_hands_the_pictures_out() -> None:
    assert isinstance(wiring.pictures(), Pictures)
