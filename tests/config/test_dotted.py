"""Dotted keys, as Beats users write them."""

from pathlib import Path

import pytest

from beats_signer.config import load
from tests.config.files import BASE, refusal, write


@pytest.mark.parametrize(
    "text",
    [
        "sealing.max_entries: 7\nsealing.linger_seconds: 0.5\n",
        "sealing.max_entries: 7\nsealing:\n  linger_seconds: 0.5\n",
        "sealing: {linger_seconds: 0.5}\nsealing.max_entries: 7\n",
    ],
    ids=["dotted", "dotted first", "dotted last"],
)
def test_a_dotted_key_is_the_nesting_that_it_means(tmp_path: Path, text: str) -> None:
    config = load(write(tmp_path, BASE + text))

    assert config.sealing.max_entries == 7
    assert config.sealing.linger_seconds == 0.5


def test_dotted_keys_work_in_the_items_of_a_list(tmp_path: Path) -> None:
    text = (
        BASE + "  ssl.certificate: s.crt\n  ssl.key: s.key\n"
        "  ssl.certificate_authorities: [ca.crt]\n"
    )

    config = load(write(tmp_path, text))

    assert config.listeners[0].ssl is not None
    assert config.listeners[0].ssl.key == tmp_path / "s.key"


def test_a_dotted_key_reaches_several_levels(tmp_path: Path) -> None:
    text = BASE + "elasticsearch.hosts: ['https://es']\n"
    text += "elasticsearch.ssl.verification_mode: none\n"

    config = load(write(tmp_path, text))

    assert config.elasticsearch is not None
    assert config.elasticsearch.ssl.verification_mode == "none"


@pytest.mark.parametrize(
    "rule",
    [
        "{when: {fields: {event.module: [nginx]}}, stream: web}",
        "{when.fields: {event.module: [nginx]}, stream: web}",
        "{when.fields.event.module: [nginx], stream: web}",
    ],
)
def test_the_users_own_keys_keep_their_dots(tmp_path: Path, rule: str) -> None:
    config = load(write(tmp_path, f"{BASE}routing.rules: [{rule}]\n"))

    assert config.routing.rules[0].when.fields == {"event.module": ("nginx",)}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "sealing:\n  max_entries: 7\nsealing.max_entries: 8\n",
            "signer.yml:6: the setting sealing.max_entries stands in line 5 already",
            "Keep one of the two.",
        ),
        (
            "elasticsearch.ssl.key: a\nelasticsearch: {ssl: {key: b}}\n",
            "signer.yml:5: the setting elasticsearch.ssl.key stands in line 4 already",
            "Keep one of the two.",
        ),
        (
            "sealing: null\nsealing.max_entries: 8\n",
            "signer.yml:5: the setting sealing stands in line 4 already",
            "Keep one of the two.",
        ),
        (
            "sealing.max_entrys: 7\n",
            "signer.yml:4: there is no setting sealing.max_entrys",
            "Did you mean max_entries? Known here: max_entries",
        ),
        (
            "sealing.max_entries: 0\n",
            "signer.yml:4: sealing.max_entries is 0",
            "It has to be a whole number from 1 to 65536.",
        ),
        (
            "state.path: x\n",
            'signer.yml:4: state is {"path": "x"}',
            "It has to be the path of a file or folder.",
        ),
        (
            "sealing.: 7\n",
            "signer.yml:4: there is no setting sealing.",
            "Did you mean sealing? Known here: signer",
        ),
    ],
    ids=[
        *("given twice", "given twice further down", "given twice, once as nothing"),
        *("misspelt", "out of bounds", "below a value", "nothing behind the dot"),
    ],
)
def test_what_does_not_fit_is_explained_at_its_line(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    error = refusal(tmp_path, BASE + text)

    assert str(error).startswith(message)
    assert error.hint.startswith(hint)
