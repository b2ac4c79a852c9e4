"""Plans in object storage: read from a loopback S3, and from fsspec's own storages."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from betteroms import wiring
from betteroms.adapters.objects import Access, PlanObjects
from betteroms.domain.errors import PlanInvalid, StorageUnreachable
from betteroms.ports import FoundPlan
from betteroms.settings import load
from betteroms.sources.plan import PLAN_BYTES_MAX
from tests.s3_server import ACCESS_KEY, Fault, S3Server

ROOT = Path(__file__).parents[2]
ONCE = Access(timeout=timedelta(seconds=5), attempts=1)
SECRET = "only-the-storage-knows-it"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where S3 programs look: keys in the environment, no files, and no cloud machine to ask."""
    nothing = str(tmp_path / "none")
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": nothing,
        "AWS_SHARED_CREDENTIALS_FILE": nothing,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def storage() -> Iterator[S3Server]:
    """A bucket with two plans under one prefix, and things beside them."""
    kept = {
        "plans/": b"",
        "plans/b.json": b"second",
        "plans/a.json": b"first",
        "plans/readme.md": b"no plan",
        "plans/.hidden.json": b"no plan",
        "plans/old/c.json": b"below",
        "plans-too/d.json": b"elsewhere",
    }
    with S3Server({"bucket": kept}) as server:
        yield server


def access(storage: S3Server, *, attempts: int = 1, seconds: float = 5) -> Access:
    return Access(timeout=timedelta(seconds=seconds), attempts=attempts, s3_endpoint=storage.url)


def found(url: str, how: Access) -> dict[str, Any]:
    """The files that are there: their bodies, or the faults, by file."""
    return {each.file: each.fault or each.body for each in PlanObjects(url, how).plans()}


def fault(url: str, how: Access = ONCE) -> str:
    with pytest.raises((PlanInvalid, StorageUnreachable)) as raised:
        list(PlanObjects(url, how).plans())
    return f"{type(raised.value).__name__}: {raised.value}"


def test_the_plans_directly_under_the_prefix_are_read_by_name(storage: S3Server) -> None:
    assert list(PlanObjects("s3://bucket/plans/", access(storage)).plans()) == [
        FoundPlan(name="s3://bucket/plans/a.json", file="a.json", body=b"first"),
        FoundPlan(name="s3://bucket/plans/b.json", file="b.json", body=b"second"),
    ]


def test_the_setting_says_where_s3_is(storage: S3Server, tmp_path: Path) -> None:
    settings = load({"BETTEROMS_HOME": str(tmp_path), "BETTEROMS_S3_ENDPOINT_URL": storage.url}, cwd=tmp_path)
    (tmp_path / "c.json").write_bytes(b"third")
    remote, local = wiring.plan_places(settings, ["s3://bucket/plans", str(tmp_path)])
    assert [each.body for place in (remote, local) for each in place.plans()] == [
        b"first",
        b"second",
        b"third",
    ]
    assert [place.name for place in (remote, local)] == ["s3://bucket/plans", str(tmp_path)]


def test_a_bucket_without_a_prefix_is_a_place_too(storage: S3Server) -> None:
    storage.objects["bucket"] = {"x.json": b"x", "below/y.json": b"y"}
    assert found("s3://bucket", access(storage)) == {"x.json": b"x"}


def test_a_list_of_many_pages_is_read_to_its_end(storage: S3Server) -> None:
    many = {f"plans/{number:03}.json": str(number).encode() for number in range(150)}
    storage.objects["bucket"], storage.page_length = many, 40
    assert found("s3://bucket/plans", access(storage)) == {
        f"{number:03}.json": str(number).encode() for number in range(150)
    }
    assert sum("continuation-token" in asked.query for asked in storage.asked) == 3


def test_names_that_mean_something_elsewhere_are_only_names_here(storage: S3Server) -> None:
    names = ["a b.json", "a+b.json", "a[0].json", "*.json", "ä&<.json", "%41.json"]
    storage.objects["bucket"] = {f"plans/{name}": name.encode() for name in names}
    assert found("s3://bucket/plans", access(storage)) == {name: name.encode() for name in names}


def test_an_empty_object_and_one_too_large_do_not_keep_the_others_out(storage: S3Server) -> None:
    storage.objects["bucket"]["plans/c.json"] = b""
    storage.objects["bucket"]["plans/d.json"] = bytes(PLAN_BYTES_MAX + 1)
    read = found("s3://bucket/plans", access(storage))
    assert (read["a.json"], read["c.json"]) == (b"first", b"")
    assert str(read["d.json"]) == "s3://bucket/plans/d.json: has 67,108,865 bytes; the most is 67,108,864"
    assert {asked.key for asked in storage.asked if asked.key} == {"plans/a.json", "plans/b.json"}


def test_an_object_that_cannot_be_read_is_a_fault_of_its_own(storage: S3Server) -> None:
    storage.fail_always("plans/a.json", Fault(status=403, code="AccessDenied"))
    read = found("s3://bucket/plans", access(storage))
    assert isinstance(read["a.json"], StorageUnreachable)
    assert str(read["a.json"]) == "s3://bucket/plans/a.json: Access Denied"
    assert read["b.json"] == b"second"


def test_an_object_that_vanishes_after_the_list_says_so(storage: S3Server) -> None:
    storage.fail_always("plans/a.json", Fault(status=404, code="NoSuchKey"))
    read = found("s3://bucket/plans", access(storage))
    assert str(read["a.json"]) == "s3://bucket/plans/a.json: was there and is gone"


def test_a_prefix_that_nothing_has_is_an_empty_place(storage: S3Server) -> None:
    assert found("s3://bucket/nothing", access(storage)) == {}


def test_a_bucket_that_does_not_exist_is_a_fault(storage: S3Server) -> None:
    assert fault("s3://other/plans", access(storage)) == (
        "StorageUnreachable: s3://other/plans: No Such Bucket"
    )


def test_a_single_object_is_no_place(storage: S3Server) -> None:
    assert fault("s3://bucket/plans/a.json", access(storage)) == (
        "PlanInvalid: s3://bucket/plans/a.json: is a single object; name the prefix that it lies under"
    )


def test_wrong_keys_are_told_without_the_secret(storage: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODYELSE")
    told = fault("s3://bucket/plans", access(storage))
    assert told == "StorageUnreachable: s3://bucket/plans: Access Denied"
    assert SECRET not in told


def test_missing_keys_are_told_and_nothing_is_asked(
    storage: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert fault("s3://bucket/plans", access(storage)) == (
        "StorageUnreachable: s3://bucket/plans: Unable to locate credentials"
    )
    assert storage.asked == []


def test_an_endpoint_of_the_environment_is_not_taken(
    storage: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert set(found("s3://bucket/plans", access(storage))) == {"a.json", "b.json"}


def test_a_storage_that_is_not_there_is_told_soon() -> None:
    with closing(create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    nowhere = Access(timeout=timedelta(seconds=5), attempts=1, s3_endpoint=f"http://127.0.0.1:{port}")
    assert fault("s3://bucket/plans", nowhere).startswith(
        "StorageUnreachable: s3://bucket/plans: Could not connect to the endpoint URL"
    )


@pytest.mark.parametrize("bad", [Fault(delay_seconds=30), Fault(drop=True)])
def test_a_storage_that_does_not_answer_is_given_up(storage: S3Server, bad: Fault) -> None:
    storage.fail_always("plans/a.json", bad)
    read = found("s3://bucket/plans", access(storage, seconds=0.3))
    assert isinstance(read["a.json"], StorageUnreachable)
    assert read["b.json"] == b"second"


def test_an_error_of_the_storage_is_tried_again_as_often_as_the_settings_say(storage: S3Server) -> None:
    storage.fail_always("", Fault(status=500))
    assert "StorageUnreachable" in fault("s3://bucket/plans", access(storage, attempts=2))
    assert len(storage.asked) == 2


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/plans", "http://example.org/plans: is no storage that plans are read from"),
        ("s3://", "s3://: names no bucket"),
        ("s3://bucket/plans?versionId=1", "must not hold a user, a query, a fragment"),
        ("s3://bucket/a\tb", r"s3://bucket/a\tb: must not hold"),
        ("s3://[", "s3://[: is not a URL"),
    ],
)
def test_a_url_that_cannot_be_one_is_refused_before_anything_is_asked(url: str, why: str) -> None:
    assert why in fault(url)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    told = fault("s3://key:password@bucket/plans")
    assert told.startswith("PlanInvalid: s3://…: must not hold a user")
    assert "password" not in told


def test_a_directory_may_be_named_by_a_url(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"first")
    (tmp_path / "sub.json").mkdir()
    (read,) = PlanObjects(f"file://{tmp_path}", ONCE).plans()
    assert read == FoundPlan(name=f"file://{tmp_path}/a.json", file="a.json", body=b"first")
    assert fault(f"file://{tmp_path}/none") == f"PlanInvalid: file://{tmp_path}/none: does not exist"


def test_a_name_that_cannot_be_printed_is_a_fault_of_that_plan(tmp_path: Path) -> None:
    (tmp_path / "a\n.json").write_bytes(b"x")
    (read,) = PlanObjects(f"file://{tmp_path}", ONCE).plans()
    assert read.file == r"a\n.json"
    assert str(read.fault) == rf"file://{tmp_path}/a\n.json: has a name that cannot be printed"


@pytest.mark.parametrize(
    ("url", "missing", "told"),
    [
        ("s3://b/p", "fsspec", "s3://b/p: reading s3:// needs fsspec and s3fs: pip install 'betteroms[s3]'"),
        ("s3://b/p", "s3fs", "s3://b/p: reading s3:// needs fsspec and s3fs: pip install 'betteroms[s3]'"),
        ("gs://b/p", "gcsfs", "gs://b/p: needs fsspec gcsfs: pip install fsspec gcsfs"),
        ("memory://p", "fsspec", "memory://p: needs fsspec: pip install fsspec"),
    ],
)
def test_a_library_that_is_not_installed_is_named_with_the_command_that_installs_it(
    url: str, missing: str, told: str
) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None
from datetime import timedelta
from betteroms import wiring
from betteroms.adapters.objects import Access, PlanObjects
from betteroms.domain.errors import BetterOmsError
try:
    list(PlanObjects({url!r}, Access(timeout=timedelta(seconds=1), attempts=1)).plans())
except BetterOmsError as fault:
    sys.stdout.write(str(fault))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == told


def test_nothing_of_fsspec_is_loaded_before_such_a_place_is_read() -> None:
    program = """
import json, sys
from betteroms import wiring
from betteroms.settings import load
wiring.plan_places(load({"BETTEROMS_HOME": "/nowhere"}), ["plans", "s3://bucket/prefix"])
sys.stdout.write(json.dumps([name for name in ("fsspec", "s3fs", "botocore") if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout) == []
