"""What a recovery has to say: counts, reasons, and what it comes to."""

import pytest

from beats_signer.store.elasticsearch.recover.report import RecoveryReport, target_of
from beats_signer.store.elasticsearch.recover.search import join_patterns

INDEX = ".ds-logs-nginx-acme-2026.11.23-000001"


def report() -> RecoveryReport:
    return RecoveryReport("audit-1", ("logs-*-acme",))


def test_reasons_that_differ_by_the_document_alone_are_one() -> None:
    one = report()
    for number in range(3):
        one.refuse(
            (INDEX, f"id-{number}"),
            "document_parsing_exception",
            f"[1:{number}] failed to parse field [n] of type [long] in document with "
            f"id 'id-{number}'. Preview of field's value: 'x{number}': "
            f'For input string: "x{number}"',
        )

    assert [*one.lines()] == [
        "0 of 3 bare documents of audit-1 in logs-*-acme are recovered",
        "3 stay bare in logs-nginx-acme: document_parsing_exception: failed to parse "
        "field [n] of type [long] in document with id '…': For input string: \"…\"",
        f"  for example {INDEX}/id-0",
    ]


def test_reasons_without_end_are_told_apart_up_to_a_hundred() -> None:
    one = report()
    for number in range(250):
        one.refuse((INDEX, str(number)), "kind", f"reason {number}")

    assert one.refusals.total() == 250
    assert len(one.refusals) == 101
    assert "150 stay bare: others: further" in "\n".join(one.lines())


@pytest.mark.parametrize(
    ("recovered", "refused", "changed", "undecided", "code"),
    [
        (0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0),
        (1, 1, 0, 0, 1),
        (1, 0, 1, 0, 1),
        (1, 0, 0, 1, 2),
        (1, 1, 0, 1, 1),
    ],
)
def test_what_stays_bare_outranks_what_is_undecided(
    recovered: int, refused: int, changed: int, undecided: int, code: int
) -> None:
    one = report()
    one.recovered, one.changed = recovered, changed
    for _ in range(refused):
        one.refuse((INDEX, "id"), "kind", "reason")
    for _ in range(undecided):
        one.leave_open("why")

    assert one.exit_code == code
    assert one.to_dict()["exit_code"] == code


def test_nothing_to_do_is_said_only_when_everything_was_looked_at() -> None:
    one = report()
    assert "nothing to do" in next(one.lines())

    one.leave_open("it is closed")

    assert [*one.lines()] == [
        "no bare documents of audit-1 in logs-*-acme were found",
        "undecided: it is closed",
    ]


def test_the_object_has_all_that_the_lines_say() -> None:
    one = report()
    one.recovered, one.changed, one.is_dry_run = 2, 1, True
    one.refuse((INDEX, "id"), "kind", "reason")
    one.leave_open("why")

    assert one.to_dict() == {
        "version": 1,
        "exit_code": 1,
        "signer": "audit-1",
        "indices": ["logs-*-acme"],
        "dry_run": True,
        "bare": 4,
        "recovered": 2,
        "changed": 1,
        "untried": 0,
        "refused": [
            {
                "target": "logs-nginx-acme",
                "type": "kind",
                "reason": "reason",
                "count": 1,
                "example": {"index": INDEX, "id": "id"},
            }
        ],
        "undecided": ["why"],
    }


@pytest.mark.parametrize(
    ("index", "target"),
    [
        (INDEX, "logs-nginx-acme"),
        ("partial-.ds-logs-a-b-2026.11.23-000012", "logs-a-b"),
        (".migrated-ds-logs-a-b-2026.11.23-000012", "logs-a-b"),
        ("plain-2026.11.23-000001", "plain-2026.11.23-000001"),
    ],
)
def test_an_index_behind_a_data_stream_is_named_by_the_stream(
    index: str, target: str
) -> None:
    assert target_of(index) == target


@pytest.mark.parametrize(
    ("patterns", "joined"),
    [
        (["a", "b"], ["a,b"]),
        (["a", "a"], ["a"]),
        (["logs-*-*", "logs-nginx-acme", "logs-a-*"], ["logs-*-*"]),
        (["*", "a*"], ["*"]),
        (["a*b", "ab"], ["a*b"]),
        (["a*ba", "aba"], ["a*ba"]),
        (["ab*ba", "aba"], ["ab*ba,aba"]),
        (["a*", "*b"], ["a*,*b"]),
    ],
)
def test_a_pattern_within_another_is_left_out(
    patterns: list[str], joined: list[str]
) -> None:
    assert join_patterns(patterns) == joined


def test_patterns_are_asked_about_by_lists_that_fit_into_a_request_line() -> None:
    patterns = [f"logs-{number:0200}-acme" for number in range(40)]

    lists = join_patterns(patterns)

    assert ",".join(lists).split(",") == patterns
    assert max(map(len, lists)) <= 2000
