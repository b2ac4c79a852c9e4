"""What is read of a directory, and what is said of the rest."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from betteroms.adapters.recorded import files
from betteroms.adapters.recorded.files import Ignored, documents
from betteroms.domain.errors import RecordingUnreadable


def read(directory: Path) -> list[tuple[str, Any]]:
    """Documents and reasons, each with its file."""
    return [
        (name, document.reason if isinstance(document, Ignored) else document)
        for name, document in documents(directory)
    ]


def write(directory: Path, name: str, content: str | bytes) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)


def test_every_kind_of_file_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path, "d.JSON", '{"n": 4}')
    write(tmp_path, "b/z.jsonl", '{"n": 2}\n\n  \n{"n": 3}\n')
    write(tmp_path, "a.json.gz", '{"n": 1}')
    write(tmp_path, "e.jsonl.gz", '{"n": 5}\r\n{"n": 6}')
    assert read(tmp_path) == [
        ("a.json.gz", {"n": 1}),
        ("b/z.jsonl", {"n": 2}),
        ("b/z.jsonl", {"n": 3}),
        ("d.JSON", {"n": 4}),
        ("e.jsonl.gz", {"n": 5}),
        ("e.jsonl.gz", {"n": 6}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "read_as"),
    [
        ("lines.json", '{"n": 1}\n{"n": 2}\n', [{"n": 1}, {"n": 2}]),
        ("pretty.jsonl", json.dumps({"n": [1, 2]}, indent=2), [{"n": [1, 2]}]),
        ("one.jsonl", "[1]", [[1]]),
        ("marked.json", '\ufeff{"n": 1}', [{"n": 1}]),
        ("empty.json", "", ["it is empty"]),
        ("empty.jsonl", " \n\n", ["it is empty"]),
        ("cut.json", '{"bids": [{"price": "0.4', ["it ends in the middle (truncated JSON)"]),
        ("cut.jsonl", '{"bids": [{"price"', ["it ends in the middle (truncated JSON)"]),
        ("page.json", "<html>", ["not JSON: Expecting value: line 1 column 1 (char 0)"]),
        ("latin.json", b'"\xe9"', ["not UTF-8 text (byte 1)"]),
        ("binary.json", b"\x80\x81", ["not UTF-8 text (byte 0)"]),
        ("nan.json", '{"a": NaN}', ["not JSON: NaN is no number"]),
        (
            "tail.jsonl",
            '{"n": 1}\n{"n": 2}\n{"n":',
            [{"n": 1}, {"n": 2}, "line 3: it ends in the middle (truncated JSON); the other lines were read"],
        ),
        (
            "holes.jsonl",
            '{"n": 1}\n?\n{"n": 2}\n?\n',
            [
                {"n": 1},
                {"n": 2},
                "line 2: not JSON: Expecting value: line 1 column 1 (char 0), and 1 more such lines; "
                "the other lines were read",
            ],
        ),
        (
            "notes.txt",
            "buy low",
            ["not a recording: its name does not end in .json, .jsonl, .json.gz, .jsonl.gz"],
        ),
    ],
)
def test_a_file_is_read_or_says_why_not(
    name: str, content: str | bytes, read_as: list[Any], tmp_path: Path
) -> None:
    write(tmp_path, name, content)
    assert read(tmp_path) == [(name, document) for document in read_as]


@pytest.mark.parametrize("keep", [0, 5, 20])
def test_a_packed_file_that_is_cut_off_says_so(keep: int, tmp_path: Path) -> None:
    packed = gzip.compress(b'{"n": "' + os.urandom(64).hex().encode() + b'"}')
    (tmp_path / "a.json.gz").write_bytes(packed[:keep])
    expected = "the packed file is cut off or damaged" if keep else "it is empty"
    assert read(tmp_path) == [("a.json.gz", expected)]


def test_a_packed_file_that_is_damaged_says_so(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b'{"n": 1}' * 100))
    packed[12:16] = b"\xff\xff\xff\xff"
    (tmp_path / "a.json.gz").write_bytes(packed)
    (tmp_path / "b.json.gz").write_bytes(b'{"n": 1}')
    reasons = [reason for _, reason in read(tmp_path)]
    assert reasons[0] == "the packed file is cut off or damaged"
    assert reasons[1].startswith("cannot be read: Not a gzipped file")


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_a_file_beyond_all_measure_is_left_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 1 << 20)
    write(tmp_path, name, " " * (1 << 20) + "1")
    assert read(tmp_path) == [(name, "larger than 1 MiB")]


def test_what_is_no_ordinary_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    assert read(tmp_path) == [("gone.json", "not an ordinary file"), ("pipe.json", "not an ordinary file")]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_or_directory_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    write(tmp_path, "a.json", "1")
    (tmp_path / "a.json").chmod(0)
    assert read(tmp_path) == [("a.json", "cannot be read: Permission denied")]
    tmp_path.chmod(0)
    try:
        with pytest.raises(RecordingUnreadable, match="Permission denied"):
            read(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_there_must_be_a_directory(tmp_path: Path) -> None:
    with pytest.raises(RecordingUnreadable, match=r"none: does not exist$"):
        read(tmp_path / "none")
    write(tmp_path, "a.json", "1")
    with pytest.raises(RecordingUnreadable, match=r"a\.json: is a file, not a directory$"):
        read(tmp_path / "a.json")


def test_a_directory_with_more_files_than_anyone_records_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILES_MAX", 2)
    for number in range(3):
        write(tmp_path, f"{number}.json", "1")
    with pytest.raises(RecordingUnreadable, match=r"holds more than 2 files$"):
        read(tmp_path)


def test_an_empty_directory_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == []
