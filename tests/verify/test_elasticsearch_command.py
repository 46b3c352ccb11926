"""The commands ``verify``, ``export`` and ``inspect`` on Elasticsearch."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from beats_signer.chain.times import SECOND
from beats_signer.verify.report import Verdict
from beats_signer.verify.writer import ExportWriter
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.verify.command import Shell
from tests.verify.independent import check_folder
from tests.verify.signer import events
from tests.verify.stored import Stored
from tests.verify.verifying import verify_folder


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell."""
    return Shell(capsys)


@pytest.fixture
def config(tmp_path: Path, stored: Stored) -> Path:
    """A configuration that names the server of the world."""
    path = tmp_path / "beats-signer.yml"
    path.write_text(
        f"signer: {stored.world.signer}\n"
        "listeners: [{address: 127.0.0.1:5044}]\n"
        f"elasticsearch: {{hosts: ['{stored.access.url}'], derived: [message]}}\n"
    )
    return path


def test_a_server_is_verified_by_its_url(shell: Shell, stored: Stored) -> None:
    ended = shell.run("verify", stored.access.url, "--trust", stored.world.trust)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("verified: 17 events proven in 2 chains of signer-")
    assert "visible fields of 17 events compared" in ended.out


def test_a_server_is_verified_by_the_configuration_of_its_signer(
    shell: Shell, stored: Stored, config: Path
) -> None:
    document = stored.find(stored.chain, 7)
    stored.change(document, lambda source: source.update(message="?"))
    trust = ("--trust", stored.world.trust)

    assert shell.run("verify", "--config", config, *trust).code == 0
    assert shell.run("verify", stored.access.url, *trust).code == 1


def test_findings_name_documents_to_people_and_to_programs(
    shell: Shell, stored: Stored
) -> None:
    document = stored.find(stored.chain, 7)
    stored.change(document, lambda source: source.update(message="?"))
    arguments = ("verify", stored.access.url, "--trust", stored.world.trust)

    text = shell.run(*arguments)
    report = json.loads(shell.run(*arguments, "--json").out)

    assert text.code == 1
    assert f"  document {document.index}/{document.id}\n" in text.out
    (finding,) = report["findings"]
    assert finding["documents"] == [{"index": document.index, "id": document.id}]
    assert report["compared"] == 17


@pytest.mark.parametrize(
    ("option", "code"), [([], 1), (["--derived", "mess*"], 0)], ids=["none", "message"]
)
def test_derived_fields_are_named_on_the_command_line(
    shell: Shell, stored: Stored, option: list[str], code: int
) -> None:
    document = stored.find(stored.chain, 7)
    stored.change(document, lambda source: source.update(message="?"))
    trust = ("--trust", stored.world.trust)

    assert shell.run("verify", stored.access.url, *trust, *option).code == code


def test_places_of_the_signers_own_are_named_on_the_command_line(
    shell: Shell, stored: Stored
) -> None:
    stored.client.index(index="own", id="unsigned", document={"a": 1}, refresh=True)
    arguments = ("verify", stored.access.url, "--trust", stored.world.trust)

    assert shell.run(*arguments).code == 0
    ended = shell.run(*arguments, "--own", "own*")
    assert ended.code == 1
    assert "  document own/unsigned\n" in ended.out


def test_a_server_without_a_trust_line_decides_nothing(
    shell: Shell, stored: Stored
) -> None:
    ended = shell.run("verify", stored.access.url)

    assert ended.code == 2
    assert f"this source claims: {stored.world.trust}" in ended.out
    assert shell.run("verify", stored.access.url, "--first").code == 0


def test_a_server_that_is_away_decides_nothing(shell: Shell, stored: Stored) -> None:
    ended = shell.run("verify", "http://127.0.0.1:1", "--trust", stored.world.trust)

    assert ended.code == 2
    assert "undecided: http://127.0.0.1:1: " in ended.out


def test_a_user_without_rights_is_told_which_role_it_takes(
    shell: Shell, fake: Fake, stored: Stored
) -> None:
    fake.fail(Fault.refused(403, "security_exception"), None, on="point")

    ended = shell.run("verify", fake.url, "--trust", stored.world.trust)

    assert ended.code == 2
    assert "beats-signer-verifier" in ended.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "it is not said what to read"),
        (["archive.db", "--user", "me"], "--user is for Elasticsearch"),
        (["archive.db", "--indices", "logs-*"], "--indices is for Elasticsearch"),
        (["https://me:secret@host"], "the URL names a user"),
        (["https://host", "--user", "me"], "--user and --password-file belong"),
        (
            ["https://h", "--user", "m", "--password-file", "p", "--api-key-file", "k"],
            "--user and --api-key-file exclude",
        ),
        (["http://host", "--api-key-file", "k"], "in plain text"),
        (["https://host", "--fingerprint", "12"], "fingerprint"),
        (["https://host", "--config", "c.yml"], "both --config and a source"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    shell: Shell, arguments: list[str], message: str
) -> None:
    ended = shell.run("inspect", *arguments)

    assert ended.code == 64
    assert message in ended.err
    assert "secret" not in ended.err


@pytest.mark.parametrize("option", [[], ["--gzip"]], ids=["plain", "compressed"])
def test_an_export_of_a_server_verifies_anywhere(
    shell: Shell, anywhere: Stored, tmp_path: Path, option: list[str]
) -> None:
    folder, world = tmp_path / "export", anywhere.world
    signer = ("--signer", world.signer, "--indices", f"*{world.tenant}*")

    ended = shell.run("export", anywhere.access.url, folder, *signer, *option)

    assert (ended.code, ended.out, ended.err) == (0, f"4 files in {folder}\n", "")
    report = verify_folder(folder, world.trust)
    assert (report.verdict, report.entries) == (Verdict.VERIFIED, 17)


def test_an_export_is_accepted_by_a_second_reading_of_the_format(
    shell: Shell, stored: Stored, config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"

    assert shell.run("export", "--config", config, folder).code == 0
    checked = check_folder(folder, str(stored.world.trust))
    assert checked[stored.chain.origin].entries == 15


def test_an_export_waits_for_events_that_no_search_shows_yet(
    stored: Stored, tmp_path: Path
) -> None:
    stored.chain.events(events(15, 3))
    stored.world.head(stored.chain)
    stored.write_all()
    stored.pause = lambda seconds: stored.refresh()
    now = stored.world.catalogue.time + SECOND

    with closing(stored.open(now, compare=None, late_tries=3)) as source:
        writer = ExportWriter(
            source, tmp_path / "e", is_compressed=False, on_entries=lambda count: None
        )
        writer.write()

    report = verify_folder(tmp_path / "e", stored.world.trust)
    assert (report.verdict, report.entries) == (Verdict.VERIFIED, 20)


def test_an_export_needs_a_folder(shell: Shell, stored: Stored) -> None:
    ended = shell.run("export", stored.access.url)

    assert ended.code == 64
    assert "which folder" in ended.err


def test_a_server_is_inspected(shell: Shell, stored: Stored) -> None:
    url = stored.access.url

    chains = shell.run("inspect", url)
    shown = shell.run("inspect", url, "--chain", "audit", "--grep", "line 7")
    seal = shell.run("inspect", url, "--chain", "audit", "--seal", 3)

    assert (chains.code, shown.code, seal.code) == (0, 0, 0)
    assert stored.chain.origin in chains.out
    assert shown.out.endswith(" 7 web-1.example.com line 7\n")
    assert seal.out.endswith(" 8 web-1.example.com line 8\n")
