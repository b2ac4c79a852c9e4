"""Plans in a directory: which files count, and what happens to those that cannot be read."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from betteroms.adapters.directory import PlanDirectory
from betteroms.adapters.objects import Access, PlanObjects
from betteroms.domain.errors import PlanInvalid
from betteroms.ports import FoundPlan
from betteroms.sources.plan_files import PLANS_MAX
from betteroms.sources.plan_text import PLAN_BYTES_MAX


def found(path: Path) -> dict[str, bytes | str]:
    """The files that are there: their bytes, or what is wrong with them, in their order."""
    return {each.file: str(each.fault) if each.fault else each.body for each in PlanDirectory(path).plans()}


def fault(path: Path) -> str:
    with pytest.raises(PlanInvalid) as raised:
        list(PlanDirectory(path).plans())
    return str(raised.value)


def test_the_files_of_a_directory_come_by_name(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "B.JSON"):
        (tmp_path / name).write_bytes(name.encode())
    assert list(PlanDirectory(tmp_path).plans()) == [
        FoundPlan(name=str(tmp_path / name), file=name, body=name.encode())
        for name in ("B.JSON", "a.json", "b.json")
    ]


def test_what_lies_below_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"a")
    (tmp_path / "old.json").mkdir()
    (tmp_path / "old.json" / "b.json").write_bytes(b"b")
    assert found(tmp_path) == {"a.json": b"a"}


@pytest.mark.parametrize(
    "name",
    [".hidden.json", ".#june.json", "#june.json#", "june.json~", ".june.json.swp", "june.json.bak", "x"],
)
def test_hidden_files_and_what_editors_leave_behind_are_no_plans(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}")
    assert found(tmp_path) == {}


def test_a_link_to_a_plan_is_as_good_as_the_plan(tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(b"a")
    (tmp_path / "a.json").symlink_to("plan")
    assert found(tmp_path) == {"a.json": b"a"}


def test_a_file_that_cannot_be_read_is_a_fault_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"a")
    (tmp_path / "b.json").symlink_to("nowhere")
    os.mkfifo(tmp_path / "c.json")
    with (tmp_path / "d.json").open("wb") as file:
        file.truncate(PLAN_BYTES_MAX + 1)
    assert found(tmp_path) == {
        "a.json": b"a",
        "b.json": f"{tmp_path}/b.json: cannot be read: No such file or directory",
        "c.json": f"{tmp_path}/c.json: is no ordinary file",
        "d.json": f"{tmp_path}/d.json: has 67,108,865 bytes; the most is 67,108,864",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_what_is_closed_to_us_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"a")
    (tmp_path / "a.json").chmod(0)
    assert found(tmp_path) == {"a.json": f"{tmp_path}/a.json: cannot be read: Permission denied"}
    tmp_path.chmod(0)
    try:
        assert fault(tmp_path) == f"{tmp_path}: cannot be listed: Permission denied"
    finally:
        tmp_path.chmod(0o700)


def test_a_directory_that_may_only_be_read_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"a")
    (tmp_path / "a.json").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert found(tmp_path) == {"a.json": b"a"}
    finally:
        tmp_path.chmod(0o700)


def test_a_name_that_cannot_be_printed_is_a_fault_of_that_plan(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"a")
    (tmp_path / "b\n.json").write_bytes(b"b")
    (tmp_path / os.fsdecode(b"\xff.json")).write_bytes(b"c")
    assert found(tmp_path) == {
        "a.json": b"a",
        r"b\n.json": rf"{tmp_path}/b\n.json: has a name that cannot be printed",
        r"\udcff.json": rf"{tmp_path}/\udcff.json: has a name that cannot be printed",
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none", "does not exist"),
        ("file", "is a file, not a directory of plans"),
        ("x" * 300, "cannot be listed: File name too long"),
        ("a\0b", "is no possible name of a directory"),
    ],
)
def test_a_place_that_is_none_is_told(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert fault(tmp_path / name).endswith(f": {why}")


def test_more_plans_than_any_place_has_are_taken_for_a_mistake(tmp_path: Path) -> None:
    for number in range(PLANS_MAX + 1):
        (tmp_path / f"{number}.json").touch()
    why = "holds more than 20,000 plans; none of them was read"
    assert fault(tmp_path) == f"{tmp_path}: {why}"
    objects = PlanObjects(f"file://{tmp_path}", Access(timeout=timedelta(seconds=5), attempts=1))
    with pytest.raises(PlanInvalid, match=why):
        list(objects.plans())
