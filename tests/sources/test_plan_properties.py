"""What holds of every plan, and of everything that is none."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from betteroms.domain.errors import PlanInvalid
from betteroms.domain.money import MICROS, to_text
from betteroms.domain.terms import Dollars, Mode
from betteroms.sources.plan import content_hash, intents, read_plan
from betteroms.sources.plan_model import Defaults, Instruction, PlanLimits
from tests.domain.examples import a_market
from tests.sources.writing import a_plan, an_instruction, read

PRICES = st.integers(1, MICROS - 1)
SIZES = st.integers(1, 10**15)
KEYS = sorted({*Instruction.__annotations__, *Defaults.__annotations__, *PlanLimits.__annotations__})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(
        ["BUY", "SELL", "GTD", "FOK", "MARKET", "USDC", "paper", "stop", "0.5", "1e400", "\ud800"]
    ),
)
ITEMS = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), SCALARS, max_size=12)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {},
        optional={
            "planId": SCALARS,
            "mode": st.just("paper") | SCALARS,
            "priority": SCALARS,
            "active": SCALARS,
            "onRefusal": SCALARS,
            "notes": SCALARS,
            "defaults": ITEMS | ANYTHING,
            "limits": ITEMS | ANYTHING,
            "tradeInstructions": st.lists(
                ITEMS.map(lambda item: an_instruction() | item) | ANYTHING, max_size=4
            )
            | ANYTHING,
        },
    ),
)


def refused(text: bytes) -> bool:
    """Whether it is refused; anything but a plan or a refusal with printable reasons fails the test."""
    problems: tuple[str, ...] = ()
    try:
        read_plan(text, "x.json")
    except PlanInvalid as fault:
        problems = fault.problems or ("",)
    assert all(problem.startswith("x.json") and problem.isprintable() for problem in problems)
    return bool(problems)


@given(DOCUMENTS)
def test_any_json_is_a_plan_or_refused(document: Any) -> None:
    refused(json.dumps(document).encode())


@given(st.binary(max_size=200))
@example(b'{"planId":"\x00"}')
def test_any_bytes_are_refused(text: bytes) -> None:
    assert refused(text)


@given(st.data())
def test_a_plan_with_bytes_changed_is_a_plan_or_refused(data: st.DataObject) -> None:
    text = bytearray(
        json.dumps(a_plan(an_instruction(ref="a", notes="n"), defaults={"stopPrice": 0.2})).encode()
    )
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    refused(bytes(text))


@given(price=PRICES, size=SIZES, quoted=st.booleans(), zeros=st.integers(0, 4))
def test_numbers_come_through_exactly(price: int, size: int, quoted: bool, zeros: int) -> None:
    def written(micros: int) -> str:
        text = f"{Decimal(micros).scaleb(-6):.6f}" + "0" * zeros
        return f'"{text}"' if quoted else text

    text = json.dumps(a_plan(an_instruction(price="PRICE", size="SIZE")))
    text = text.replace('"PRICE"', written(price)).replace('"SIZE"', written(size))
    item = read_plan(text.encode(), "x.json").instructions[0]
    assert (item["price"], item["size"]) == (price, size)


@given(price=PRICES, size=SIZES)
def test_what_is_written_is_what_is_wished(price: int, size: int) -> None:
    plan = read(a_plan(an_instruction(price=to_text(price), size=to_text(size))))
    [made] = intents(plan, plan_id="p", mode=Mode.PAPER, markets={"will-x-happen": a_market()})
    assert made.wished_price == price
    assert isinstance(made.wished_amount, Dollars)
    assert made.wished_amount.usdc == size


LINES = st.fixed_dictionaries(
    {"price": st.integers(1, 99).map(lambda cents: f"0.{cents:02d}"), "size": st.integers(1, 1000)},
    optional={
        "postOnly": st.booleans(),
        "cancelAfterSec": st.integers(120, 9999),
        "stopLossPct": st.integers(1, 99),
    },
).map(lambda changed: an_instruction(**changed))


@given(lines=st.lists(LINES, max_size=4), data=st.data())
def test_the_hash_does_not_see_the_order_of_keys_nor_the_spelling_of_numbers(
    lines: list[dict[str, Any]], data: st.DataObject
) -> None:
    def respelled(line: dict[str, Any]) -> dict[str, Any]:
        mixed = {key: line[key] for key in data.draw(st.permutations(list(line)))}
        price = data.draw(st.sampled_from([line["price"], f"{line['price']}0", float(line["price"])]))
        return mixed | {
            "price": price,
            "size": data.draw(st.sampled_from([line["size"], f"{line['size']}.0"])),
        }

    other = a_plan(tradeInstructions=[respelled(line) for line in lines])
    other = {key: other[key] for key in data.draw(st.permutations(list(other)))}
    assert content_hash(read(other)) == content_hash(read(a_plan(tradeInstructions=lines)))


@given(one=st.lists(LINES, max_size=3), other=st.lists(LINES, max_size=3))
def test_plans_of_one_hash_wish_the_same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    plans = [read(a_plan(tradeInstructions=lines)) for lines in (one, other)]
    same = content_hash(plans[0]) == content_hash(plans[1])
    assert same == (plans[0].instructions == plans[1].instructions)
