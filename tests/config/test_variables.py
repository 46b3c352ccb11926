"""Variables of the environment in values of the configuration."""

from pathlib import Path

import pytest

from beats_signer.config import Config, load
from tests.config.files import BASE, refusal, write


def given(folder: Path, text: str, **environment: str) -> Config:
    return load(write(folder, BASE + text), environment=environment)


def test_a_variable_is_replaced_within_a_text(tmp_path: Path) -> None:
    config = given(tmp_path, "state: /var/${NAME}/state\n", NAME="one")

    assert config.state == Path("/var/one/state")


@pytest.mark.parametrize("environment", [{}, {"NAME": ""}], ids=["not set", "empty"])
def test_a_default_counts_when_the_variable_says_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    config = given(tmp_path, "state: ${NAME:/var/lib/x:y}\n", **environment)

    assert config.state == Path("/var/lib/x:y")


def test_a_variable_counts_before_its_default(tmp_path: Path) -> None:
    assert given(tmp_path, "state: ${NAME:/a}\n", NAME="/b").state == Path("/b")


def test_a_default_may_be_empty(tmp_path: Path) -> None:
    assert given(tmp_path, "state: /a${NAME:}\n").state == Path("/a")


def test_an_unquoted_variable_alone_is_read_as_its_content(tmp_path: Path) -> None:
    text = "drain_seconds: ${N}\nretention_days: ${M:null}\nelasticsearch:\n"
    text += "  hosts: ${HOSTS}\n  sender_fields: ${YES}\n"

    config = given(tmp_path, text, N="7", HOSTS="['https://a', https://b]", YES="true")

    assert config.drain_seconds == 7
    assert config.retention_days is None
    assert config.elasticsearch is not None
    assert config.elasticsearch.hosts == ("https://a", "https://b")
    assert config.elasticsearch.sender_fields


@pytest.mark.parametrize(
    "content", ["2026", "null", "[1", "[a: b]", "{a: b}", "a: b", "# a", "2026-13-01"]
)
def test_a_quoted_variable_is_a_text_whatever_it_holds(
    tmp_path: Path, content: str
) -> None:
    config = given(tmp_path, "state: '${V}'\n", V=content)

    assert config.state == tmp_path / content


@pytest.mark.parametrize("content", ["{a: b}", "a: b", "# a", "[1", "[a: b]", "!!x y"])
def test_a_content_that_is_no_value_of_yaml_is_a_text(
    tmp_path: Path, content: str
) -> None:
    assert given(tmp_path, "state: ${V}\n", V=content).state == tmp_path / content


def test_a_content_is_not_searched_for_variables(tmp_path: Path) -> None:
    config = given(tmp_path, "state: ${V}\n", V="${OTHER}")

    assert config.state == tmp_path / "${OTHER}"


def test_a_variable_can_be_escaped(tmp_path: Path) -> None:
    assert given(tmp_path, "state: a$${V}\n").state == tmp_path / "a${V}"


def test_comments_and_keys_hold_no_variables(tmp_path: Path) -> None:
    text = "# ${UNKNOWN}\nrouting.rules: [{when.fields: {'${KEY}': [a]}}]\n"

    config = given(tmp_path, text)

    assert config.routing.rules[0].when.fields == {"${KEY}": ("a",)}


def test_a_value_that_does_not_count_needs_no_variable(tmp_path: Path) -> None:
    path = write(tmp_path, BASE + "state: ${UNKNOWN}\n")

    config = load(path, ["state=/x"], environment={})

    assert config.state == Path("/x")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "sealing:\n  max_entries: ${MISSING}\n",
            "signer.yml:5: sealing.max_entries: the variable MISSING is not set",
            "Set MISSING in the environment of the signer, or give a default: "
            "${MISSING:default}.",
        ),
        (
            "elasticsearch.hosts: [a, '${MISSING}']\n",
            "signer.yml:4: elasticsearch.hosts[1]: the variable MISSING is not set",
            "Set MISSING",
        ),
        (
            "state: ${MISSING:?name the disk}\n",
            "signer.yml:4: state: the variable MISSING is not set: name the disk",
            "Set MISSING in the environment of the signer.",
        ),
        (
            "state: ${no-name}\n",
            "signer.yml:4: state: '${no-name}' does not name a variable",
            "A name is made of letters, digits and underscores",
        ),
        (
            "state: a${OPEN\n",
            "signer.yml:4: state: 'a${OPEN' holds a variable that does not end",
            "Write ${NAME} or ${NAME:default}",
        ),
        (
            "state: ${A:${B}}\n",
            "signer.yml:4: state: '${A:${B}}' holds a variable that does not end, or",
            "Write ${NAME} or ${NAME:default}",
        ),
    ],
    ids=["not set", "in a list", "own text", "no name", "no end", "nested"],
)
def test_what_cannot_be_replaced_names_line_key_and_variable(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    error = refusal(tmp_path, BASE + text)

    assert str(error).startswith(message)
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "drain_seconds: ${SECRET}\n",
            "signer.yml:4: drain_seconds is the content of ${SECRET}",
        ),
        (
            "http.address: ${SECRET}\n",
            "signer.yml:4: http.address: '${SECRET}' is not an address",
        ),
        (
            "sealing: '${SECRET}'\n",
            "signer.yml:4: sealing is the content of ${SECRET}",
        ),
        (
            "drain_seconds: ['a', 'b-${SECRET}']\n",
            'signer.yml:4: drain_seconds is ["a", "b-${SECRET}"]',
        ),
        (
            "routing.target: 'A-${SECRET}'\n",
            "signer.yml:4: routing: target 'A-${SECRET}' does not match",
        ),
    ],
    ids=["number", "address", "mapping", "list", "pattern"],
)
def test_no_error_shows_what_a_variable_holds(
    tmp_path: Path, text: str, message: str
) -> None:
    error = refusal(tmp_path, BASE + text, SECRET="hunter2\\")

    assert "hunter2" not in str(error) + error.hint
    assert str(error).startswith(message)
