"""What a report says, to people and to programs."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from beats_signer.chain.findings import Finding, Findings
from beats_signer.chain.reasons import REASONS, FindingKind
from beats_signer.verify.report import Report, Verdict
from beats_signer.verify.text import write_report
from tests.verify.signer import World, events
from tests.verify.verifying import VECTORS, vectors_trust, verify_folder, verify_world

PAGE = (Path(__file__).parents[2] / "docs" / "verify-json.md").read_text()


class FindingJson(msgspec.Struct, forbid_unknown_fields=True):
    """A finding as the page declares it."""

    id: str
    kind: str
    reason: str
    origin: str
    seal: int | None
    last_seal: int | None
    first: int | None
    last: int | None
    count: int
    message: str
    documents: list[dict[str, str | None]]
    acknowledged: str | msgspec.UnsetType | None = msgspec.UNSET


class ChainJson(msgspec.Struct, forbid_unknown_fields=True):
    """A chain as the page declares it."""

    origin: str
    seals: int
    entries: int
    intact: int
    first_time: str
    last_time: str
    anchored_seals: int
    last_seal: str


class ReportJson(msgspec.Struct, forbid_unknown_fields=True):
    """The report as the page declares it."""

    version: int
    verdict: str
    exit_code: int
    source: str
    time: str
    seconds: float
    signer: str | None
    trust: str | None
    trust_is_first_use: bool
    identity: str | None
    entries: int
    compared: int
    bare: int
    catalogue: ChainJson | None
    chains: list[ChainJson]
    findings: list[FindingJson]
    information: list[FindingJson]
    undecided: list[str]
    not_checked: list[str]


@pytest.fixture
def broken(tmp_path: Path) -> Report:
    """A report with a finding and an information."""
    world = World()
    chain = world.chain()
    chain.events(events(0, 3), absent={2: "expired"})
    chain.lines[2]["entry"]["payload"] = "{}"
    world.catalogue.records({"kind": "stop", "time": "2026-11-23T09:00:00.000000000Z"})
    return verify_world(world, tmp_path)


@pytest.fixture
def clean() -> Report:
    """The report about the vectors."""
    return verify_folder(VECTORS, vectors_trust())


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("The report", ReportJson),
        ("A chain", ChainJson),
        ("A finding", FindingJson),
    ],
)
def test_the_page_names_every_field_and_no_other(
    heading: str, struct: type[msgspec.Struct]
) -> None:
    assert [row[0].strip("`") for row in rows(heading)] == [
        field.name for field in msgspec.structs.fields(struct)
    ]


def test_the_page_names_every_kind_and_reason() -> None:
    assert [
        tuple(cell.strip("`") for cell in row) for row in rows("Kinds and reasons")
    ] == [
        (str(kind), reason, text)
        for kind, reasons in REASONS.items()
        for reason, text in reasons.items()
    ]


def test_every_kind_of_the_design_has_a_reason() -> None:
    assert set(REASONS) == set(FindingKind)


@pytest.mark.parametrize("fixture", ["broken", "clean"])
def test_what_is_written_is_what_the_page_says(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(fixture)

    decoded = msgspec.json.decode(json.dumps(report.to_dict()), type=ReportJson)

    assert decoded.exit_code == int(report.verdict)
    assert decoded.verdict in PAGE
    assert all(each.acknowledged is not msgspec.UNSET for each in decoded.findings)
    assert all(each.acknowledged is msgspec.UNSET for each in decoded.information)


def test_a_report_about_nothing_has_the_same_fields() -> None:
    report = Report("nowhere", 0)
    report.undecided.append("it does not exist")

    decoded = msgspec.json.decode(json.dumps(report.to_dict()), type=ReportJson)

    assert (decoded.verdict, decoded.exit_code) == ("undecided", 2)
    assert decoded.catalogue is None


def test_the_first_line_says_what_was_proven_and_what_was_not(clean: Report) -> None:
    line = next(write_report(clean))

    assert line.startswith(
        "verified: 24 events proven in 3 chains of signer-1.example.com from"
        " 2026-11-23T09:00:00Z to 2026-11-23T09:03:30Z; anchored by trust line and"
        " checkpoint of 5 catalogue seals; not checked: what came after 2026-11-23"
    )


def test_the_first_line_leads_with_what_is_wrong(broken: Report) -> None:
    assert next(write_report(broken)).startswith("NOT VERIFIED: 2 findings; 1 event ")


def test_a_proven_catalogue_without_events_is_verified_and_says_so(
    tmp_path: Path,
) -> None:
    report = verify_world(World(), tmp_path)

    assert report.verdict is Verdict.VERIFIED
    assert "there are no events yet" in next(write_report(report))


def test_every_line_is_safe_on_a_terminal(tmp_path: Path) -> None:
    world = World()
    world.write(tmp_path)
    note = "beats-signer/seal/v1\n\x1b]0;owned\x07\u202e/a/b\nseal 0\n"
    line = {"seal": {"number": 0, "note": note, "body": "", "leaves": ""}}
    (tmp_path / "evil.ndjson").write_text(json.dumps(line))

    report = verify_folder(tmp_path, world.trust)

    text = "\n".join(write_report(report))
    assert "\\x1b]0;owned\\x07\\u202e" in text
    assert all(char.isprintable() or char == "\n" for char in text)


def test_findings_have_the_same_ids_in_every_run(
    broken: Report, tmp_path: Path
) -> None:
    again = verify_folder(tmp_path, broken.trust)  # type: ignore[arg-type]

    assert [found.id for found in again.findings] == [
        found.id for found in broken.findings
    ]
    assert re.fullmatch(r"modified-[0-9a-f]{12}", broken.open_findings[0].id)


def report_of(*, wrong: int = 0, acknowledged: int = 0, undecided: int = 0) -> Report:
    """Return a report with so many of each."""
    report = Report("x", 0)
    found: list[Finding] = []
    for at in range(wrong + acknowledged):
        findings = Findings(f"chain-{at}")
        findings.add(FindingKind.FORGED, "unlisted")
        found += findings
    report.findings = found
    report.acknowledged = {each.id: "known" for each in found[wrong:]}
    report.undecided = ["unknown"] * undecided
    return report


@pytest.mark.parametrize(
    ("wrong", "acknowledged", "undecided", "verdict"),
    [
        (0, 0, 0, Verdict.VERIFIED),
        (1, 0, 0, Verdict.FINDINGS),
        (1, 1, 1, Verdict.FINDINGS),
        (0, 1, 0, Verdict.ACKNOWLEDGED),
        (0, 1, 1, Verdict.UNDECIDED),
        (0, 0, 1, Verdict.UNDECIDED),
    ],
)
def test_one_outranks_two_outranks_three(
    wrong: int, acknowledged: int, undecided: int, verdict: Verdict
) -> None:
    report = report_of(wrong=wrong, acknowledged=acknowledged, undecided=undecided)

    assert report.verdict is verdict
