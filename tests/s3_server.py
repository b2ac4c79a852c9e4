"""A loopback server that answers as S3 does where plans are read: lists, objects, and what can go wrong.

It knows ListObjectsV2 in pages, GetObject with ranges and HeadObject, all with the bucket in the path. For
what it was not given it has S3's own errors; a request that is not signed is refused.
"""

import re
from dataclasses import dataclass
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

KEYS_PER_PAGE_MAX = 1_000
ACCESS_KEY = "AKIDOFATEST"
SIGNED = re.compile(rf"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/\d{{8}}/[a-z0-9-]+/s3/aws4_request, ")
RANGE = re.compile(r"bytes=(\d+)-(\d+)")
STAMP = "2026-11-20T12:00:00.000Z"
XML = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One bad answer: an error of S3, late, or none at all."""

    status: int = 200
    code: str = "InternalError"
    delay_seconds: float = 0
    drop: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked; `key` is empty where the bucket was."""

    method: str
    bucket: str
    key: str
    query: dict[str, str]


class S3Server:
    """The server; a context manager. `objects` holds bodies by bucket and key, and may be changed meanwhile.

    `page_length` shortens the pages of lists, so that few objects make several.
    """

    def __init__(self, objects: dict[str, dict[str, bytes]], *, page_length: int = KEYS_PER_PAGE_MAX) -> None:
        self.objects = objects
        self.page_length = page_length
        self.asked: list[Asked] = []
        self._faults: dict[str, Fault] = {}
        self._stopping = Event()
        storage = self

        class Handler(_Handler):
            server_storage = storage

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Its address, for BETTEROMS_S3_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail_always(self, key: str, fault: Fault) -> None:
        """Answer every question about this key like this from now on; the empty one is the list."""
        self._faults[key] = fault

    def fault_for(self, key: str) -> Fault:
        return self._faults.get(key, Fault())

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the test."""
        self._stopping.wait(seconds)

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

    def page(self, bucket: str, query: dict[str, str]) -> str:
        """One page of a list: the keys below a prefix, those in deeper folders as one folder each."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        entries: dict[str, bytes | None] = {}
        for key, body in sorted(self.objects[bucket].items()):
            if not key.startswith(prefix):
                continue
            head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            entries[f"{prefix}{head}{cut}" if cut else key] = None if cut else body
        names = sorted(entries)
        after = query.get("continuation-token", "")
        left = [name for name in names if name > after]
        shown = left[: min(self.page_length, int(query.get("max-keys", KEYS_PER_PAGE_MAX)))]
        more = len(left) > len(shown)
        parts = [
            f"<IsTruncated>{str(more).lower()}</IsTruncated><EncodingType>url</EncodingType>",
            f"<KeyCount>{len(shown)}</KeyCount>",
        ]
        if more:
            parts.append(f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>")
        for name in shown:
            named, entry = escape(quote(name)), entries[name]
            if entry is None:
                parts.append(f"<CommonPrefixes><Prefix>{named}</Prefix></CommonPrefixes>")
            else:
                facts = f"<LastModified>{STAMP}</LastModified><ETag>{_etag(entry)}</ETag>"
                size = f"<Size>{len(entry)}</Size><StorageClass>STANDARD</StorageClass>"
                parts.append(f"<Contents><Key>{named}</Key>{facts}{size}</Contents>")
        return f"<ListBucketResult>{''.join(parts)}</ListBucketResult>"


def _etag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet, or each answer waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server_storage: S3Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test has the log in `asked`."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).removeprefix("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server_storage.asked.append(Asked(self.command, bucket, key, query))
        fault = self.server_storage.fault_for(key)
        self.server_storage.pause(fault.delay_seconds)
        if fault.drop:
            self.close_connection = True
            self.connection.shutdown(SHUT_RDWR)
        elif not SIGNED.match(self.headers.get("Authorization", "")):
            self._refuse(403, "AccessDenied")
        elif fault.status != 200:
            self._refuse(fault.status, fault.code)
        elif bucket not in self.server_storage.objects:
            self._refuse(404, "NoSuchBucket")
        elif not key:
            self._send(200, self.server_storage.page(bucket, query).encode(), XML)
        elif key not in self.server_storage.objects[bucket]:
            self._refuse(404, "NoSuchKey")
        else:
            self._object(self.server_storage.objects[bucket][key])

    def _object(self, body: bytes) -> None:
        facts = {"ETag": _etag(body), "Last-Modified": "Fri, 20 Nov 2026 12:00:00 GMT"}
        wanted = RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted is None:
            self._send(200, body, facts)
            return
        first, last = int(wanted[1]), min(int(wanted[2]), len(body) - 1)
        if first > last:
            self._refuse(416, "InvalidRange")
            return
        facts["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        self._send(206, body[first : last + 1], facts)

    def _refuse(self, status: int, code: str) -> None:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code)
        document = f"<Error><Code>{code}</Code><Message>{words}</Message></Error>"
        self._send(status, document.encode(), XML)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
