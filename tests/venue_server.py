"""A loopback server that answers the venue's public questions in its shapes, and misbehaves on request.

It knows what it is given: books as `/book` sends them, Gamma rows, CLOB info rows, and the CLOB's own
market rows. One address serves the CLOB and Gamma, whose paths collide in `/markets/{name}` alone: a
condition id asks the CLOB there.
"""

import gzip
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Row = Mapping[str, Any]
PAGE_LENGTH_MAX = 100
BOOKS_PER_REQUEST_MAX = 500
CONDITIONS_PER_REQUEST_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One bad answer: the given status and body, late, trickling, cut short, or none at all."""

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    drop: bool = False
    truncate: bool = False
    cut: bool = False
    trickle_seconds: float = 0


HTML = b"<!DOCTYPE html><html><body><h1>Attention Required!</h1></body></html>"


def page(status: int = 200) -> Fault:
    """A web page where JSON was expected."""
    return Fault(status=status, body=HTML, headers={"Content-Type": "text/html"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked: its method, path, query and body."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any


@dataclass(slots=True)
class _Answer:
    status: int
    document: Any


class VenueServer:
    """The server; a context manager. `books` may be changed while it runs; `asked` is its log.

    `page_length` shortens Gamma's pages, so that few markets make several.
    """

    def __init__(
        self,
        *,
        books: Sequence[Row] = (),
        markets: Sequence[Row] = (),
        infos: Sequence[Row] = (),
        clob_markets: Sequence[Row] = (),
        page_length: int = PAGE_LENGTH_MAX,
    ) -> None:
        self.books: dict[str, Row] = {book["asset_id"]: book for book in books}
        self.markets: list[Row] = list(markets)
        self.infos: dict[str, Row] = {info["c"]: info for info in infos}
        self.clob_markets: dict[str, Row] = {row["condition_id"]: row for row in clob_markets}
        self.page_length = page_length
        self.asked: list[Asked] = []
        self._faults: dict[str, list[Fault]] = {}
        self._for_ever: dict[str, Fault] = {}
        self._stopping = Event()
        venue = self

        class Handler(_Handler):
            server_venue = venue

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Its address, for the CLOB as for Gamma."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, path: str, *faults: Fault) -> None:
        """Answer the next questions to `path` with these faults, one each."""
        self._faults.setdefault(path, []).extend(faults)

    def fail_always(self, path: str, fault: Fault) -> None:
        """Answer every question to `path` like this from now on."""
        self._for_ever[path] = fault

    def close_market(self, condition: str, **changed: Any) -> None:
        """Close a market at Gamma, where from now on it must be asked for with `closed=true`."""
        (place,) = [at for at, row in enumerate(self.markets) if row["conditionId"] == condition]
        self.markets[place] = {**self.markets[place], "closed": True, "acceptingOrders": False, **changed}

    def resolve_market(self, condition: str, prices: Sequence[str] = ("1", "0"), **changed: Any) -> None:
        """Close a market as resolved; `prices` are what Gamma then says of its outcomes, final or not."""
        final = {"umaResolutionStatus": "resolved", "outcomePrices": json.dumps(list(prices))}
        self.close_market(condition, **final, **changed)

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fault_for(self, path: str) -> Fault | None:
        queue = self._faults.get(path)
        return queue.pop(0) if queue else self._for_ever.get(path)

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the test."""
        self._stopping.wait(seconds)

    def answer(self, asked: Asked) -> _Answer:
        """What the venue would say."""
        parts = [unquote(part) for part in asked.path.strip("/").split("/")]
        match asked.method, parts:
            case "GET", ["ok"]:
                return _Answer(200, "OK")
            case "GET", ["time"]:
                return _Answer(200, int(time.time()))
            case "POST", ["books"]:
                return self._books(asked.body)
            case "GET", ["book"]:
                token = asked.query.get("token_id", [""])[0]
                missing = "No orderbook exists for the requested token id"
                return _found(self.books.get(token), missing)
            case "GET", ["markets", "keyset"]:
                return self._keyset(asked.query)
            case "GET", ["markets", "slug", slug]:
                return _found(self._market("slug", slug), "slug not found")
            case "GET", ["markets", name] if not name.startswith("0x"):
                return _found(self._market("id", name), "id not found")
            case "GET", ["markets", condition]:
                return _found(self.clob_markets.get(condition), "market not found")
            case "GET", ["clob-markets", condition]:
                return _found(self.infos.get(condition), "market not found")
            case "GET", ["markets-by-token", token]:
                return _found(self._by_token(token), "market not found")
        return _Answer(404, {"error": "not found"})

    def _market(self, field_name: str, value: str) -> Row | None:
        return next((row for row in self.markets if row.get(field_name) == value), None)

    def _by_token(self, token: str) -> Row | None:
        for row in self.markets:
            tokens = _tokens(row)
            if token in tokens:
                names = dict(zip(("primary_token_id", "secondary_token_id"), tokens, strict=True))
                return {"condition_id": row["conditionId"], **names}
        return None

    def _books(self, body: Any) -> _Answer:
        if not isinstance(body, list) or len(body) > BOOKS_PER_REQUEST_MAX:
            return _Answer(400, {"error": "Payload exceeds the limit"})
        return _Answer(200, [self.books[t] for t in (part["token_id"] for part in body) if t in self.books])

    def _keyset(self, query: Mapping[str, list[str]]) -> _Answer:
        if "offset" in query or len(query.get("condition_ids", ())) > CONDITIONS_PER_REQUEST_MAX:
            return _Answer(422, {"type": "validation error", "error": "invalid query"})
        wanted = [row for row in self.markets if _matches(row, query)]
        start = int(query.get("after_cursor", ["0"])[0].removeprefix("after-"))
        length = min(int(query.get("limit", ["20"])[0]), PAGE_LENGTH_MAX, self.page_length)
        document: dict[str, Any] = {"markets": wanted[start : start + length]}
        if start + length < len(wanted):
            document["next_cursor"] = f"after-{start + length}"
        return _Answer(200, document)


def _found(document: Row | None, missing: str) -> _Answer:
    return _Answer(404, {"error": missing}) if document is None else _Answer(200, document)


def _tokens(row: Row) -> list[str]:
    listed = row.get("clobTokenIds") or "[]"
    return [*(json.loads(listed) if isinstance(listed, str) else listed), *row.get("positionIds", [])]


def _matches(row: Row, query: Mapping[str, list[str]]) -> bool:
    """The filters of Gamma's list: open markets unless closed ones are asked for, all kinds must agree."""
    if bool(row.get("closed")) != (query.get("closed", ["false"])[0] == "true"):
        return False
    return all(
        not wanted or any(name in wanted for name in names)
        for wanted, names in (
            (query.get("slug"), [row.get("slug")]),
            (query.get("id"), [row.get("id")]),
            (query.get("condition_ids"), [row.get("conditionId")]),
            (query.get("clob_token_ids"), _tokens(row)),
            (query.get("position_ids"), row.get("positionIds", [])),
        )
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet, or each answer waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server_venue: VenueServer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test has the log in `asked`."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(method, parts.path, parse_qs(parts.query), json.loads(content) if content else None)
        self.server_venue.asked.append(asked)
        fault = self.server_venue.fault_for(parts.path) or Fault()
        self.server_venue.pause(fault.delay_seconds)
        if fault.drop:
            self._hang_up()
            return
        status, body = fault.status, fault.body
        if body is None:
            answer = self.server_venue.answer(asked)
            status = answer.status if status == 200 else status
            body = json.dumps(answer.document).encode()
        if fault.truncate:
            body = body[: len(body) // 2]
        self._send(status, body, fault)

    def _send(self, status: int, body: bytes, fault: Fault) -> None:
        packed = "gzip" in self.headers.get("Accept-Encoding", "") and not fault.trickle_seconds
        content = gzip.compress(body) if packed else body
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **fault.headers}.items():
            self.send_header(name, value)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault.cut:
            self.wfile.write(content[: len(content) // 2])
            self._hang_up()
        elif fault.trickle_seconds:
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                self.server_venue.pause(fault.trickle_seconds)
        else:
            self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        with suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)
