"""The template of the highest priority makes an index, with all its components."""

from typing import Any

from beats_signer.store.elasticsearch.check.winning import find_winner, flat


def template(name: str, *patterns: str, priority: int = 0, **rest: Any) -> Any:
    body = {"index_patterns": list(patterns), "priority": priority, **rest}
    return {"name": name, "index_template": body}


def component(name: str, **body: Any) -> Any:
    return {"name": name, "component_template": {"template": body}}


def test_the_highest_priority_of_those_that_fit_wins() -> None:
    templates = [
        template("low", "logs-*"),
        template("high", "x", "logs-a-*", priority=7, data_stream={}),
        template("other", "metrics-*", priority=9),
    ]

    winner = find_winner("logs-a-b", templates, [])

    assert winner is not None
    assert (winner.name, winner.priority, winner.is_stream) == ("high", 7, True)


def test_no_template_fits_at_times() -> None:
    assert find_winner("logs", [template("a", "logs-*")], []) is None


def test_later_parts_outrank_earlier_ones_and_the_template_all_of_them() -> None:
    templates = [
        template(
            "t",
            "i",
            composed_of=["a", "missing", "b"],
            template={"settings": {"index": {"z": "own"}}},
        )
    ]
    components = [
        component("b", settings={"index": {"y": "b", "z": "b"}}),
        component("a", settings={"index": {"x": "a", "y": "a"}}, mappings={"m": 1}),
    ]

    winner = find_winner("i", templates, components)

    assert winner is not None
    assert dict(flat(winner.body["settings"])) == {
        "index.x": "a",
        "index.y": "b",
        "index.z": "own",
    }
    assert winner.body["mappings"] == {"m": 1}
