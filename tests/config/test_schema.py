"""The exported JSON Schema: it takes what the program takes."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator, ValidationError

from beats_signer.cli import program
from beats_signer.config import Config, LimitsConfig
from beats_signer.settings.schema import build_schema
from beats_signer.template import build_configuration
from tests.config.files import BASE
from tests.config.test_config import examples

SCHEMA = json.loads(json.dumps(build_schema(Config, "beats-signer")))


def errors(text: str) -> list[str]:
    """Return the messages for a file, and those of what it could be instead."""
    return list(
        messages(Draft202012Validator(SCHEMA).iter_errors(yaml.safe_load(text)))
    )


def messages(found: Iterable[ValidationError]) -> Iterator[str]:
    for error in found:
        yield error.message
        yield from messages(error.context or ())


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        build_configuration("audit-1", tls=True),
        build_configuration("audit-1", tls=False) + examples(),
        BASE + "sealing.max_entries: 7\nelasticsearch.hosts: ['https://a']\n",
        BASE + "  ssl.key: a\n  ssl.certificate: b\n",
        BASE + "sealing: {max_entries: '${N}'}\nelasticsearch: {hosts: '${HOSTS}'}\n",
        BASE + "drain_seconds: ${N:5}\n",
        BASE + "elasticsearch: null\nretention_days: null\n",
    ],
    ids=["TLS", "examples", "dots", "dots in a list", "variables", "default", "null"],
)
def test_what_the_program_takes_is_valid(text: str) -> None:
    assert errors(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASE + "sealing: {max_entrys: 7}\n", "'max_entrys' was unexpected"),
        (BASE + "sealing: {max_entries: 0}\n", "0 is less than the minimum of 1"),
        (BASE + "limits: {json_bytes: 1}\n", "1 is less than the minimum of 1024"),
        (BASE + "drain_seconds: '25'\n", "'25' is not of type 'number'"),
        (BASE + "elasticsearch: {hosts: []}\n", "[] should be non-empty"),
        (BASE + "elasticsearch: {}\n", "'hosts' is a required property"),
        (BASE + "elasticsearch: ${ES}\n", "'${ES}' is not of type 'object'"),
        (BASE + "routing: {tenant: a/b}\n", "'a/b' does not match"),
        ("signer: Audit 1\nlisteners: [{}]\n", "'Audit 1' does not match"),
        ("listeners: [{}]\n", "'signer' is a required property"),
        (
            BASE + "  ssl: {certificate: c, key: k, client_authentication: maybe}\n",
            "'maybe' is not one of ['none', 'optional', 'required']",
        ),
    ],
)
def test_what_the_program_refuses_is_invalid(text: str, message: str) -> None:
    assert any(message in error for error in errors(text))


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, definition in SCHEMA["$defs"].items():
        for key, schema in definition.get("properties", {}).items():
            yield f"{name}.{key}", schema


@pytest.mark.parametrize(
    "schema", [pytest.param(schema, id=name) for name, schema in properties()]
)
def test_every_setting_is_described(schema: dict[str, Any]) -> None:
    section = schema.get("$ref", "").rpartition("/")[2]
    assert len(SCHEMA["$defs"].get(section, schema)["description"]) > 10


def test_bounds_and_defaults_are_those_of_the_declaration() -> None:
    limit = SCHEMA["$defs"]["LimitsConfig"]["properties"]["keepalive_seconds"]

    assert limit["default"] == LimitsConfig().keepalive_seconds
    assert limit["anyOf"][0] == {"type": "number", "minimum": 1, "maximum": 15}


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(program, ["config", "schema"])

    assert result.exit_code == 0
    assert json.loads(result.stdout) == SCHEMA
