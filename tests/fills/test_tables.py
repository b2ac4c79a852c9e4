"""The tables of fills are read as they look, and a mistake in one is told with its line."""

from decimal import Decimal

import pytest

from tests.fills.tables import Fill, TableError, instruction, read_tables

TABLE = """
# A remark.
name  | with               | asks           | order             | fills                      | ends
first | fee 0.07, tick 0.1 | 0.5x100 0.6x50 | buy 120 @ 0.5 fak | 100@0.5=-50,1.75 1@0.5=-.5 | canceled FAK_NO
      |                    |                | sell no 5 @ 0.9   |                            | open
      | older, after 90s   | none           |                   |                            |
      | closed             | 0.7x5          | order 2           | 5@0.9=4.5                  | filled

name   | bids   | order            | fills | ends
second | 0.4x10 | buy $5 market    |       | denied NO_LIQUIDITY
"""


def test_a_table_reads_as_it_looks() -> None:
    first, second = read_tables(TABLE, "t.txt")
    assert (first.name, first.settings) == ("first", {"fee": Decimal("0.07"), "tick": Decimal("0.1")})
    assert [step.levels for step in first.steps] == [
        {"asks": (("0.5", "100"), ("0.6", "50"))},
        {"asks": ()},
        {"asks": (("0.7", "5"),)},
    ]
    assert [step.news for step in first.steps] == [
        {},
        {"older": Decimal(1), "after": Decimal(90)},
        {"closed": Decimal(1)},
    ]
    one, two = first.steps[0].rows
    assert one.fills == (
        Fill(size=Decimal(100), price=Decimal("0.5"), cash=Decimal(-50), fee=Decimal("1.75")),
        Fill(size=Decimal(1), price=Decimal("0.5"), cash=Decimal("-0.5"), fee=Decimal(0)),
    )
    assert (one.ends, one.again, one.place) == ("canceled FAK_NO", None, "t.txt line 4")
    assert two.fills == ()
    assert first.steps[1].rows == []
    (met,) = first.steps[2].rows
    assert (met.instruction, met.again) == (None, 2)
    assert second.steps[0].levels == {"bids": (("0.4", "10"),)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("buy 120 @ 0.51", {"side": "BUY", "size": "120", "sizeUnit": "SHARES", "price": "0.51"}),
        ("sell 5 @ 0.9 gtd for 600s", {"timeInForce": "GTD", "cancelAfterSec": 600, "side": "SELL"}),
        ("buy $50 market", {"type": "MARKET", "size": "50", "sizeUnit": "USDC"}),
        ("buy $50 market 3 ticks fok", {"type": "MARKET", "slippageTicksBuy": 3, "timeInForce": "FOK"}),
        ("sell 5 market 0 ticks floor 0.4", {"slippageTicksSell": 0, "priceFloor": "0.4", "type": "MARKET"}),
        (
            "buy no 5 @ 0.4 post-only ceil 0.5 ref x",
            {"outcome": "NO", "postOnly": True, "priceCeil": "0.5", "ref": "x"},
        ),
    ],
)
def test_an_order_in_words_is_a_plans_instruction(words: str, expected: dict[str, object]) -> None:
    wish = instruction(words)
    assert {name: wish[name] for name in expected} == expected
    assert set(wish) <= {*expected, "side", "outcome", "size", "sizeUnit", "price"}


HEADER = "name | with | asks | order | fills | ends\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nome | asks\n", "t.txt line 1: no header: 'nome | asks'"),
        ("asks | name\n", "t.txt line 1: no header"),
        ("name | asks | asks\n", "t.txt line 1: no header"),
        (HEADER + "a | | 0.5x1\n", "t.txt line 2: 3 cells under 6 columns"),
        (HEADER + " | | 0.5x1 | | |\n", "t.txt line 2: the first row has no name"),
        (HEADER + "a | | 0.5 | | |\n", "t.txt line 2: '0.5' is not understood"),
        (
            HEADER + "a | | 0.5x1 | hold 5 | | open\n",
            "t.txt line 2: an order begins with buy or sell, not 'hold'",
        ),
        (HEADER + "a | | 0.5x1 | buy 5 at 0.5 | | open\n", "t.txt line 2: 'at' is no word of an order"),
        (HEADER + "a | | 0.5x1 | buy five | | open\n", "t.txt line 2"),
        (HEADER + "a | | 0.5x1 | buy | | open\n", "t.txt line 2"),
        (HEADER + "a | | 0.5x1 | buy 5 @ 0.5 | 5@0.5 | open\n", "t.txt line 2: '5@0.5' is not understood"),
        (HEADER + "a | | 0.5x1 | buy 5 @ 0.5 | |\n", "t.txt line 2: an order needs an end"),
        (HEADER + "a | | 0.5x1 | | | open\n", "t.txt line 2: fills and an end need an order"),
        (HEADER + "a | hot | 0.5x1 | | |\n", "t.txt line 2: 'hot' is neither a setting nor news"),
        (HEADER + "a | | 0.5x1 | | |\n | fee 1 | 0.5x1 | | |\n", "t.txt line 3: settings belong to"),
        (HEADER + "a | | 0.5x1 | | |\n | older | | | |\n", "t.txt line 3: news need a book: 'older'"),
        (HEADER + "a | | 0.5x1 | | |\na | | 0.5x1 | | |\n", "t.txt: two scenarios are called 'a'"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(TableError) as refusal:
        read_tables(text, "t.txt")
    assert complaint in str(refusal.value)
