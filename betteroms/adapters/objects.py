"""Plans in object storage, reached through fsspec, which is imported when such a place is read.

Credentials are found by the storage's own library where it always looks for them; they never come here.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from betteroms.domain.errors import BetterOmsError, ExtraMissing, StorageUnreachable
from betteroms.ports import FoundPlan
from betteroms.sources.plan import PLAN_BYTES_MAX
from betteroms.sources.plan_files import PLANS_MAX, complaint, is_plan_file, name_shown, too_many

LIBRARIES: Final = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
"""Storages reached over a network, by the beginning of their URLs, and what fsspec needs for each."""
SCHEMES: Final = (*LIBRARIES, "file", "memory")
"""Not http:// and the like: a plan is money, and must come from where only its owner can write."""
READ_AT_ONCE: Final = 16
BATCH: Final = 64
"""So many plans are fetched before the first of them is handed over."""
TRANSFER_SECONDS_MAX: Final = 300
"""How long one listing, or one plan, may take in all."""
_RETRIES_MAX: Final = 2
"""Attempts to read an object again whose transfer broke off; each has the library's own for its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How storage is asked: how long an answer may take, how often, and where S3 is if not at Amazon."""

    timeout: timedelta
    attempts: int
    s3_endpoint: str | None = None


class PlanObjects:
    """Keeps the promises of `ports.PlanPlace` on a URL such as s3://bucket/prefix."""

    def __init__(self, url: str, access: Access) -> None:
        self._url = url
        self._access = access

    @property
    def name(self) -> str:
        """See `ports.PlanPlace.name`; without a password, should there be one."""
        return name_shown(self._url) if "@" not in self._url else f"{self._url.partition('://')[0]}://…"

    def plans(self) -> Iterable[FoundPlan]:
        """See `ports.PlanPlace.plans`."""
        scheme = self._checked()
        with self._storage(scheme) as storage, ThreadPoolExecutor(READ_AT_ONCE) as pool:
            listed = self._listed(storage, scheme)
            for start in range(0, len(listed), BATCH):
                yield from pool.map(lambda each: self._found(storage, each), listed[start : start + BATCH])

    def _checked(self) -> str:
        """The URL's scheme, once nothing is wrong with the URL."""
        try:
            parts = urlsplit(self._url)
        except ValueError:
            raise complaint(self.name, "is not a URL") from None
        if parts.scheme not in SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise complaint(self.name, f"is no storage that plans are read from; those are {known}")
        if "@" in parts.netloc or parts.query or parts.fragment or not self._url.isprintable():
            raise complaint(self.name, "must not hold a user, a query, a fragment or a control character")
        if parts.scheme in LIBRARIES and not parts.netloc:
            raise complaint(self.name, "names no bucket")
        return parts.scheme

    @contextmanager
    def _storage(self, scheme: str) -> Iterator[Any]:
        """The file system that fsspec makes of the URL, closed on the way out."""
        options = self._s3_options() if scheme == "s3" else {}
        try:
            fsspec = import_module("fsspec")
            with self._faults_named():
                storage = fsspec.filesystem(
                    scheme, skip_instance_cache=True, use_listings_cache=False, **options
                )
        except ImportError as missing:
            raise self._missing(scheme) from missing
        if scheme == "s3":
            storage.retries = min(self._access.attempts, _RETRIES_MAX)
        try:
            yield storage
        finally:
            if scheme == "s3":
                with suppress(Exception):  # it may never have connected
                    storage.close_session(storage.loop, storage.s3)

    def _s3_options(self) -> dict[str, Any]:
        seconds = self._access.timeout.total_seconds()
        config: dict[str, Any] = {
            "connect_timeout": seconds,
            "read_timeout": seconds,
            "retries": {"mode": "standard", "total_max_attempts": self._access.attempts},
            # An endpoint that the environment or a profile names may be a plain http:// one.
            "ignore_configured_endpoint_urls": True,
        }
        endpoint = self._access.s3_endpoint
        if endpoint is None:
            return {"config_kwargs": config}
        # Amazon's servers have a name for each bucket, which those of others often lack.
        return {"endpoint_url": endpoint, "config_kwargs": {**config, "s3": {"addressing_style": "path"}}}

    def _missing(self, scheme: str) -> BetterOmsError:
        if scheme == "s3":
            return ExtraMissing("s3", f"{self.name}: reading s3:// needs fsspec and s3fs")
        libraries = " ".join(["fsspec", *([LIBRARIES[scheme]] if scheme in LIBRARIES else [])])
        return complaint(self.name, f"needs {libraries}: pip install {libraries}")

    def _listed(self, storage: Any, scheme: str) -> list[dict[str, Any]]:
        """The plans under the prefix, by name; a prefix that nothing has is an empty place."""
        root = storage._strip_protocol(self._url)
        try:
            with self._faults_named():
                entries = storage.ls(root, detail=True, **_limit(storage))
        except FileNotFoundError:
            if scheme == "file":
                raise complaint(self.name, "does not exist") from None
            return []
        if [entry["name"] for entry in entries if entry["type"] == "file"] == [root]:
            raise complaint(self.name, "is a single object; name the prefix that it lies under")
        plans = [
            entry for entry in entries if entry["type"] == "file" and is_plan_file(_last_part(entry["name"]))
        ]
        if len(plans) > PLANS_MAX:
            raise too_many(self.name)
        return sorted(plans, key=lambda entry: _last_part(entry["name"]))

    def _found(self, storage: Any, entry: dict[str, Any]) -> FoundPlan:
        last = _last_part(entry["name"])
        file = name_shown(last)
        name = f"{self.name.rstrip('/')}/{file}"
        try:
            if file != last:
                raise complaint(name, "has a name that cannot be printed")
            if entry["size"] > PLAN_BYTES_MAX:
                raise complaint(name, f"has {entry['size']:,} bytes; the most is {PLAN_BYTES_MAX:,}")
            if not entry["size"]:
                return FoundPlan(name=name, file=file)  # no range of nothing can be asked for
            with self._faults_named(name):
                # One byte more than allowed: it may have grown since it was listed.
                body = storage.cat_file(entry["name"], start=0, end=PLAN_BYTES_MAX + 1, **_limit(storage))
        except FileNotFoundError:
            return FoundPlan(name=name, file=file, fault=complaint(name, "was there and is gone"))
        except BetterOmsError as fault:
            return FoundPlan(name=name, file=file, fault=fault)
        return FoundPlan(name=name, file=file, body=body)

    @contextmanager
    def _faults_named(self, name: str | None = None) -> Iterator[None]:
        """Turn whatever a storage's library raises into StorageUnreachable: each has exceptions of its own.

        That something is not there passes through, unless it is the bucket.
        """
        try:
            yield
        except ImportError:
            raise
        except Exception as fault:
            if isinstance(fault, FileNotFoundError) and not _bucket_missing(fault):
                raise
            told = str(fault).strip().partition("\n")[0] or type(fault).__name__
            raise StorageUnreachable(f"{name or self.name}: {told}") from fault


def _bucket_missing(fault: FileNotFoundError) -> bool:
    """Whether the storage's own answer says so; of what it merely does not list there is no such answer."""
    answer = getattr(fault.__cause__, "response", None)
    return isinstance(answer, dict) and answer.get("Error", {}).get("Code") == "NoSuchBucket"


def _limit(storage: Any) -> dict[str, int]:
    """The time one call may take, for file systems that can be told."""
    return {"timeout": TRANSFER_SECONDS_MAX} if storage.async_impl else {}


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]
