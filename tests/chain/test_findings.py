"""How findings are collected: merged, bounded, and named for good."""

import pytest

from beats_signer.chain.findings import Document, Finding, FindingKind, Findings

KIND = FindingKind.MODIFIED


def collect(*places: tuple[int, int]) -> list[Finding]:
    """Return what comes of findings about these ranges of entries."""
    findings = Findings("chain")
    for place in places:
        findings.add(KIND, "entry", entries=place)
    return list(findings)


def test_neighbours_are_one_finding() -> None:
    (found,) = collect((3, 3), (4, 6), (7, 7))

    assert (found.first, found.last, found.count) == (3, 7, 5)
    assert found.place == "entries 3\u20137"


def test_what_is_apart_stays_apart() -> None:
    assert [found.place for found in collect((3, 3), (5, 5))] == ["entry 3", "entry 5"]


def test_seals_of_neighbours_become_a_range() -> None:
    findings = Findings("chain")
    findings.add(KIND, "entry", seals=(1, 1), entries=(3, 5))
    findings.add(KIND, "entry", seals=(2, 2), entries=(6, 6))

    assert [found.place for found in findings] == ["entries 3\u20136 of seals 1\u20132"]


def test_another_reason_is_another_finding() -> None:
    findings = Findings("chain")
    findings.add(KIND, "entry", entries=(1, 1))
    findings.add(KIND, "unreadable", entries=(2, 2))

    assert len(list(findings)) == 2


def test_the_same_seal_twice_is_one_finding_that_counts_two() -> None:
    findings = Findings("chain")
    findings.add(FindingKind.CLOCK, "received", seals=(4, 4))
    findings.add(FindingKind.CLOCK, "received", seals=(4, 4))

    (found,) = findings
    assert (found.seal, found.last_seal, found.count) == (4, 4, 2)


def test_memory_is_bounded_and_nothing_is_left_out() -> None:
    found = collect(*[(2 * at, 2 * at) for at in range(5000)])

    assert len(found) == 1000
    assert sum(each.count for each in found) == 5000
    assert (found[-1].first, found[-1].last) == (1998, 9998)
    assert "4001 of them" in found[-1].message


def test_a_range_that_grew_has_another_id() -> None:
    (small,), (large,) = collect((3, 4)), collect((3, 5))

    assert small.id != large.id


@pytest.mark.parametrize(
    "other",
    [
        Finding(KIND, "entry", "other", first=3, last=3),
        Finding(KIND, "unreadable", "chain", first=3, last=3),
        Finding(KIND, "entry", "chain", seal=1, last_seal=1, first=3, last=3),
        Finding(KIND, "entry", "chain", first=4, last=4),
    ],
)
def test_the_id_is_made_of_kind_reason_chain_and_place(other: Finding) -> None:
    (found,) = collect((3, 3))

    assert other.id != found.id


def test_the_detail_is_no_part_of_the_id() -> None:
    one = Finding(KIND, "entry", "chain", first=3, last=3, detail="one")
    other = Finding(KIND, "entry", "chain", first=3, last=3, detail="other")

    assert one.id == other.id
    assert one.message == "entry 3: not what was sealed (one)"


def test_an_id_is_stable_for_good() -> None:
    assert (
        Finding(KIND, "entry", "chain", first=3, last=3).id == "modified-55f2b032f644"
    )


def test_a_reason_that_does_not_exist_is_our_mistake() -> None:
    with pytest.raises(RuntimeError, match="modified has no reason 'order'"):
        Findings("chain").add(KIND, "order")


@pytest.mark.parametrize("kind", FindingKind)
def test_only_five_kinds_are_information(kind: FindingKind) -> None:
    information = {"duplicate", "expired", "overdue", "pending", "stopped"}

    assert kind.is_information == (kind.value in information)


def test_documents_are_named_and_bounded() -> None:
    findings = Findings("chain")
    for at in range(30):
        document = Document("index", f"d{at}")
        findings.add(KIND, "entry", entries=(at, at), documents=(document,))

    (found,) = findings
    assert [one.id for one in found.documents] == [f"d{at}" for at in range(10)]
    assert found.to_dict()["documents"][0] == {"index": "index", "id": "d0"}  # type: ignore[index]


def test_documents_are_asked_for_where_none_are_given() -> None:
    findings = Findings("chain", lambda seals, entries: [Document("", str(entries))])
    findings.add(KIND, "entry", entries=(3, 4))
    findings.add(FindingKind.EXPIRED, "entries", entries=(5, 6))

    named, expired = findings
    assert [str(one) for one in named.documents] == ["(3, 4) is not there"]
    assert expired.documents == ()


def test_another_foreign_document_is_another_finding() -> None:
    ids = set()
    for count, name in ((1, "a"), (1, "b"), (2, "a")):
        findings = Findings("chain")
        document = Document("index", name)
        findings.add(FindingKind.FOREIGN, "chain", documents=(document,), count=count)
        ids |= {found.id for found in findings}

    assert len(ids) == 3


def test_the_number_of_foreign_documents_is_said() -> None:
    findings = Findings("chain")
    findings.add(FindingKind.FOREIGN, "unsigned", count=12)

    (found,) = findings
    assert found.message.endswith(": 12")
