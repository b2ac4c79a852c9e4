"""The frame of every picture: size, colours, title, and how amounts are written on it.

Here amounts become floats, which a picture needs and no book does.
"""

import warnings
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from io import BytesIO
from typing import Any, Final

from betteroms.domain.money import MICROS

# matplotlib's own types differ from version to version, and this program needs none of them.
Axes = Any
Figure = Any

WIDTH: Final = 1200
HEIGHT: Final = 700
DPI: Final = 100
NAME_LENGTH_MAX: Final = 40

INK, QUIET, GRID = "#1f2933", "#5f6b7a", "#e3e7ec"
# From the palette of Okabe and Ito, which people with any kind of colour vision can tell apart.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
_STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    # A market may be called "$5?": that is a name and no formula.
    "text.parse_math": False,
    "legend.frameon": False,
}


def png(draw: Callable[[Figure], None]) -> bytes:
    """The drawing as a file: the same bytes for the same data, whatever the user's own style."""
    matplotlib = import_module("matplotlib")
    agg = import_module("matplotlib.backends.backend_agg")
    figures = import_module("matplotlib.figure")
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Names in a script that the font does not have are drawn as boxes; nobody needs to be told each time.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = figures.Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        agg.FigureCanvasAgg(figure)
        draw(figure)
        target = BytesIO()
        figure.savefig(target, format="png", dpi=DPI, metadata={"Software": None})
    return target.getvalue()


def axes_with(figure: Figure, title: str, below: str, *, left: float = 0.115) -> Axes:
    figure.text(0.03, 0.945, title, fontsize=20, fontweight="bold", va="center")
    figure.text(0.03, 0.893, below, fontsize=13, color=QUIET, va="center")
    return figure.add_axes((left, 0.12, 0.97 - left, 0.70))


def nothing(figure: Figure, title: str, words: str) -> None:
    axes = axes_with(figure, title, "")
    axes.set_axis_off()
    figure.text(0.5, 0.5, words, fontsize=16, color=QUIET, ha="center", va="center")


def as_float(micros: int) -> float:
    return micros / MICROS


def dollars(micros: int, *, signed: bool = False) -> str:
    """To the cent: in a picture nobody reads more."""
    amount = abs(Decimal(micros)) / MICROS
    sign = "−" if micros < 0 else "+" if signed and micros > 0 else ""
    return f"{sign}${amount:,.2f}"


def dollar_ticks(limits: tuple[float, float]) -> Callable[[float, int], str]:
    """Ticks with as many decimals as they need to differ."""
    span = limits[1] - limits[0]
    decimals = 0 if span >= 10 else 2 if span >= 0.1 else 4
    return lambda value, _: f"{'−' if value < 0 else ''}${abs(value):,.{decimals}f}"


def short_name(name: str) -> str:
    """Cut in the middle, so that both ends can be told from others; without what cannot be drawn."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    if len(shown) <= NAME_LENGTH_MAX:
        return shown
    head = NAME_LENGTH_MAX * 3 // 5
    return f"{shown[:head]}…{shown[head - NAME_LENGTH_MAX + 1 :]}"
