"""Charts as PNG pictures by matplotlib, an optional extra that is imported when something is drawn.

The same data gives the same bytes with the same matplotlib: neither date nor version is written into them.
"""

from collections.abc import Sequence
from importlib import import_module

from betteroms.adapters.pictures.bars import draw_exposure, draw_slippage
from betteroms.adapters.pictures.equity import draw_equity
from betteroms.adapters.pictures.frame import png
from betteroms.domain.errors import ExtraMissing
from betteroms.domain.figures import BARS_MAX, CENTS, Bar, CashMove, EquityPoint, Unit


class Pictures:
    """Draws the charts as PNG, 1200 x 700.

    Raises:
        ExtraMissing: matplotlib is not installed; told before any work is done.
    """

    def __init__(self) -> None:
        try:
            import_module("matplotlib")
        except ImportError as error:
            raise ExtraMissing("plots", "pictures need matplotlib") from error

    def equity_curve(self, points: Sequence[EquityPoint], moves: Sequence[CashMove] = ()) -> bytes:
        """Net liquidation over time, in the order of the points, with deposits and withdrawals marked."""
        return png(lambda figure: draw_equity(figure, points, moves))

    def exposure(self, bars: Sequence[Bar], *, bars_max: int = BARS_MAX) -> bytes:
        """Cost and market value by market: the largest, and the sum of the others."""
        return png(lambda figure: draw_exposure(figure, bars, bars_max))

    def slippage(self, values: Sequence[int], *, unit: Unit = CENTS) -> bytes:
        """How many orders were how much worse than the mid; below zero they were better."""
        return png(lambda figure: draw_slippage(figure, values, unit))
