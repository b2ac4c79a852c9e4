"""`convert`: dollars to shares and back, rounded as an order would be."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.money import to_micros, to_text
from betteroms.jobs.convert import convert
from tests.cli.conftest import Ran

pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("500 USDC @ 0.42", "$500.00 at 0.42: 1,190.47 shares, which cost $499.9974; $0.0026 stay unspent"),
        ("500usdc@0.42", "$500.00 at 0.42: 1,190.47 shares, which cost $499.9974; $0.0026 stay unspent"),
        ("1,000 USD @ 0.5", "$1,000.00 at 0.5: 2,000 shares, which cost $1,000.00; $0.00 stay unspent"),
        (
            "1190.47 SHARES @ 0.42",
            "1,190.47 shares at 0.42: a BUY costs $499.9974, a SELL brings $499.9974",
        ),
        ("1.239 share @ 0.1234", "1.23 shares at 0.1234: a BUY costs $0.151782, a SELL brings $0.151782"),
    ],
)
def test_amounts_are_rounded_as_an_order_would_be(words: str, said: str, cli: Callable[..., Ran]) -> None:
    ran = cli("convert", *words.split())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{said}\n"


def test_the_answer_as_json(cli: Callable[..., Ran]) -> None:
    told = cli("convert", "500", "USDC", "@", "0.42", "--json").document
    assert (told["schemaVersion"], told["command"]) == (1, "convert")
    assert told["result"] == {
        "given": {"amount": "500", "unit": "USDC"},
        "price": "0.42",
        "shares": "1190.47",
        "cost": "499.9974",
        "proceeds": "499.9974",
        "unspent": "0.0026",
    }


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("500", "'500' cannot be read; write it as: 500 USDC @ 0.42, or 1190.47 SHARES @ 0.42"),
        ("500 EUR @ 0.42", "'500 EUR @ 0.42' cannot be read"),
        ("much USDC @ 0.42", "'much' is not a number"),
        ("500 USDC @ 1", "the price 1 is not between 0 and 1"),
        ("500 USDC @ 0", "the price 0 is not between 0 and 1"),
        ("0 USDC @ 0.42", "the amount 0 is not above 0"),
        ("0.1234567 USDC @ 0.42", "0.1234567 has more than six decimals"),
        ("nan USDC @ 0.42", "nan is not a finite number"),
    ],
)
def test_what_is_no_amount_at_a_price_is_told(words: str, complaint: str, cli: Callable[..., Ran]) -> None:
    ran = cli("convert", *words.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {complaint}")


@given(amount=st.integers(1, 10**13), price=st.integers(1, 999_999))
def test_what_dollars_buy_never_costs_more_than_they_are(amount: int, price: int) -> None:
    told = convert([f"{to_text(amount)} USDC @ {to_text(price)}"])
    assert to_micros(told["unspent"]) >= 0
    assert to_micros(told["proceeds"]) <= to_micros(told["cost"])
    assert to_micros(told["shares"]) % 10_000 == 0
