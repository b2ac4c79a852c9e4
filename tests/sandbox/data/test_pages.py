"""Pages follow each other without a gap and without a row told twice, whatever happens between them."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.sandbox.http.pages import BadCursor, Key, page

numbers = st.sets(st.integers(min_value=0, max_value=200), max_size=40)


def all_pages(rows: set[int], *, limit: int, falling: bool) -> list[int]:
    told: list[int] = []
    cursor: str | None = None
    for turn in count():
        keyed: list[tuple[Key, int]] = [((number // 10, str(number)), number) for number in rows]
        some, cursor = page(keyed, list_name="n", cursor=cursor, limit=limit, falling=falling)
        assert len(some) <= limit
        assert turn <= len(rows)
        told += some
        if cursor is None:
            break
    return told


@given(rows=numbers, limit=st.integers(min_value=1, max_value=50), falling=st.booleans())
def test_the_pages_are_the_whole_list(rows: set[int], limit: int, falling: bool) -> None:
    whole = sorted(rows, key=lambda number: (number // 10, str(number)), reverse=falling)
    assert all_pages(rows, limit=limit, falling=falling) == whole


@given(before=numbers, gone=numbers, limit=st.integers(min_value=1, max_value=10))
def test_what_is_gone_meanwhile_takes_nothing_along(before: set[int], gone: set[int], limit: int) -> None:
    first, cursor = page([((n,), n) for n in before], list_name="n", cursor=None, limit=limit)
    stayed = before - gone
    rest, _ = page([((n,), n) for n in stayed], list_name="n", cursor=cursor, limit=1_000)
    if cursor is not None:
        assert set(rest) == {number for number in stayed if number > max(first)}


@pytest.mark.parametrize("cursor", ["a", "bm9uc2Vuc2U=", "W10=", "é", "WyJuIiwgImEiXQ==", "Wz" * 3_000])
def test_a_cursor_of_nobody_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        page([((1,), 1), ((2,), 2)], list_name="n", cursor=cursor, limit=1)
