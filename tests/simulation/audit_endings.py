"""The auditor's look at endings: what markets paid, which orders ended with them, and which ran out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.simulation.audit_money import Account, Key, accounts
from tests.simulation.audit_tables import MICROS, PAPER_LIKE, Row, Tables, Window, micros

PAYOUT_KINDS = ("SETTLEMENT", "REVERSAL")


def final_payouts(row: Mapping[str, Any]) -> list[int] | None:
    """What a market row of Gamma says a share pays, by outcome; None until that is final (DECISIONS 5.4)."""
    if row.get("closed") is not True or row.get("umaResolutionStatus") != "resolved":
        return None
    prices = [Decimal(price) for price in json.loads(row.get("outcomePrices") or "[]")]
    final = len(prices) == 2 and sum(prices) == 1 and min(prices) >= 0
    paid = [micros(price) for price in prices] if final else None
    if "winners" not in row or sorted(prices) == [0, 1]:
        return paid
    if row["winners"] is None:
        return None
    won = {told["token_id"]: told["winner"] for told in row["winners"]}
    flags = [won[token] for token in json.loads(row["clobTokenIds"])]
    return [MICROS * flag for flag in flags] if any(flags) else paid


def rows_of(tables: Tables, window: Window) -> dict[str, Mapping[str, Any]]:
    """The market rows that a run read, by market, from their kept bytes."""
    inputs = (window.run["inputs"] or {}).get("markets") or {}
    documents = {market: tables.document(row_id) for market, row_id in inputs.items()}
    return {market: row for market, row in documents.items() if isinstance(row, dict)}


def check_payouts(tables: Tables) -> Iterator[str]:
    """Each payout took all shares and paid for them, once; what was taken back is what was paid."""
    account = Account()
    told: dict[Key, list[Row]] = {}
    for move in tables.moves:
        if move.get("kind") in PAYOUT_KINDS:
            key = (move["mode"], move["token_id"])
            before = account.held[key].size if key in account.held else 0
            for problem in _wrong_entry(move, before, told.setdefault(key, [])):
                yield f"entry {move['key']}: {problem}"
            told[key].append(move)
        account.take(move)


def _wrong_entry(entry: Row, held: int, earlier: Sequence[Row]) -> Iterator[str]:
    """`earlier` are the entries of this token before this one, `held` the shares that were there."""
    number = 1 + sum(row["kind"] == "SETTLEMENT" for row in earlier)
    name = [entry["mode"], entry["kind"].lower(), entry["market_id"], entry["token_id"], number]
    if entry["key"] != json.dumps(name, ensure_ascii=False, separators=(",", ":")):
        yield f"its key is not that of payout {number} of its token"
    last = earlier[-1] if earlier else None
    if entry["kind"] == "REVERSAL":
        if last is None or last["kind"] != "SETTLEMENT":
            yield "takes back what was not paid"
        elif [-entry["cash"], entry["payout"], entry["paid_for"]] != [
            last["cash"],
            last["payout"],
            last["paid_for"],
        ]:
            yield "is not the opposite of what was paid"
        if entry["size"]:
            yield f"moves {entry['size']} shares"
        return
    if entry["cash"] != entry["payout"] * entry["paid_for"] // MICROS:
        yield f"paid {entry['cash']} for {entry['paid_for']} shares at {entry['payout']}"
    if entry["size"]:
        if not held == -entry["size"] == entry["paid_for"]:
            yield f"took {-entry['size']} shares and paid for {entry['paid_for']}, held were {held}"
    elif last is None or last["kind"] != "REVERSAL":
        yield "paid anew what was not taken back"
    elif last["paid_for"] != entry["paid_for"] or last["payout"] == entry["payout"]:
        yield "paid anew for other shares, or the same"


def check_endings(tables: Tables) -> Iterator[str]:
    """After maintenance nothing is held where a market paid, and after any run no order lives on."""
    passes = [w for w in tables.windows if w.run["mode"] in PAPER_LIKE]
    for window, account in zip(passes, accounts(tables, (w.last for w in passes)), strict=True):
        name = f"{window.run['kind']} at {window.run['now']:%d %H:%M}"
        rows = rows_of(tables, window)
        paid = [e for e in tables.entries if e["kind"] in PAYOUT_KINDS and window.holds(e["sequence"])]
        for problem in _wrong_payouts(tables, window, account, rows, paid):
            yield f"{name}: {problem}"
        for order in tables.open_at(window.run["mode"], window.last):
            row = rows.get(order["market_id"])
            if row is not None:
                for problem in _outlived(window, order, row):
                    yield f"{name}: order {order['order_id']} {problem}"


def _wrong_payouts(
    tables: Tables,
    window: Window,
    account: Account,
    rows: Mapping[str, Mapping[str, Any]],
    paid: Sequence[Row],
) -> Iterator[str]:
    final = {market: final_payouts(row) for market, row in rows.items()}
    for entry in paid:
        payouts = final.get(entry["market_id"])
        if window.run["kind"] != "maintain":
            yield f"settled {entry['key']}, which is for maintenance to do"
        if entry["at"] != window.run["now"]:
            yield f"entry {entry['key']} is not at its run's time"
        if payouts is None:
            yield f"entry {entry['key']} pays before it is final what it pays"
        elif entry["kind"] == "SETTLEMENT" and payouts[tables.index_of[entry["token_id"]]] != entry["payout"]:
            yield f"entry {entry['key']} pays {entry['payout']}, the market {payouts}"
    if window.run["kind"] != "maintain":
        return
    standing = _standing(tables, window)
    for (mode, token), held in account.held.items():
        payouts = final.get(held.market_id)
        if mode != window.run["mode"] or payouts is None:
            continue
        if held.size:
            yield f"{held.size} of token {token} are held though their market paid"
        payout = payouts[tables.index_of[token]]
        for entry in standing.get(token, ()):
            if entry["payout"] != payout:
                yield f"entry {entry['key']} still stands at {entry['payout']}, the market pays {payout}"


def _standing(tables: Tables, window: Window) -> dict[str, list[Row]]:
    """The payouts that were not taken back, by token."""
    standing: dict[str, list[Row]] = {}
    for entry in tables.entries:
        if entry["mode"] != window.run["mode"] or entry["sequence"] > window.last:
            continue
        if entry["kind"] == "SETTLEMENT":
            standing.setdefault(entry["token_id"], []).append(entry)
        elif entry["kind"] == "REVERSAL":
            paid = standing[entry["token_id"]]
            paid.remove(next(e for e in reversed(paid) if e["payout"] == entry["payout"]))
    return standing


def _outlived(window: Window, order: Row, row: Mapping[str, Any]) -> Iterator[str]:
    """What an order that is alive after a run should have ended by."""
    now = window.run["now"]
    if order["expires_at"] is not None and order["expires_at"] <= now:
        yield f"rests, though it ran out at {order['expires_at']:%d %H:%M}"
    if row.get("closed") is True:
        yield "rests in a market that is closed"
    start = game_start(row)
    if start is not None and order["placed_at"] < start <= now:
        yield "rests, though the game began"


def game_start(row: Mapping[str, Any]) -> datetime | None:
    """When the venue clears the market's book, if it ever does."""
    start = row.get("gameStartTime") if row.get("clearBookOnStart") is not False else None
    return _instant(start) if start else None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def check_expiry(tables: Tables) -> Iterator[str]:
    """No order ran out before its time, and only one that could."""
    for order in tables.orders:
        for event in tables.events_of(order["order_id"]):
            kind, data = event["event_type"], event["event_data"]
            lapsed = kind == "order_expired" or data.get("code") == "CANCEL_AFTER"
            if lapsed and (order["expires_at"] is None or event["at"] < order["expires_at"]):
                yield f"order {order['order_id']}: ran out before its time"
            if kind == "order_expired" and order["time_in_force"] != "GTD":
                yield f"order {order['order_id']}: expired, and is {order['time_in_force']}"
