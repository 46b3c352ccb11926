"""``recover``, as an operator meets it: from an outage of a mapping to a proof."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from elasticsearch import Elasticsearch

from beats_signer.cli import program
from beats_signer.sign.lock import StateLock
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.elasticsearch.asking import put_pipeline
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.recovering import Bared

TARGET = "logs-local-acme"
COUNT = 20
WRONG = {"mappings": {"properties": {"message": {"type": "long"}}}}
RULE = "{when: {senders: ['127.*']}, stream: local}"
PIPED = "{when: {senders: ['127.*']}, stream: local, pipeline: 'p-{agent.type}'}"


def run(*arguments: object, input: str | None = None) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)], input=input)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(refreshing=True) as server:
        yield server


@pytest.fixture
def client(fake: Fake) -> Iterator[Elasticsearch]:
    with fake.access.connect(max_retries=0) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path, fake: Fake) -> Path:
    """Return the folder of a new signer that stores in the fake server."""
    assert run("init", tmp_path, "--signer", "audit-1").exit_code == 0
    path = tmp_path / "beats-signer.yml"
    text = path.read_text().replace("127.0.0.1:5044", "127.0.0.1:0")
    path.write_text(
        f"{text}http: {{address: 127.0.0.1:0}}\n"
        f"elasticsearch: {{hosts: ['{fake.url}']}}\n"
        f"routing: {{tenant: acme, rules: [{RULE}]}}\n"
    )
    return tmp_path


def config(folder: Path) -> Path:
    return folder / "beats-signer.yml"


def receive(folder: Path) -> None:
    """Let a signer receive events until it has stored them, and stop it."""
    run("setup", "--config", config(folder))
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config(folder))],
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        messages = (json.loads(line)["message"] for line in process.stderr)
        assert "ready" in messages
        (address,) = StateLock.read(folder / "state")["listeners"]
        sent = run("send", "--to", address, "--plain", "--count", COUNT)
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert (sent.exit_code, process.returncode) == (0, 0)


def spoil(client: Elasticsearch) -> None:
    """Let no mapping take the messages of events."""
    client.cluster.put_component_template(name="beats-signer@custom", template=WRONG)


@pytest.fixture
def bared(folder: Path, fake: Fake, client: Elasticsearch) -> Path:
    """Return the folder of a signer whose events no mapping took."""
    spoil(client)
    run("setup", "--config", config(folder))
    place = Place(fake.access, client, Chain("local"), TARGET)
    signer = Bared(place, folder / "signed", "audit-1")
    events = tuple(b'{"message":"number %d"}' % number for number in range(COUNT))
    asyncio.run(signer.store(events))
    return folder


def mend(client: Elasticsearch, target: str = TARGET) -> None:
    client.indices.put_mapping(
        index=target, properties={"message": {"type": "long", "ignore_malformed": True}}
    )


def shown(fake: Fake, target: str = TARGET) -> list[Any]:
    """Return what is seen of the events' messages."""
    return [one.get("message") for one in fake.documents(target).values()]


def verify(folder: Path) -> Result:
    trust = ("--trust", folder / "trust", "--delay", 0)
    return run("verify", "--config", config(folder), *trust)


def test_an_outage_of_a_mapping_leaves_no_trace_but_in_the_catalogue(
    folder: Path, client: Elasticsearch, fake: Fake
) -> None:
    spoil(client)
    receive(folder)
    assert set(shown(fake)) == {None}
    before = verify(folder)
    mend(client)

    first = run("recover", "--config", config(folder))
    second = run("recover", "--config", config(folder))

    assert first.exit_code == 0, first.output
    assert first.stdout == (
        f"{COUNT} of {COUNT} bare documents of audit-1 in {TARGET}, "
        "logs-generic-acme are recovered\n"
    )
    assert "nothing to do" in second.stdout
    assert second.exit_code == 0
    assert None not in shown(fake)
    after = verify(folder)
    assert (before.exit_code, after.exit_code) == (0, 0), after.output
    assert f"{COUNT} events proven" in after.stdout


def test_what_stays_bare_is_told_with_its_reason_and_ends_with_1(
    bared: Path, fake: Fake
) -> None:
    done = run("recover", "--config", config(bared))

    assert done.exit_code == 1
    assert f"{COUNT} stay bare in {TARGET}: document_parsing_exception: failed" in (
        done.stdout
    )
    assert f"  for example .ds-{TARGET}-" in done.stdout
    assert set(shown(fake)) == {None}


def test_a_dry_run_writes_nothing(
    bared: Path, client: Elasticsearch, fake: Fake
) -> None:
    mend(client)
    before = fake.count("bulk")

    done = run("recover", "--config", config(bared), "--dry-run")

    assert done.exit_code == 0
    assert f"{COUNT} of {COUNT} bare documents" in done.stdout
    assert done.stdout.endswith("would be recovered\nA dry run: nothing was changed.\n")
    assert fake.count("bulk") == before
    assert set(shown(fake)) == {None}


def test_the_report_is_one_json_object(bared: Path, client: Elasticsearch) -> None:
    mend(client)

    told = json.loads(run("recover", "--config", config(bared), "--json").stdout)

    assert (told["recovered"], told["exit_code"], told["refused"]) == (COUNT, 0, [])


def test_the_pipeline_is_the_one_that_rules_give_to_the_event(
    folder: Path, client: Elasticsearch, fake: Fake
) -> None:
    config(folder).write_text(config(folder).read_text().replace(RULE, PIPED))
    put_pipeline(client, "p-filebeat", {"fail": {"message": "never"}})
    receive(folder)
    assert set(shown(fake)) == {None}
    put_pipeline(client, "p-filebeat", {"set": {"field": "p", "value": "v"}})

    done = run("recover", "--config", config(folder))

    assert done.exit_code == 0, done.output
    assert {one["p"] for one in fake.documents(TARGET).values()} == {"v"}


@pytest.mark.parametrize(
    ("default", "target"),
    [("", TARGET), (", target: 'events-{tenant}-{stream}'", "events-acme-local")],
)
def test_an_event_that_was_moved_gets_no_pipeline_of_the_place_it_asked_for(
    folder: Path, client: Elasticsearch, fake: Fake, default: str, target: str
) -> None:
    moved = (
        "{when: {senders: ['127.*']}, stream: local, target: 'blocked-{agent.type}', "
        "pipeline: 'p-{agent.type}'}"
    )
    text = config(folder).read_text().replace(RULE, moved)
    config(folder).write_text(text.replace("tenant: acme", f"tenant: acme{default}"))
    spoil(client)
    put_pipeline(client, "p-filebeat", {"set": {"field": "p", "value": "v"}})
    client.indices.create(index="blocked-filebeat")
    client.indices.put_settings(
        index="blocked-filebeat", settings={"index.blocks.write": True}
    )
    client.indices.put_index_template(
        name="local", index_patterns=[target], data_stream={}, template=WRONG
    )
    receive(folder)
    mend(client, target)

    done = run("recover", "--config", config(folder), "--index", target)

    assert done.exit_code == 0, done.output
    assert len(shown(fake, target)) == COUNT
    assert None not in shown(fake, target)
    assert not [one for one in fake.documents(target).values() if "p" in one]


def test_a_server_that_is_not_there_is_undecided(folder: Path) -> None:
    text = config(folder).read_text()
    at = text.index("hosts: ['") + len("hosts: ['")
    end = text.index("'", at)
    config(folder).write_text(f"{text[:at]}http://127.0.0.1:1{text[end:]}")

    done = run("recover", "--config", config(folder))

    assert done.exit_code == 2
    assert "undecided: " in done.stdout
    assert "127.0.0.1:1" in done.stdout


def test_a_key_that_expires_in_mid_run_is_undecided(
    bared: Path, client: Elasticsearch, fake: Fake
) -> None:
    mend(client)
    fake.fail(Fault.refused(401, "security_exception"), times=None)

    done = run("recover", "--config", config(bared))

    assert done.exit_code == 2
    assert "undecided: bulk request" in done.stdout
    assert "401 security_exception" in done.stdout
    assert set(shown(fake)) == {None}


def test_a_wrong_key_is_undecided_and_says_whom_to_name(
    folder: Path, fake: Fake
) -> None:
    fake.administration.secured = True
    fake.administration.denied = {(TARGET, "index")}

    done = run("recover", "--config", config(folder))

    assert done.exit_code == 2
    assert f"fake lacks index on {TARGET}" in done.stdout
    assert "beats-signer-repair" in done.stdout


def test_a_password_is_asked_for_and_sent(folder: Path, fake: Fake) -> None:
    asked = len(fake.requests)

    done = run("recover", "--config", config(folder), "--user", "r", input="secret\n")

    assert {one.headers["authorization"] for one in fake.requests[asked:]} == {
        "Basic cjpzZWNyZXQ="
    }
    assert "secret" not in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", "a", "--api-key-file", "k"], "exclude each other"),
        (["--password-file", "p"], "without --user"),
        (["--since", "yesterday"], "'yesterday' does not match the formats"),
        (["--since", "2026-11-23", "--until", "2026-11-23"], "is not before --until"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    folder: Path, options: list[str], message: str
) -> None:
    done = run("recover", "--config", config(folder), *options)

    assert done.exit_code == 64
    assert message in done.stderr


def test_without_the_section_it_says_what_to_add(tmp_path: Path) -> None:
    run("init", tmp_path, "--signer", "audit-1")

    done = run("recover", "--config", config(tmp_path))

    assert done.exit_code == 78
    assert "no section elasticsearch" in done.stderr


def test_an_interrupted_run_says_what_is_done_and_leaves_whole_documents(
    bared: Path, client: Elasticsearch, fake: Fake
) -> None:
    mend(client)
    before = fake.count("bulk")
    fake.hold("bulk")
    with subprocess.Popen(
        [*COMMAND, "recover", "--config", str(config(bared))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        fake.wait_for("bulk", before + 1)
        process.send_signal(signal.SIGINT)
        fake.release()
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert out.startswith("16 of 16 bare documents")
    assert out.endswith("undecided: it was interrupted; run it again\n")
    assert "Traceback" not in err
    assert shown(fake).count(None) == COUNT - 16
    again = run("recover", "--config", config(bared))
    assert again.stdout.startswith("4 of 4 bare documents")
    assert None not in shown(fake)
