"""`schema plan`: the JSON Schema of trade plans."""

import sys

from betteroms.cli.options import Json, command, group

app = group("The formats of files.")


@command(
    app,
    "plan",
    example="betteroms schema plan > trade-plan-v1.schema.json",
    does="Print the JSON Schema of trade plans.",
    more="It is one JSON document with --json and without.",
)
def plan(as_json: Json = False) -> None:  # noqa: ARG001 - what is printed is JSON either way
    from betteroms.sources.plan import schema_text

    if sys.stdout is not None:
        sys.stdout.write(schema_text())
