"""The configuration: what is accepted, and how what is not is explained."""

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from beats_signer.chain.errors import FormatError
from beats_signer.chain.origin import check_signer
from beats_signer.config import Config, LimitsConfig, SignerName, load
from beats_signer.errors import ConfigError
from beats_signer.template import build_configuration
from lumberjack import Limits
from tests.config.files import BASE, refusal, write


def test_the_least_file_gets_every_default(tmp_path: Path) -> None:
    config = load(write(tmp_path, BASE))

    assert config.sealing.max_entries == 16_384
    assert config.http.address == "127.0.0.1:9600"
    assert config.retention_days is None


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    tls = "  ssl: {certificate: s.crt, key: /k, certificate_authorities: [tls/ca.crt]}"

    config = load(write(tmp_path, f"{BASE}{tls}\narchive: data/a.db\n"))

    assert config.state == tmp_path / "state"
    assert config.archive == tmp_path / "data" / "a.db"
    tls_config = config.listeners[0].ssl
    assert tls_config is not None
    assert tls_config.certificate == tmp_path / "s.crt"
    assert tls_config.key == Path("/k")
    assert tls_config.certificate_authorities == (tmp_path / "tls" / "ca.crt",)


def test_paths_stay_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, BASE)
    monkeypatch.chdir(tmp_path)

    config = load(Path("signer.yml"))

    assert config.state == tmp_path / "state"
    assert config.archive == tmp_path / "archive.db"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            BASE + "sealing:\n  linger_seconds: 0.1\n  max_entrys: 9\n",
            "signer.yml:6: there is no setting sealing.max_entrys",
            "Did you mean max_entries? Known here: max_entries, max_bytes",
            id="unknown key",
        ),
        pytest.param(
            BASE + "kibana: {}\n",
            "signer.yml:4: there is no setting kibana",
            "Known here: signer, listeners, state",
            id="unknown key that is like no other",
        ),
        pytest.param(
            BASE + "signer: other\n",
            "signer.yml:4: the key 'signer' stands here a second time",
            "Each key once",
            id="key twice",
        ),
        pytest.param(
            BASE + "limits: {window_events: 1, window_events: 2}\n",
            "signer.yml:4: the key 'window_events' stands here a second time",
            "Each key once",
            id="key twice in a nested mapping",
        ),
        pytest.param(
            BASE + "5: 6\n",
            "signer.yml:4: a key is not plain text",
            "Each key once",
            id="key that is a number",
        ),
        pytest.param(
            BASE + "sealing:\n  max_entries: 65537\n",
            "signer.yml:5: sealing.max_entries is 65537",
            "It has to be a whole number from 1 to 65536.",
            id="above the bound",
        ),
        pytest.param(
            BASE + "limits:\n  keepalive_seconds: 0.5\n",
            "signer.yml:5: limits.keepalive_seconds is 0.5",
            "It has to be a number from 1 to 15.",
            id="below the bound",
        ),
        pytest.param(
            BASE + "drain_seconds: '25'\n",
            'signer.yml:4: drain_seconds is "25"',
            "It has to be a number from 0 to 600.",
            id="number in quotes",
        ),
        pytest.param(
            BASE + "limits: {write_seconds: .inf}\n",
            "signer.yml:4: '.inf' is not a number that a setting can have",
            "Each key once",
            id="infinite number",
        ),
        pytest.param(
            BASE + "elasticsearch: {hosts: ['https://a'], sender_fields: maybe}\n",
            'signer.yml:4: elasticsearch.sender_fields is "maybe"',
            "It has to be true or false.",
            id="text for a truth value",
        ),
        pytest.param(
            BASE + "retention_days: never\n",
            'signer.yml:4: retention_days is "never"',
            "It has to be a whole number from 1 to 36500 or null.",
            id="number or null",
        ),
        pytest.param(
            "signer: Audit 1\nlisteners: [{}]\n",
            'signer.yml:1: signer is "Audit 1"',
            "It has to be a name of a-z, 0-9, dot, underscore and hyphen",
            id="name of the signer",
        ),
        pytest.param(
            "signer: 2026\nlisteners: [{}]\n",
            "signer.yml:1: signer is 2026",
            "It has to be a name of a-z",
            id="name that YAML reads as a number",
        ),
        pytest.param(
            BASE + "routing: {tenant: a/b}\n",
            'signer.yml:4: routing.tenant is "a/b"',
            "It has to be a name of a-z",
            id="name of a tenant",
        ),
        pytest.param(
            "listeners: [{}]\n",
            "signer.yml:1: the setting signer is missing",
            "It is a name of a-z",
            id="missing setting",
        ),
        pytest.param(
            BASE + "  ssl:\n    certificate: a.crt\n",
            "signer.yml:4: the setting listeners[0].ssl.key is missing",
            "It is the path of a file or folder.",
            id="missing setting of a listener",
        ),
        pytest.param(
            "signer: a\nlisteners: []\n",
            "signer.yml:2: listeners is []",
            "It has to be a list of at least one listener.",
            id="no listener",
        ),
        pytest.param(
            "signer: a\nlisteners: {}\n",
            "signer.yml:2: listeners is {}",
            "It has to be a list of at least one listener.",
            id="mapping for a list",
        ),
        pytest.param(
            BASE + "sealing:\n",
            "signer.yml:4: sealing is empty",
            "It has to be a mapping with keys of these: max_entries, max_bytes",
            id="section without settings",
        ),
        pytest.param(
            "signer: a\nlisteners:\n- {}\n- address: 5044\n",
            "signer.yml:4: listeners[1].address is 5044",
            "It has to be a host and a port, as host:port",
            id="port for an address",
        ),
        pytest.param(
            "signer: a\nlisteners:\n- address: ':::5044'\n",
            "signer.yml:3: listeners[0].address: ':::5044' is not an address",
            "Write host:port, such as 0.0.0.0:5044 or '[::]:5044'.",
            id="IPv6 address without brackets",
        ),
        pytest.param(
            "signer: a\nlisteners:\n- address: a:65536\n",
            "signer.yml:3: listeners[0].address: port 65536 is above 65535",
            "Beats expect a receiver on port 5044.",
            id="port that does not exist",
        ),
        pytest.param(
            BASE + "- address: 127.0.0.1:5044\n",
            "signer.yml:1: the file as a whole: two listeners have the address "
            "127.0.0.1:5044",
            "Give each listener an address of its own.",
            id="address twice",
        ),
        pytest.param(
            BASE + "  ssl: {certificate: c, key: k}\n",
            "signer.yml:4: listeners[0].ssl: client_authentication is required, "
            "certificate_authorities are none",
            "Name the authority of your senders",
            id="certificates required of nobody's authority",
        ),
        pytest.param(
            BASE + "  ssl: {certificate: c, key: k, certificate_authorities: [a],\n"
            "        client_authentication: none}\n",
            "signer.yml:4: listeners[0].ssl: certificate_authorities are named, "
            "client_authentication is none",
            "Take the authorities away, or ask senders for certificates.",
            id="authority without authentication",
        ),
        pytest.param(
            BASE + "  ssl: {certificate: c, key: k, client_authentication: maybe}\n",
            'signer.yml:4: listeners[0].ssl.client_authentication is "maybe"',
            "It has to be one of none, optional, required.",
            id="one of several words",
        ),
        pytest.param(
            BASE + "  ssl: {certificate: c, key: k, supported_protocols: [TLSv1.1]}\n",
            'signer.yml:4: listeners[0].ssl.supported_protocols[0] is "TLSv1.1"',
            "It has to be one of TLSv1.2, TLSv1.3.",
            id="version of TLS that is too old",
        ),
        pytest.param(
            BASE + "  ssl: {certificate: c, key: k, supported_protocols: []}\n",
            "signer.yml:4: listeners[0].ssl.supported_protocols is []",
            "It has to be a list of TLSv1.2, TLSv1.3 or both.",
            id="no version of TLS",
        ),
        pytest.param(
            BASE + "limits:\n  memory_bytes: 16777216\n",
            "signer.yml:4: limits: memory_bytes is 16777216, window_bytes is 134217728",
            "A window has to fit into memory",
            id="memory that holds no window",
        ),
        pytest.param(
            BASE + "state:\n",
            "signer.yml:4: state is empty",
            "It has to be the path of a file or folder.",
            id="path that is empty",
        ),
        pytest.param(
            "",
            "signer.yml:1: the file as a whole is empty",
            "It has to be a mapping with keys of these: signer, listeners",
            id="empty file",
        ),
        pytest.param(
            "signer: [\n",
            "signer.yml:2: expected the node content, but found '<stream end>'",
            "Each key once",
            id="not YAML",
        ),
        pytest.param(
            BASE + "state: !!python/object/apply:os.getcwd []\n",
            "signer.yml:4: the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'",
            "Each key once",
            id="YAML that runs code",
        ),
        pytest.param(
            BASE + "state: 2026-13-01\n",
            "signer.yml:4: '2026-13-01' cannot be read: month must be in 1..12",
            "Each key once",
            id="date that does not exist",
        ),
        pytest.param(
            BASE + "routing: " + "{rules: " * 40 + "}" * 40,
            "signer.yml:4: lists and mappings are nested too deep, or too large",
            "Each key once",
            id="deep nesting",
        ),
        pytest.param(
            BASE + "routing: " + "[" * 5000 + "]" * 5000,
            "signer.yml: lists and mappings are nested too deep",
            "No setting needs more than a few levels.",
            id="nesting too deep to be parsed",
        ),
        pytest.param(
            BASE + "routing: &all\n  rules: *all\n",
            "signer.yml:4: lists and mappings are nested too deep, or too large",
            "Each key once",
            id="alias of itself",
        ),
        pytest.param(
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{one}: &{one} [{','.join(['*' + before] * 10)}]\n"
                for before, one in pairwise("abcdefg")
            ),
            "signer.yml:1: lists and mappings are nested too deep, or too large",
            "Each key once",
            id="aliases that grow",
        ),
        pytest.param(
            BASE + "limits: {<<: [1]}\n",
            "signer.yml:4: what << takes in is not a mapping",
            "Each key once",
            id="merge of no mapping",
        ),
        pytest.param(
            BASE + "routing: {rules: [{when: {fields: {a.b: [1]}}}]}\n",
            'signer.yml:4: routing.rules[0].when.fields is {"a.b": [1]}',
            "It has to be a mapping of fields of events to lists of texts.",
            id="number for a text in a free mapping",
        ),
        pytest.param(
            "signer: a\x00\n",
            "signer.yml is not YAML: unacceptable character #x0000",
            "Save the file as plain text without control characters.",
            id="control character",
        ),
        pytest.param(
            b"signer: \xff\n",
            "signer.yml: byte 8 is not UTF-8",
            "Save the file as UTF-8 text.",
            id="not UTF-8",
        ),
    ],
)
def test_what_does_not_fit_is_explained(
    tmp_path: Path, text: str | bytes, message: str, hint: str
) -> None:
    error = refusal(tmp_path, text)

    assert str(error).startswith(message)
    assert error.hint.startswith(hint)


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    error = refusal(tmp_path, f"signer: {'A' * 5000}\nlisteners: [{{}}]\n")

    assert len(str(error)) < 100


def test_a_mapping_can_take_in_another_and_change_it(tmp_path: Path) -> None:
    config = load(
        write(
            tmp_path,
            "signer: audit-1\nlisteners:\n"
            "- &first\n  address: 127.0.0.1:1\n"
            "  ssl: {certificate: a, key: b, certificate_authorities: [c]}\n"
            "- <<: *first\n  address: 127.0.0.1:2\n",
        )
    )

    assert [one.address.port for one in config.listeners] == [1, 2]
    assert config.listeners[1].ssl == config.listeners[0].ssl


def test_a_missing_file_names_init(tmp_path: Path) -> None:
    path = tmp_path / "nothing.yml"

    with pytest.raises(ConfigError, match=f"no configuration file {path}") as caught:
        load(path)

    assert "beats-signer init" in caught.value.hint


def test_a_folder_is_not_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot read the configuration file .*: Is a"
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("a", "audit-1", "a.b_c-d", "9", "a/b", "a" * 64, "x/" + "a" * 64),
        *("", "A", "-a", "a//b", "/a", "a/", "a b", "é", "a\n", "a" * 65, "a+b"),
    ],
)
def test_a_signer_name_is_what_an_origin_accepts(name: str) -> None:
    assert accepts_setting(name) == accepts_origin(name)


def accepts_setting(name: str) -> bool:
    try:
        msgspec.convert(name, SignerName)
    except msgspec.ValidationError:
        return False
    return True


def accepts_origin(name: str) -> bool:
    try:
        check_signer(name)
    except FormatError:
        return False
    return True


def test_every_limit_of_the_wire_is_a_setting_with_the_same_default() -> None:
    assert LimitsConfig().for_wire() == Limits()
    names = {field.name for field in dataclasses.fields(Limits)}
    assert names <= set(LimitsConfig.__struct_fields__)


def test_a_limit_that_is_set_reaches_the_wire() -> None:
    assert LimitsConfig(json_bytes=2048).for_wire() == Limits(json_bytes=2048)


class TestTemplate:
    def uncommented(self, *, tls: bool) -> str:
        """Return the template with every setting in force; prose stays a comment."""
        text = build_configuration("audit-1", tls=tls)
        of_ssl = r"(?<=^ {6})# (?=[a-z_]+: )"
        return re.sub(rf"^#(?=(  )?[a-z_]+:)|{of_ssl}", "", text, flags=re.M)

    def test_it_is_valid_as_it_is(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, build_configuration("audit-1", tls=True)))

        assert config.listeners[0].ssl is not None
        assert config.listeners[0].ssl.client_authentication == "required"

    def test_without_tls_it_listens_to_this_host_alone(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, build_configuration("audit-1", tls=False)))

        assert config.listeners[0].address.host == "127.0.0.1"

    def test_its_comments_are_the_defaults(self, tmp_path: Path) -> None:
        template = build_configuration("audit-1", tls=False)
        plain = load(write(tmp_path, template))

        full = load(write(tmp_path, self.uncommented(tls=False)))

        assert full == plain

    def test_its_comments_name_every_setting(self, tmp_path: Path) -> None:
        text = self.uncommented(tls=True) + examples()
        named = set(re.findall(r"^[ #-]*([a-z_]+):", text, re.M))

        assert setting_names(Config) <= named

    def test_its_examples_are_valid(self, tmp_path: Path) -> None:
        template = build_configuration("audit-1", tls=False)

        config = load(write(tmp_path, template + examples()))

        assert config.elasticsearch is not None
        assert len(config.routing.rules) == 2

    @pytest.mark.parametrize("signer", ["1e3", "null", "2026", "no", "1_0"])
    def test_a_name_that_yaml_would_misread_stays_a_name(
        self, tmp_path: Path, signer: str
    ) -> None:
        config = load(write(tmp_path, build_configuration(signer, tls=True)))

        assert config.signer == signer


def examples() -> str:
    """Return what the template shows and no signer has by itself."""
    lines = build_configuration("audit-1", tls=True).splitlines()
    return "".join(f"{line[3:]}\n" for line in lines if line.startswith("## "))


def setting_names(kind: type) -> set[str]:
    """Return the keys that a configuration can have at any depth."""
    names: set[str] = set()
    pending = [msgspec.inspect.type_info(kind)]
    while pending:
        match pending.pop():
            case msgspec.inspect.StructType(fields=fields):
                names |= {field.encode_name for field in fields}
                pending += [field.type for field in fields]
            case msgspec.inspect.Metadata(type=inner):
                pending.append(inner)
            case msgspec.inspect.VarTupleType(item_type=inner):
                pending.append(inner)
            case msgspec.inspect.UnionType(types=choices):
                pending += choices
    return names
