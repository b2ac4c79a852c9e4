"""How the venue is, as far as that can be known from its answers."""

from datetime import timedelta

import pytest

from betteroms.adapters.polymarket.health import VenueHealth
from betteroms.adapters.polymarket.standing import AccountStanding


class Client:
    """The one question of the venue's client that is asked here."""

    def get_closed_only_mode(self) -> bool:
        return False


def drift_told(drift: float, took: float) -> float:
    found = VenueHealth(url="", answer="OK", drift=timedelta(seconds=drift), took=timedelta(seconds=took))
    standing = AccountStanding(
        Client(),  # type: ignore[arg-type]
        health=lambda: found,
        ask=lambda _: {"version": 2},
        refresh=lambda _, __: None,
    )
    return standing.condition().drift.total_seconds()


@pytest.mark.parametrize(
    ("drift", "took", "certain"),
    [(7.0, 0.0, 7.0), (-7.0, 1.0, -6.5), (5.0, 10.0, 0.0), (-5.0, 10.0, 0.0), (0.3, 2.0, 0.0)],
)
def test_a_slow_answer_is_no_wrong_clock(drift: float, took: float, certain: float) -> None:
    assert drift_told(drift, took) == certain
