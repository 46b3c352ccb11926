"""Whatever stands in the files: a configuration, or an error that explains itself."""

from contextlib import suppress
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beats_signer.config import Config, load
from beats_signer.errors import ConfigError, UsageError
from beats_signer.settings.document import parse_document
from beats_signer.template import build_configuration
from tests.config.files import BASE, drop_in, write
from tests.config.test_config import examples, setting_names

TEMPLATE = build_configuration("audit-1", tls=True) + examples()
KEYS = sorted(setting_names(Config))

keys = st.one_of(
    st.sampled_from(KEYS),
    st.lists(st.sampled_from(KEYS), min_size=2, max_size=3).map(".".join),
    st.text(max_size=5),
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["${A}", "${A:1}", "x${B}", "$${A}", "${", "${a b}", "[::]:1"]),
        st.dates(),
        st.binary(max_size=4),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)
several = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def try_to_load(path: Path, *overrides: str, **environment: str) -> None:
    """Load a configuration; an error has a message and a hint."""
    try:
        load(path, overrides, environment=environment)
    except ConfigError as error:
        assert str(error)
        assert error.hint


@several
@given(values)
def test_any_value_as_a_file(tmp_path: Path, value: object) -> None:
    try_to_load(write(tmp_path, yaml.safe_dump(value, allow_unicode=True)), A="1")


@several
@given(st.dictionaries(keys, values, max_size=4), st.text(max_size=8))
def test_any_settings_beside_good_ones(
    tmp_path: Path, added: dict[str, object], content: str
) -> None:
    drop_in(tmp_path, "a.yml", yaml.safe_dump(added, allow_unicode=True))

    try_to_load(write(tmp_path, BASE), A=content, B=content)


@several
@given(keys, values)
def test_any_override(tmp_path: Path, key: str, value: object) -> None:
    text = yaml.safe_dump(value, default_flow_style=True).partition("\n...")[0]

    with suppress(UsageError):
        try_to_load(write(tmp_path, TEMPLATE), f"{key}={text}", A="1")


@several
@given(st.data())
def test_a_template_with_a_piece_that_is_another(
    tmp_path: Path, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(TEMPLATE)))
    last = data.draw(st.integers(first, min(first + 40, len(TEMPLATE))))
    piece = data.draw(st.text(max_size=20))

    text = TEMPLATE[:first] + piece + TEMPLATE[last:]

    try_to_load(write(tmp_path, text.encode(errors="surrogatepass")))


@several
@given(st.text())
def test_any_text_is_parsed_or_explained(text: str) -> None:
    try:
        parse_document(text, "any.yml")
    except ConfigError as error:
        assert str(error).startswith("any.yml")
