"""The options of commands that can draw what they tell, and the picture's way into its file."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from betteroms.cli.faults import say

Chart = Annotated[bool, typer.Option("--chart", help="Draw it on the terminal instead.")]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw it into this file, too (PNG).")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


def draw(target: Path, drawn: Callable[[Any], bytes], *, force: bool) -> None:
    """Write a picture; where there is nothing to see, it says so.

    Raises:
        BadParameter: the file's name is not that of a PNG.
    """
    from betteroms import wiring

    if target.suffix.lower() != ".png":
        raise typer.BadParameter(f"'{target}' does not end in .png", param_hint="--plot")
    picture = drawn(wiring.pictures())
    with wiring.whole_file(target, force=force) as stream:
        stream.write(picture)
    say(f"{target}: {len(picture):,} bytes")
