"""A run as one HTML file: what was asked, what came of it, what it saw, and how to look closer.

It opens offline, with no script and nothing fetched; whatever comes from outside is shown as text.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from betteroms.cli import render
from betteroms.cli.course import show_maintenance, show_run
from betteroms.cli.page import figures
from betteroms.cli.page.parts import bullets, code, columns, facts, gain, plain, section, short, table
from betteroms.cli.page.style import framed
from betteroms.cli.refusals import in_words
from betteroms.cli.summary import remarks

CHIPS: Final = {
    "filled": "good",
    "completed": "good",
    "open": "rest",
    "partly filled": "rest",
    "denied": "bad",
    "rejected": "bad",
    "failed": "bad",
}
SCREENS: Final = {"maintain": show_maintenance, "run": show_run}
HASHES: Final = {
    "verified": "verified",
    "mismatch": "not the one its hash names",
    "unverifiable": "cannot be checked",
}


def run_page(told: Mapping[str, Any]) -> str:
    """The page about a run; `told` is what `jobs.run_page` found out about it."""
    run, seen = told["run"], told["seen"]
    name = run["planId"] or run["kind"]
    body = [_header(told, name)]
    if seen is not None:
        body += [
            _totals(told["result"], seen),
            _instructions(told, seen),
            _settled(seen),
            section("Slippage", figures.slippage(told["slippage"])),
            _positions(told, seen),
            section(
                "Remarks", bullets([plain(row) for row in remarks(seen, told["result"], told["timing"])])
            ),
            _books(told, seen),
        ]
    else:
        body += [_orders(told["orders"]), _kept(told)]
    body += [_settings(run), _closer(told), _footer(told)]
    return framed(f"{plain(name)} · run {plain(run['shortId'])}", "\n".join(part for part in body if part))


def _header(told: Mapping[str, Any], name: str) -> str:
    run, timing = told["run"], told["timing"] or {}
    duration = f"{timing['durationMs'] / 1000:,.2f} s" if "durationMs" in timing else None
    attempt = f"attempt {run['attempt']}" if run["attempt"] > 1 else None
    chips = [
        _chip(run["status"]),
        *[f"<li>{plain(each)}</li>" for each in (run["mode"], run["kind"], attempt) if each],
    ]
    rows = {
        "plan file": run["planFile"] and plain(run["planFile"]),
        "scheduled": plain(render.moment(run["scheduledAt"])) + " UTC",
        "started": plain(render.moment(run["startedAt"])) + " UTC",
        "completed": run["completedAt"] and plain(render.moment(run["completedAt"])) + " UTC",
        "took": duration,
        "error": run["error"] and f'<span class="loss">{plain(run["error"])}</span>',
        "run": code(run["runId"]),
        "plan's content": run["contentHash"] and short(run["contentHash"], 24),
        "engine": plain(run["engineVersion"]),
    }
    return f'<header><h1>{plain(name)}</h1><ul class="chips">{"".join(chips)}</ul>{facts(rows)}</header>'


def _chip(word: str) -> str:
    return f'<li class="chip {CHIPS.get(word, "")}">{plain(word)}</li>'


def _status(order: Mapping[str, Any]) -> str:
    word = render.status(order).plain
    return f'<span class="chip {CHIPS.get(word, "")}">{plain(word)}</span>'


def _totals(result: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    totals = result["totals"]
    refused = totals["denied"] + totals["rejected"]
    numbers = (
        ("instructions", f"{len(result['instructions']):,}"),
        ("filled", f"{totals['filled']:,}"),
        ("partly filled", f"{totals['partlyFilled']:,}"),
        ("refused", f"{refused:,}"),
        ("traded", f"${render.cents(totals['notional'])}"),
        ("fees", f"${render.cents(totals['fees'])}"),
        ("slippage against mid", f"${render.cents(totals['slippage'])}"),
    )
    cards = "".join(f"<div><b>{plain(value)}</b><span>{plain(name)}</span></div>" for name, value in numbers)
    codes = [f"{code(name)} {count:,}: {plain(in_words(name))}" for name, count in result["refused"].items()]
    return section(
        "What came of it",
        figures.outcomes(totals),
        f'<div class="totals">{cards}</div>',
        f"<p>Refused:</p>{bullets(codes)}" if codes else "",
        note=f"{seen['fills']:,} fill{'s' if seen['fills'] != 1 else ''}",
    )


def _instructions(told: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    heads = columns("=instruction", ">limit", ">size", ">filled", ">average", ">fee", ">slippage", "status")
    rows = [(_cells(row), _details(row, told["orders"].get(row["orderId"]))) for row in seen["rows"]]
    hidden = f'<p class="quiet">… {seen["hidden"]:,} more are not shown.</p>' if seen["hidden"] else ""
    return section("Instructions", table(heads, rows) if rows else "", hidden, note="in the plan's order")


def _cells(row: Mapping[str, Any]) -> list[str]:
    line = "" if row["line"] is None else f'<span class="quiet">{row["line"]}</span> '
    return [
        f"{line}<b>{plain(row['side'])} {plain(row['outcome'])}</b> {plain(render.market(row['marketId']))}",
        plain(render.number(row["limitPrice"])),
        plain(render.size(row)),
        plain(render.number(row["filledSize"])),
        plain(render.average(row["averagePrice"])),
        plain(render.number(row["fee"])),
        plain(render.dollars(row.get("slippage"))),
        _status(row),
    ]


def _details(row: Mapping[str, Any], now: Mapping[str, Any] | None) -> str:
    """Why it was refused, its fills, what was rounded, and what has become of it since."""
    told = []
    if row["code"]:
        reason = f": {plain(row['reason'])}" if row["reason"] else ""
        told.append(f'<p class="why">{plain(in_words(row["code"]))} ({code(row["code"])}{reason})</p>')
    if row["executions"]:
        told.append(f"<p>{' · '.join(_fill(execution) for execution in row['executions'])}</p>")
    remarks = [*row.get("adjustments", ()), *([row["exempt"]] if row.get("exempt") else [])]
    if remarks:
        told.append(f"<p>{'; '.join(plain(remark) for remark in remarks)}</p>")
    if now is not None and (now["status"], now["filledSize"]) != (row["status"], row["filledSize"]):
        told.append(
            f'<p class="why">since then: {plain(render.status(now).plain)}, '
            f"{plain(render.number(now['filledSize']))} filled</p>"
        )
    if row.get("notes"):
        told.append(f"<p>“{plain(row['notes'])}”</p>")
    ref = f"{plain(row['ref'])} · " if row["ref"] else ""
    told.append(f"<p>{ref}order {code(row['orderId'][:8])}</p>")
    return "".join(told)


def _fill(execution: Mapping[str, str]) -> str:
    return plain(
        f"{render.number(execution['size'])} @ {render.number(execution['price'])}, "
        f"{execution['liquidity'].lower()}, fee {render.number(execution['fee'])}"
    )


def _settled(seen: Mapping[str, Any]) -> str:
    heads = columns("=order", ">filled now", ">average", ">fee", "status")
    rows = [
        (
            [
                f"{code(row['orderId'][:8])} {plain(row['side'])} {short(row['tokenId'])}",
                plain(render.number(row["fillSize"])),
                plain(render.average(row["averagePrice"])),
                plain(render.number(row["fee"])),
                _status(row),
            ],
            "",
        )
        for row in seen["settled"]
    ]
    return section("Earlier orders that moved", table(heads, rows) if rows else "")


def _positions(told: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    heads = columns(
        "=position", ">size", ">cost", ">mark", ">age of mark", ">value", ">unrealised", ">realised", ">fees"
    )
    rows = [
        (
            [
                f"{plain(render.market(row['marketId']))} <b>{plain(row['outcome'])}</b>",
                plain(render.number(row["size"])),
                plain(render.cents(row["costBasis"])),
                plain(render.average(row["mark"]))
                + (f" {plain(row['markFlag'])}" if row["markFlag"] else ""),
                _seen_at(row),
                plain(render.cents(row["marketValue"])),
                gain(row["unrealised"]),
                gain(row["realised"]),
                plain(render.cents(row["fees"])),
            ],
            "",
        )
        for row in told["positions"]
    ]
    totals = seen["positionTotals"]
    foot = [
        "total", "", plain(render.cents(totals["costBasis"])), "", "", "", gain(totals["unrealised"]),
        gain(totals["realised"]), plain(render.cents(totals["fees"])),
    ]  # fmt: skip
    return section(
        "Positions in these markets",
        figures.exposure(told["positions"]),
        table(heads, rows, foot=foot) if rows else "",
        note="as the run left them; dollars, realised is net of fees",
    )


def _seen_at(row: Mapping[str, Any]) -> str:
    """How old the price was by the run's own time; the time itself where the pointer rests."""
    if row["markedAt"] is None:
        return render.NOTHING
    age = plain(render.age(row["markAgeSeconds"]))
    return f'<span title="{plain(render.moment(row["markedAt"]))} UTC">{age}</span>'


def _books(told: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    heads = columns("=book of", "content", "hash", "read, UTC", "from")
    rows = [
        (
            [
                plain(book["name"]) if book["name"] else short(book["tokenId"]),
                short(book["bookId"]),
                plain(HASHES.get(book["hashCheck"], book["hashCheck"])),
                plain(render.moment(book["receivedAt"])),
                "a recording" if book["recorded"] else "the venue",
            ],
            "<p>made from the book of the other outcome</p>" if book["mirrored"] else "",
        )
        for book in told["books"]
    ]
    return section("Books it saw", table(heads, rows) if rows else "", note=f"{seen['books']:,}")


def _orders(orders: Mapping[str, Mapping[str, Any]]) -> str:
    """The orders of a run that was not completed, as they stand now."""
    heads = columns("=order", ">limit", ">size", ">filled", "status")
    rows = [
        (
            [
                f"{code(row['shortId'])} <b>{plain(row['side'])} {plain(row['outcome'])}</b> "
                f"{plain(render.market(row['marketId']))}",
                plain(render.number(row["limitPrice"])),
                plain(render.size(row)),
                plain(render.number(row["filledSize"])),
                _status(row),
            ],
            f'<p class="why">{plain(in_words(row["code"]))} ({code(row["code"])})</p>' if row["code"] else "",
        )
        for row in orders.values()
    ]
    return section("Orders so far", table(heads, rows) if rows else "")


def _kept(told: Mapping[str, Any]) -> str:
    """What a run of another kind than a plan's came to: its screen, or its summary where it has none."""
    result, show = told["result"], SCREENS.get(told["run"]["kind"])
    if result is None:
        return ""
    if show is None:
        text = json.dumps(result, indent=2, ensure_ascii=False)
        return section("Summary as it was kept", f"<pre>{plain(text)}</pre>")
    return section(
        "What came of it", f"<pre>{plain(render.screen(lambda: show(result, told['timing'])))}</pre>"
    )


def _settings(run: Mapping[str, Any]) -> str:
    rows = {name: plain(value) for name, value in sorted(run["settings"].items())}
    return section("Settings it ran with", facts(rows) if rows else "")


def _closer(told: Mapping[str, Any]) -> str:
    run = told["run"]
    # The planId where it is one, since that is what people remember; the shell takes it as it stands.
    name = shlex.quote(run["planId"] or run["shortId"])
    lines = [f"betteroms runs show {name}"]
    if told["seen"] is not None or run["kind"] in SCREENS:
        examples = _worth_explaining(told["seen"]["rows"]) if told["seen"] is not None else []
        lines += [
            "",
            "# computed again from what the run recorded, without network, and compared",
            f"betteroms runs replay {name}",
            *(["", "# one order's whole story"] if examples else []),
            *(f"betteroms explain {order_id}" for order_id in examples),
        ]
    return section("To look closer", f"<pre>{plain(chr(10).join(lines))}</pre>")


def _worth_explaining(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """An order that was refused and one that was filled, as examples."""
    found = [
        next((row for row in rows if row["code"]), None),
        next((row for row in rows if row["executions"]), None),
    ]
    return list(dict.fromkeys(row["orderId"] for row in found if row is not None))


def _footer(told: Mapping[str, Any]) -> str:
    made = plain(render.moment(told["madeAt"]))
    return f"<footer>Made by betteroms at {made} UTC, as of which “since then” is told.</footer>"
