"""Lines of `.env.local`: set in place or at the end, everything else untouched."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from betteroms.adapters.local_file import changed, set_lines
from betteroms.adapters.whole_file import whole_file
from betteroms.domain.errors import OutputRefused
from betteroms.domain.secret import Secret

NAMES = st.sampled_from(["A", "AB", "B_C", "POLYMARKET_API_KEY"])
LINES = st.one_of(
    st.builds("{}={}".format, NAMES, st.from_regex(r"[a-z0-9=_-]{0,8}", fullmatch=True)),
    st.builds("export {}='{}'".format, NAMES, st.from_regex(r"[a-z \n#]{0,8}", fullmatch=True)),
    st.builds("# {}={}".format, NAMES, st.just("x")),
    st.just(""),
)
VALUES = st.dictionaries(NAMES, st.from_regex(r"[A-Za-z0-9_=+/-]{1,12}", fullmatch=True), min_size=1)


@given(lines=st.lists(LINES), values=VALUES, ends=st.booleans())
def test_the_new_values_are_read_back_and_the_others_as_before(
    lines: list[str], values: dict[str, str], ends: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from io import StringIO

    text = "\n".join(lines) + "\n" * ends
    before = dotenv_values(stream=StringIO(text), interpolate=False)
    after = dotenv_values(stream=StringIO(changed(text, values)), interpolate=False)
    assert after == {**before, **values}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "N=v\n"),
        ("A=1", "A=1\nN=v\n"),
        ("# N=\n\nN=\nA=1\n", "# N=\n\nN=v\nA=1\n"),
        ("export N=old # why\n", "export N=v\n"),
        ("B='two\nlines'\n", "B='two\nlines'\nN=v\n"),
    ],
)
def test_lines_stay_where_they_are(text: str, result: str) -> None:
    assert changed(text, {"N": "v"}) == result


def test_a_file_appears_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    set_lines(file, {"N": Secret("v")}, whole_file=whole_file)
    assert file.read_text(encoding="utf-8") == "N=v\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("value", ["a b", "a\nB=1", "'", "$X", "ü"])
def test_a_value_that_could_mean_something_else_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(OutputRefused) as refused:
        set_lines(tmp_path / "x", {"NAME": Secret(value)}, whole_file=whole_file)
    assert value not in str(refused.value).replace(str(tmp_path), "") or value == "'"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_open_or_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    file.write_bytes(b"A=\xff\n")
    file.chmod(0o644)
    with pytest.raises(OutputRefused, match="open to others"):
        set_lines(file, {"N": Secret("v")}, whole_file=whole_file)
    file.chmod(0o600)
    with pytest.raises(OutputRefused, match="no text"):
        set_lines(file, {"N": Secret("v")}, whole_file=whole_file)
    assert file.read_bytes() == b"A=\xff\n"
