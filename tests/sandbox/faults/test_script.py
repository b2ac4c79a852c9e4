"""Fault scripts: what is read, what is refused and with which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.faults.kinds import KINDS, Place
from betteroms.sandbox.faults.script import BadScript, Rule, Script, parse, read
from betteroms.sandbox.faults.subject import Found

ON = {
    Place.REQUEST: "* /**",
    Place.POSTS: "POST /order",
    Place.LOOKUPS: "GET /data/order/*",
    Place.READS: "GET /balance-allowance",
    Place.STREAM: "WS /ws/user",
    Place.TRADE: "TRADE",
}


def about(**values: str) -> Found:
    found = Found()
    for name, value in values.items():
        found.put(name, value)
    return found


def rules(*rows: dict[str, Any], seed: int = 0) -> Script:
    return read({"seed": seed, "rules": list(rows)})


def complaints(document: Any, **known: Any) -> tuple[str, ...]:
    with pytest.raises(BadScript) as caught:
        read(document, **known)
    return caught.value.complaints


def hits(faults: Faults, count: int, *, method: str = "POST", path: str = "/order") -> list[int]:
    return [number for number in range(1, count + 1) if faults.struck(method, path, about())]


@pytest.mark.parametrize("fault", KINDS)
def test_every_fault_can_be_written_down(fault: str) -> None:
    (rule,) = rules({"on": ON[KINDS[fault].place], "fault": fault}).rules
    assert rule.fault == fault
    assert rule.parameters.keys() == KINDS[fault].parameters.keys()


def test_a_rule_by_itself_is_a_script_and_so_is_a_list_of_rules() -> None:
    row = {"on": "POST /order", "fault": "lost_answer"}
    assert read(row).rules == read([row]).rules == read({"rules": [row]}).rules


def test_an_empty_script_has_no_rules() -> None:
    assert parse("{}") == Script(seed=0, rules=())


def test_all_complaints_come_at_once_each_with_its_place() -> None:
    found = complaints(
        {
            "seed": "seven",
            "rulez": [],
            "rules": [
                {"on": "POST /order", "fault": "lost_anwser"},
                {"on": "PSOT /order", "fault": "latency", "delay_ms": -1, "dealy": 3},
                {"on": "GET /book", "fault": "late_landing", "nth": 0, "every": 2},
                "lost_answer",
                {"on": "POST /order", "fault": "cut_before", "match": {"colour": "red", "token": 7}},
                {"fault": "failed", "probability": 1.5, "times": 0},
                {"on": "WS /ws/other", "fault": "drop"},
            ],
        }
    )
    places = [complaint.partition(":")[0] for complaint in found]
    assert places == [
        "rulez",
        "seed",
        "rules[0].fault",
        "rules[1].on",
        "rules[1].dealy",
        "rules[1].delay_ms",
        "rules[2].on",
        "rules[2].every",
        "rules[2].nth",
        "rules[3]",
        "rules[4].match.colour",
        "rules[4].match.token",
        "rules[5].on",
        "rules[5].probability",
        "rules[5].times",
        "rules[6].on",
    ]


def test_an_endpoint_that_the_venue_has_not_is_complained_of() -> None:
    known = ["POST /order", "GET /data/order/{order_id}"]
    read([{"on": "GET /data/order/*", "fault": "latency"}], endpoints=known)
    read([{"on": "GET /data/**", "fault": "latency"}], endpoints=known)
    (complaint,) = complaints([{"on": "GET /dada/order/*", "fault": "latency"}], endpoints=known)
    assert complaint.startswith("rules[0].on: 'GET /dada/order/*': no endpoint")


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(BadScript, match="no JSON"):
        parse("{rules}")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner:
       st.lists(inner, max_size=4) | st.dictionaries(
           st.sampled_from(["on", "fault", "rules", "seed", "nth", "match", "probability", "delay_ms"])
           | st.text(max_size=3), inner, max_size=5), max_leaves=20))  # fmt: skip
def test_anything_is_read_or_refused_with_words(document: Any) -> None:
    try:
        script: Script | tuple[str, ...] = read(document)
    except BadScript as refusal:
        script = refusal.complaints
    assert script or script == Script()


@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([{}, {"nth": 3}, {"every": 2}, {"first": 4}, {"probability": 0.25}]),
    st.sampled_from([{}, {"match": {"order": "0xAB"}}, {"times": 2}]),
)
def test_what_was_read_and_written_down_is_read_the_same(
    fault: str, when: dict[str, Any], more: dict[str, Any]
) -> None:
    row = {"on": ON[KINDS[fault].place], "fault": fault, **when, **more}
    (rule,) = rules(row).rules
    (again,) = parse(json.dumps([dict(rule.row)])).rules
    assert again == rule


def test_stars_stand_for_segments() -> None:
    def rule(on: str) -> Rule:
        return rules({"on": on, "fault": "latency"}).rules[0]

    assert rule("GET /data/order/*").is_on("GET", "/data/order/0xab")
    assert not rule("GET /data/order/*").is_on("GET", "/data/order/0xab/more")
    assert not rule("GET /data/order/*").is_on("GET", "/data/order/")
    assert rule("GET /data/**").is_on("GET", "/data/order/0xab/more")
    assert not rule("GET /data/**").is_on("POST", "/data/orders")
    assert rule("*").is_on("DELETE", "/cancel-all")


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"nth": 3}, [3]),
        ({"every": 3}, [3, 6]),
        ({"first": 2}, [1, 2]),
        ({"probability": 0}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6, 7]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 2}, [2, 4]),
    ],
)
def test_a_rule_strikes_when_it_says(when: dict[str, Any], struck: list[int]) -> None:
    assert hits(Faults(rules({"on": "POST /order", "fault": "lost_answer", **when})), 7) == struck


def test_chance_comes_from_the_seed_and_the_rules_number_alone() -> None:
    row = {"on": "POST /order", "fault": "lost_answer", "probability": 0.3}
    first = hits(Faults(rules(row, seed=7)), 1000)
    assert hits(Faults(rules(row, seed=7)), 1000) == first
    assert hits(Faults(rules(row, seed=8)), 1000) != first
    assert 250 < len(first) < 350


def test_only_what_is_meant_is_counted() -> None:
    faults = Faults(
        rules({"on": "POST /order", "fault": "lost_answer", "nth": 2, "match": {"token": "7", "side": "BUY"}})
    )
    subjects = [about(token="7", side="buy"), about(token="8", side="buy"), about(token="7", side="sell")]
    assert [bool(faults.struck("POST", "/order", subject)) for subject in subjects] == [False] * 3
    assert faults.struck("POST", "/order", about(token="7", side="BUY"))
    assert faults.shown()["rules"][0]["seen"] == 2


def test_latency_adds_to_the_fault_behind_it_and_the_first_other_fault_is_the_last() -> None:
    faults = Faults(
        rules(
            {"on": "*", "fault": "latency"},
            {"on": "POST /order", "fault": "lost_answer", "nth": 1},
            {"on": "POST /order", "fault": "cut_before"},
        )
    )
    names = [[rule.fault for rule in faults.struck("POST", "/order", about())] for _ in range(2)]
    assert names == [["latency", "lost_answer"], ["latency", "cut_before"]]
    assert [row["seen"] for row in faults.shown()["rules"]] == [2, 2, 1]


def test_rules_are_added_behind_the_others_and_cleared() -> None:
    faults = Faults(rules({"on": "POST /order", "fault": "halted", "nth": 1}))
    assert (faults.on_requests, faults.on_streams, faults.on_trades) == (True, False, False)
    faults.add(rules({"on": "TRADE", "fault": "failed"}, {"on": "WS /ws/user", "fault": "drop"}))
    assert (faults.on_requests, faults.on_streams, faults.on_trades) == (True, True, True)
    assert [row["number"] for row in faults.shown()["rules"]] == [0, 1, 2]
    faults.clear()
    assert (faults.on_requests, faults.on_streams, faults.on_trades) == (False, False, False)
    assert faults.shown() == {"seed": 0, "rules": []}


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_restored_script_goes_on_where_it_was(before: int, after: int) -> None:
    script = rules(
        {"on": "POST /order", "fault": "lost_answer", "every": 3, "times": 9},
        {"on": "POST /order", "fault": "cut_before", "probability": 0.4},
        seed=3,
    )
    whole, first, second = Faults(script), Faults(script), Faults()
    expected = hits(whole, before + after)
    head = hits(first, before)
    second.restore(json.loads(json.dumps(first.state())))
    assert second.state() == first.state()
    assert head + [before + number for number in hits(second, after)] == expected
