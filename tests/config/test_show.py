"""``config show``: what holds, where it comes from, and nothing secret."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import Struct

from beats_signer.cli import program
from beats_signer.config import load
from beats_signer.settings import convert
from beats_signer.settings.display import display
from beats_signer.settings.document import parse_document
from beats_signer.settings.variables import expand
from beats_signer.template import build_configuration
from tests.config.files import BASE, drop_in, write
from tests.config.test_config import examples


def show(path: Path, *overrides: str, **environment: str) -> str:
    options = [part for text in overrides for part in ("-E", text)]
    result: Result = CliRunner().invoke(
        program, ["config", "show", "--config", str(path), *options], env=environment
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def line_of(output: str, key: str) -> str:
    """Return the one line of a setting, without the spaces before its comment."""
    (line,) = [one for one in output.splitlines() if one.strip().startswith(f"{key}:")]
    return " ".join(line.split())


@pytest.mark.parametrize(
    "text",
    [
        BASE,
        build_configuration("2026", tls=True),
        build_configuration("audit-1", tls=False) + examples(),
        BASE + "routing.rules: [{when.fields: {'a: b': ['#', '*']}}]\n",
        BASE + "state: a$${B}\n",
    ],
    ids=["least", "TLS", "examples", "odd texts", "escaped"],
)
def test_what_is_shown_gives_the_same_configuration(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    before = load(path)

    output = show(path)

    assert load(write(tmp_path, output)) == before


def test_every_value_that_was_set_says_where(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.yml", "sealing.max_entries: 7\nretention_days: 3\n")
    path = write(tmp_path, BASE + "sealing: {in_flight: 1, max_entries: 6}\n")

    output = show(path, "drain_seconds=9", "retention_days=4")

    assert line_of(output, "signer") == f"signer: audit-1 # {path}:1"
    assert line_of(output, "- address") == f"- address: 127.0.0.1:5044 # {path}:3"
    added = tmp_path / "conf.d" / "a.yml"
    assert line_of(output, "max_entries") == f"max_entries: 7 # {added}:1"
    assert line_of(output, "retention_days") == "retention_days: 4 # -E"
    assert line_of(output, "drain_seconds") == "drain_seconds: 9.0 # -E"
    assert line_of(output, "max_bytes") == "max_bytes: 33554432"


def test_what_the_environment_gives_is_shown_as_its_variable(tmp_path: Path) -> None:
    text = BASE + "elasticsearch:\n  hosts: ['https://${ES}:9200', 'https://b']\n"
    text += "  username: ${U:joe}\n  password_file: pw\ndrain_seconds: ${D}\n"
    path = write(tmp_path, text)

    output = show(path, ES="hunter2", D="171")

    assert "hunter2" not in output
    assert "171" not in output
    source = f"{path}:5, from the environment"
    hosts = "hosts: ['https://${ES}:9200', 'https://b']"
    assert line_of(output, "hosts") == f"{hosts} # {source}"
    assert line_of(output, "drain_seconds").startswith("drain_seconds: ${D} #")
    assert f"password_file: {tmp_path}/pw" in output


class Door(Struct, frozen=True):
    """Settings with secrets, which the configuration itself has none of."""

    key_passphrase: str | None = None
    token: str = ""
    token_file: str = ""
    urls: tuple[str, ...] = ()
    pem: str = ""


def test_what_may_be_secret_is_masked() -> None:
    text = (
        "key_passphrase: hunter2\ntoken: ${T}\ntoken_file: /run/token\n"
        "urls: ['https://joe:hunter2@host/x']\npem: '-----BEGIN PRIVATE KEY----- h'\n"
    )
    tree = expand(parse_document(text, "door.yml"), {"T": "hunter2"})

    shown = display(convert(tree, Door, Path()), tree)

    lines = [line.partition(" #")[0].rstrip() for line in shown]
    assert lines == [
        "key_passphrase: '********'",
        "token: '********'",
        "token_file: /run/token",
        "urls: ['https://********@host/x']",
        "pem: '********'",
    ]


def test_a_secret_that_is_not_set_is_seen_to_be_so() -> None:
    tree = parse_document("token_file: a", "door.yml")

    assert "key_passphrase: null" in display(Door(), tree)
