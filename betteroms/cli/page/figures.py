"""Charts within a page: what became of the instructions, exposure, slippage.

Only the bars are drawings, as wide as there is room; words and numbers stand beside them as text, which can
be read on a phone, too. Lengths are whole numbers; colours come from the page's style.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from betteroms.cli import render
from betteroms.cli.page.parts import gain, plain
from betteroms.domain.figures import CENTS, Bar, Histogram, histogram, ranked
from betteroms.domain.money import Usdc, to_micros, to_text

WIDTH: Final = 1_000
"""Units across each drawing, however wide it is shown."""
NAME_LENGTH_MAX: Final = 44
OUTCOMES: Final = (
    ("filled", "good", "filled"),
    ("resting", "rest", "resting"),
    ("canceled", "gone", "cancelled"),
    ("rejected", "bad", "rejected"),
    ("denied", "bad", "denied"),
)


def outcomes(totals: Mapping[str, Any]) -> str:
    """One bar for all instructions, cut by what became of them."""
    counted = [(totals[name], kind, words) for name, kind, words in OUTCOMES if totals[name]]
    total = sum(count for count, _, _ in counted)
    if not total:
        return ""
    parts, before = [], 0
    for count, kind, words in counted:
        start, end = WIDTH * before // total, WIDTH * (before + count) // total
        parts.append(_bar(start, 0, end - start - 2, 18, kind, f"{count:,} {words}"))
        before += count
    key = "".join(f'<li class="{kind}">{count:,} {plain(words)}</li>' for count, kind, words in counted)
    label = ", ".join(f"{count:,} {words}" for count, _, words in counted)
    return f'{_drawing(18, label, "".join(parts))}<ul class="key">{key}</ul>'


def exposure(positions: Sequence[Mapping[str, Any]]) -> str:
    """What the run's markets cost and what they were worth when it ended; nothing where nothing is held."""
    held = [
        Bar(
            name=f"{render.market(row['marketId'])} {row['outcome']}",
            cost=Usdc(to_micros(row["costBasis"])),
            value=Usdc(to_micros(row["marketValue"])),
        )
        for row in positions
        if row["size"] != "0" and row["marketValue"] is not None
    ]
    if not held:
        return ""
    found = ranked(held)
    rows = [*found.shown, *([found.others] if found.others else [])]
    longest = max(max(bar.cost, bar.value) for bar in rows) or 1
    drawn = []
    for bar in rows:
        lengths = (bar.cost * WIDTH // longest, bar.value * WIDTH // longest)
        label = f"cost {to_text(bar.cost)}, value {to_text(bar.value)} dollars"
        bars = _bar(0, 0, lengths[0], 9, "cost", "cost") + _bar(0, 9, lengths[1], 9, "value", "value")
        drawn.append(
            f"<div><span>{plain(render.middle(bar.name, NAME_LENGTH_MAX))}</span>{_drawing(18, label, bars)}"
            f'<span class="n">{plain(render.cents(to_text(bar.value)))}</span>'
            f'<span class="n">{gain(to_text(bar.value - bar.cost))}</span></div>'
        )
    key = '<ul class="key"><li class="cost">cost</li><li class="value">market value</li></ul>'
    return f'<figure><div class="bars">{"".join(drawn)}</div>{key}</figure>'


def slippage(values: Sequence[int]) -> str:
    """How much worse than the mid the instructions were filled; nothing where none was."""
    found = histogram(values, width_min=CENTS.one // 20)
    if found is None:
        return ""
    height = 110
    most = max(each.count for each in found.bins)
    low, high = min(found.bins[0].low, 0), max(found.bins[-1].high, 0)

    def x(value: int) -> int:
        return (value - low) * WIDTH // (high - low)

    drawn = [_bar(x(0), 0, 2, height, "zero", "the mid")]
    for each in found.bins:
        if each.count:
            tall = max(each.count * (height - 6) // most, 2)
            kind = "good" if each.low + each.high < 0 else "value"
            words = f"{each.count:,} from {_cents(each.low)} to {_cents(each.high)}"
            drawn.append(_bar(x(each.low), height - tall, x(each.high) - x(each.low) - 2, tall, kind, words))
    told = f"mean {_cents(found.mean)}, worst {_cents(found.worst)} cents per share worse than the mid"
    marks = "".join(f"<span>{_cents(edge)}</span>" for edge in sorted({low, 0, high}))
    return (
        f"<figure><figcaption>{_count(found)}: {told}; below zero is better than the mid</figcaption>"
        f'{_drawing(height, told, "".join(drawn))}<div class="marks">{marks}</div></figure>'
    )


def _count(found: Histogram) -> str:
    return f"{found.count:,} filled instruction{'s' if found.count != 1 else ''}"


def _cents(value: int) -> str:
    return f"{Decimal(value) / CENTS.one:,.2f}"


def _drawing(height: int, label: str, inside: str) -> str:
    """Stretched to the width that there is: bars stay bars."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" height="{height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{plain(label)}">{inside}</svg>'
    )


def _bar(x: int, y: int, width: int, height: int, kind: str, words: str) -> str:
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{max(width, 2)}" height="{height}">'
        f"<title>{plain(words)}</title></rect>"
    )
