"""``setup`` and ``test output``, and what ``serve`` makes of Elasticsearch."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beats_signer.cli import program
from beats_signer.sign.lock import StateLock
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault


def run(*arguments: object, input: str | None = None) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)], input=input)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(refreshing=True) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, fake: Fake) -> Path:
    """Return the configuration of a new signer that stores in the fake server."""
    assert run("init", tmp_path, "--signer", "audit-1").exit_code == 0
    path = tmp_path / "beats-signer.yml"
    text = path.read_text().replace("127.0.0.1:5044", "127.0.0.1:0")
    path.write_text(
        f"{text}http: {{address: 127.0.0.1:0}}\n"
        f"elasticsearch: {{hosts: ['{fake.url}']}}\n"
        "routing: {rules: [{when: {senders: ['127.*']}, stream: local}]}\n"
    )
    return path


def test_setup_says_what_it_made_and_then_that_all_is_there(config: Path) -> None:
    first = run("setup", "--config", config)
    second = run("setup", "--config", config)

    assert first.exit_code == 0
    assert "created    index template beats-signer-seals\n" in first.stdout
    assert "created    index template beats-signer-events-logs-local-default" in (
        first.stdout
    )
    assert re.search(r"^\d+ unchanged, 1 left out\.$", second.stdout, re.M)


def test_a_dry_run_makes_nothing(config: Path, fake: Fake) -> None:
    done = run("setup", "--config", config, "--dry-run")

    assert "A dry run: nothing was changed." in done.stdout
    assert {one.method for one in fake.requests} == {"GET"}


def test_print_needs_no_server_and_gives_whole_requests(
    config: Path, fake: Fake
) -> None:
    done = run("setup", "--config", config, "--print")

    requests = re.split(r"^PUT (/\S+)\n", done.stdout, flags=re.M)[1:]
    bodies = dict(zip(requests[::2], map(json.loads, requests[1::2]), strict=True))
    assert "/_security/role/beats-signer-signer" in bodies
    assert "/_ilm/policy/beats-signer-90d" in bodies
    assert not fake.requests


def test_a_password_is_asked_for_and_sent(config: Path, fake: Fake) -> None:
    done = run("setup", "--config", config, "--user", "elastic", input="secret\n")

    assert done.exit_code == 0
    assert {one.headers.get("authorization") for one in fake.requests} == {
        "Basic ZWxhc3RpYzpzZWNyZXQ="
    }
    assert "secret" not in done.output


@pytest.fixture
def keyed(config: Path, fake: Fake) -> Path:
    """Return a configuration that names a key, and a server that knows users."""
    fake.administration.secured = True
    named = f"elasticsearch: {{hosts: ['{fake.url}']"
    text = config.read_text()
    config.write_text(text.replace(named, f"{named}, api_key_file: es.key"))
    return config


def with_password(config: Path, *options: str) -> Result:
    arguments = ["setup", "--config", config, "--user", "elastic", *options]
    return run(*arguments, input="secret\n")


def test_a_key_is_made_for_the_signer_once(keyed: Path, fake: Fake) -> None:
    first = with_password(keyed, "--create-key")
    second = with_password(keyed, "--create-key")

    path = keyed.parent / "es.key"
    assert f"created    API key beats-signer-audit-1: in {path}\n" in first.stdout
    assert f"unchanged  API key beats-signer-audit-1: {path} is there" in second.stdout
    assert path.read_text() == "id-0:secret\n"
    assert path.stat().st_mode & 0o777 == 0o600
    (made,) = fake.administration.keys.values()
    role = fake.cluster.kept["/_security/role/beats-signer-signer"]
    assert made["role_descriptors"] == {
        "beats-signer-signer": {key: role[key] for key in ("cluster", "indices")}
    }


def test_a_dry_run_makes_no_key(keyed: Path, fake: Fake) -> None:
    done = with_password(keyed, "--create-key", "--dry-run")

    assert "to create  API key beats-signer-audit-1: in" in done.stdout
    assert not fake.administration.keys
    assert not (keyed.parent / "es.key").exists()


def test_a_key_that_could_not_be_kept_is_not_made(keyed: Path, fake: Fake) -> None:
    text = keyed.read_text()
    keyed.write_text(text.replace("es.key", "nowhere/es.key"))
    done = with_password(keyed, "--create-key")

    assert done.exit_code == 78
    assert "cannot write the key to" in done.stderr
    assert not fake.administration.keys


def test_a_server_that_makes_no_key_leaves_no_file(keyed: Path, fake: Fake) -> None:
    fake.administration.refused.add("/_security/api_key")
    done = with_password(keyed, "--create-key")

    assert done.exit_code == 69
    assert "POST /_security/api_key was answered with 403" in done.stderr
    assert not (keyed.parent / "es.key").exists()


def test_without_security_no_key_can_be_made(keyed: Path, fake: Fake) -> None:
    fake.administration.secured = False
    done = with_password(keyed, "--create-key")

    assert done.exit_code == 69
    assert "no API key can be made: security is off" in done.stderr
    assert not (keyed.parent / "es.key").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--user", "elastic"], "elasticsearch.api_key_file is not"),
        ([], "elasticsearch.api_key_file is not"),
    ],
)
def test_a_key_needs_a_place_to_go(config: Path, options: list[str], said: str) -> None:
    done = run("setup", "--config", config, "--create-key", *options)

    assert done.exit_code == 64
    assert said in done.stderr


def test_a_key_needs_somebody_who_makes_it(keyed: Path) -> None:
    done = run("setup", "--config", keyed, "--create-key")

    assert done.exit_code == 64
    assert "Name an administrator with --user" in done.stderr


def test_without_a_password_setup_says_so(keyed: Path) -> None:
    done = run("setup", "--config", keyed, "--user", "elastic", input="")

    assert done.exit_code == 64
    assert "no password was given" in done.stderr
    assert "--password-file" in done.stderr


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "The user, password or key is wrong"), (403, "privileges monitor, manage")],
)
def test_a_refusal_says_what_is_wrong(
    keyed: Path, fake: Fake, status: int, hint: str
) -> None:
    fake.fail(Fault(status=status), on="other")
    done = with_password(keyed)

    assert done.exit_code == 69
    assert f"GET / was answered with {status}" in done.stderr
    assert hint in " ".join(done.stderr.split())


def test_what_somebody_else_made_is_left_alone_until_it_is_said(
    config: Path, fake: Fake
) -> None:
    path = "/_index_template/beats-signer-seals"
    fake.cluster.kept[path] = {"index_patterns": ["x"]}
    refused = run("setup", "--config", config)
    replaced = run("setup", "--config", config, "--overwrite")

    assert refused.exit_code == 69
    assert "not ours   index template beats-signer-seals: it was not made by setup" in (
        refused.stdout
    )
    assert "--overwrite" in refused.stderr
    assert replaced.exit_code == 0
    assert fake.cluster.kept[path]["index_patterns"] == ["beats-signer-seals-*"]


@pytest.mark.parametrize("command", [["serve"], ["test", "output"]])
def test_a_key_that_is_not_there_yet_is_explained(
    keyed: Path, command: list[str]
) -> None:
    done = run(*command, "--config", keyed)

    assert done.exit_code == 78
    assert str(keyed.parent / "es.key") in done.stderr
    assert "`beats-signer setup --user NAME --create-key`" in done.stderr
    assert "If nobody has used that" not in done.stderr


def test_without_the_section_setup_says_what_to_add(tmp_path: Path) -> None:
    run("init", tmp_path, "--signer", "audit-1")

    done = run("setup", "--config", tmp_path / "beats-signer.yml")

    assert done.exit_code == 78
    assert "no section elasticsearch" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--user", "a", "--api-key-file", "k"],
        ["--password-file", "p"],
    ],
)
def test_options_that_do_not_fit_are_refused(config: Path, options: list[str]) -> None:
    assert run("setup", "--config", config, *options).exit_code == 64


def test_a_secret_that_cannot_be_read_is_named(config: Path) -> None:
    done = run("setup", "--config", config, "--api-key-file", "/nowhere/key")

    assert done.exit_code == 78
    assert "/nowhere/key" in done.stderr


def test_output_is_judged_line_by_line(config: Path) -> None:
    before = run("test", "output", "--config", config)
    run("setup", "--config", config)
    after = run("test", "output", "--config", config)

    assert before.exit_code == 1
    assert "broken   templates: beats-signer-seals-*" in before.stdout
    assert after.exit_code == 0
    assert "ok       version: server: Elasticsearch 8.19.21\n" in after.stdout


def test_serve_refuses_a_server_that_would_break_a_promise(config: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "serve", "--config", str(config)],
        capture_output=True,
        env=ENVIRONMENT,
        text=True,
        timeout=30,
    )

    assert done.returncode == 78
    assert (
        "this Elasticsearch cannot be the store: templates: beats-signer-seals-*: "
        "is not there yet, and no template says how to make it"
    ) in done.stderr
    assert done.stderr.count("a check of the store is not ok")
    assert '"the store was checked"' in done.stderr
    assert "beats-signer setup" in done.stderr


def test_events_are_acknowledged_once_elasticsearch_has_them(
    config: Path, fake: Fake
) -> None:
    run("setup", "--config", config)
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config)],
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        messages = (json.loads(line)["message"] for line in process.stderr)
        assert "ready" in messages
        (address,) = StateLock.read(config.parent / "state")["listeners"]
        sent = run("send", "--to", address, "--plain", "--count", 100)
        process.send_signal(signal.SIGTERM)
        process.stderr.read()

    assert sent.exit_code == 0
    assert process.returncode == 0
    assert len(fake.documents("logs-local-default")) == 100
    kinds = {one["kind"] for one in fake.documents("beats-signer-seals-*").values()}
    assert kinds == {"found", "events"}


def serve(config: Path) -> "subprocess.CompletedProcess[str]":
    """Let a signer run until it has said that it is ready, or has refused to be."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config)],
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if '"message":"ready"' in line:
                process.send_signal(signal.SIGTERM)
    return subprocess.CompletedProcess([], process.returncode, "", said)


@pytest.fixture
def begun(config: Path) -> Path:
    """Return the configuration of a signer that has stored, and lost its state."""
    run("setup", "--config", config)
    assert serve(config).returncode == 0
    shutil.rmtree(config.parent / "state")
    return config


def found_again(config: Path, name: str) -> Path:
    """Found a signer in another folder, with the same settings."""
    folder = config.parent / name
    assert run("init", folder, "--signer", name).exit_code == 0
    made = folder / "beats-signer.yml"
    made.write_text(config.read_text().replace('"audit-1"', f'"{name}"'))
    return made


def test_a_signer_whose_chains_are_stored_is_not_founded_again(begun: Path) -> None:
    done = serve(found_again(begun, "audit-1"))

    assert done.returncode == 78
    assert "the store has the chain audit-1, the journal in " in done.stderr
    assert "make a new signer with 'beats-signer init' under a new name" in done.stderr


def test_a_signer_without_a_state_says_how_to_go_on(begun: Path) -> None:
    (begun.parent / "state").mkdir(mode=0o700)

    done = serve(begun)

    assert done.returncode == 78
    assert "under a new name" in done.stderr


def test_a_new_name_begins_anew(begun: Path) -> None:
    assert serve(found_again(begun, "audit-2")).returncode == 0
