"""Which files are plans by their names, and how a name is shown."""

import pytest

from betteroms.sources.plan_files import complaint, is_plan_file, name_shown, too_many


@pytest.mark.parametrize("name", ["june.json", "JUNE.JSON", "a.b.json", "ä.json"])
def test_a_plan_is_called_like_one(name: str) -> None:
    assert is_plan_file(name)


@pytest.mark.parametrize(
    "name", ["", "june", "june.json~", ".june.json", ".json", "#june.json#", "june.json5"]
)
def test_everything_else_is_no_plan(name: str) -> None:
    assert not is_plan_file(name)


@pytest.mark.parametrize(
    ("name", "shown"), [("jüne 1.json", "jüne 1.json"), ("a\nb", r"a\nb"), ("\udcff", r"\udcff")]
)
def test_a_name_is_shown_so_that_it_can_be_printed_and_stored(name: str, shown: str) -> None:
    assert name_shown(name) == shown


def test_a_complaint_names_the_plan_or_the_place() -> None:
    assert complaint("plans/june.json", "is empty").problems == ("plans/june.json: is empty",)
    assert str(too_many("plans")) == "plans: holds more than 20,000 plans; none of them was read"
