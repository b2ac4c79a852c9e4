"""How commands are declared: their help begins with an example, and the options that many share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

LIMIT_MAX: Final = 1_000_000
LIMIT_DEFAULT: Final = 50

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON: one document; for lists, one object per line.")
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="COUNT", min=1, max=LIMIT_MAX, help="At most so many rows.")
]
Offset = Annotated[
    int, typer.Option("--offset", metavar="COUNT", min=0, help="Leave out so many rows first.")
]
Books = Annotated[
    Path | None,
    typer.Option(
        "--books", metavar="DIR", readable=False, help="Recorded books and markets instead of the venue's."
    ),
]
# Whether a file can be read is told by what reads it, in the same words everywhere.
PlanPath = Annotated[Path, typer.Argument(metavar="PLAN.json", readable=False, help="The trade plan.")]


def group(does: str) -> typer.Typer:
    """A noun with its verbs."""
    return typer.Typer(help=does, no_args_is_help=True, pretty_exceptions_show_locals=False)


def command(
    app: typer.Typer, name: str, *, example: str, does: str, more: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a command; `does` is its line in the list of commands."""
    paragraphs = (f"Example: {example}", f"{does} {more}".strip())
    return app.command(name, help="\n\n".join(paragraphs), short_help=does)
