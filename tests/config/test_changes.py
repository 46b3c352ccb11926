"""Two configurations: what differs, and what of it a running signer can use."""

from pathlib import Path

import pytest

from beats_signer.config import Config, load
from beats_signer.errors import ConfigError
from beats_signer.reloading import blend
from beats_signer.settings.comparing import list_changes
from tests.config.files import BASE, write

RULES = "routing.rules: [{stream: web}]\n"


def config(folder: Path, text: str = "", base: str = BASE) -> Config:
    return load(write(folder, base + text))


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("", "", ()),
        ("", "drain_seconds: 25.0\n", ()),
        (
            "",
            "limits: {json_bytes: 2048, pairs: 7}\n",
            ("limits.json_bytes", "limits.pairs"),
        ),
        ("", "elasticsearch.hosts: ['https://a']\n", ("elasticsearch",)),
        (RULES, RULES.replace("web", "app"), ("routing.rules[0].stream",)),
        (RULES, RULES.replace("}]", "}, {stream: app}]"), ("routing.rules",)),
        (
            "elasticsearch.hosts: ['https://a']\n",
            "elasticsearch.hosts: ['https://b']\n",
            ("elasticsearch.hosts",),
        ),
    ],
)
def test_changes_are_named_one_by_one(
    tmp_path: Path, old: str, new: str, names: tuple[str, ...]
) -> None:
    assert list_changes(config(tmp_path, old), config(tmp_path, new)) == names


@pytest.mark.parametrize(
    "text",
    [
        "limits: {json_bytes: 2048, handshake_seconds: 3}\n",
        "limits: {connections: 7, connections_per_sender: 2}\n",
        "limits.handshakes_per_second: 3\n",
        "senders.allow: []\n",
        "drain_seconds: 1\n",
        "logging.level: error\n",
        "retention_days: 7\n",
        "routing.max_chains: 9\n",
    ],
)
def test_what_can_be_used_at_once_is(tmp_path: Path, text: str) -> None:
    new = config(tmp_path, text)

    assert blend(config(tmp_path), new) == new


def test_other_rules_are_used_where_there_were_rules(tmp_path: Path) -> None:
    old, new = config(tmp_path, RULES), config(tmp_path, RULES.replace("web", "app"))

    assert blend(old, new) == new


def test_the_default_place_needs_a_restart_and_the_rules_do_not(tmp_path: Path) -> None:
    old = config(tmp_path, "routing: {target: one, rules: [{stream: a}]}\n")
    new = config(tmp_path, "routing: {target: two, rules: [{stream: b}]}\n")

    blended = blend(old, new)

    assert blended.routing.rules == new.routing.rules
    assert list_changes(blended, new) == ("routing.target",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("http.address: 127.0.0.1:1\n", ("http.address",)),
        ("state: elsewhere\narchive: x.db\n", ("state", "archive")),
        ("limits.memory_bytes: 536870912\n", ("limits.memory_bytes",)),
        ("limits.read_ahead_windows: 9\n", ("limits.read_ahead_windows",)),
        ("sealing.max_entries: 9\n", ("sealing.max_entries",)),
        ("catalogue.head_seconds: 9\n", ("catalogue.head_seconds",)),
        (RULES, ("routing.rules",)),
    ],
)
def test_what_needs_a_restart_stays_as_it_was(
    tmp_path: Path, text: str, names: tuple[str, ...]
) -> None:
    old, new = config(tmp_path), config(tmp_path, text)

    blended = blend(old, new)

    assert blended == old
    assert list_changes(blended, new) == names


TLS = "  ssl: {certificate: c, key: k, certificate_authorities: [a]}\n"


def test_other_tls_settings_are_used_where_there_was_tls(tmp_path: Path) -> None:
    old, new = config(tmp_path, TLS), config(tmp_path, TLS.replace("[a]", "[a, b]"))

    assert blend(old, new) == new


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [("", TLS, "listeners[0].ssl"), (TLS, "", "listeners[0].ssl")],
    ids=["TLS begins", "TLS ends"],
)
def test_whether_there_is_tls_needs_a_restart(
    tmp_path: Path, before: str, after: str, name: str
) -> None:
    old, new = config(tmp_path, before), config(tmp_path, after)

    assert blend(old, new) == old
    assert list_changes(old, new) == (name,)


def test_listeners_that_have_moved_keep_their_tls(tmp_path: Path) -> None:
    two = BASE + TLS + "- address: 127.0.0.1:1\n" + TLS.replace("c,", "d,")
    moved = two.replace("5044", "2")
    old, new = config(tmp_path, base=two), config(tmp_path, base=moved)

    assert blend(old, new) == old


def test_a_listener_more_needs_a_restart(tmp_path: Path) -> None:
    old = config(tmp_path)
    new = config(tmp_path, "- address: 127.0.0.1:1\ndrain_seconds: 1\n")

    blended = blend(old, new)

    assert list_changes(old, blended) == ("drain_seconds",)
    assert list_changes(blended, new) == ("listeners",)


def test_values_that_fit_only_after_a_restart_are_refused(tmp_path: Path) -> None:
    old = config(tmp_path)
    both = "limits: {memory_bytes: 1073741824, window_bytes: 536870912}\n"

    with pytest.raises(ConfigError, match="needs a restart: memory_bytes is 268435456"):
        blend(old, config(tmp_path, both))
