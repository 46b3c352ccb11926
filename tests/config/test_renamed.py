"""Settings that users of Logstash and Beats know by another name."""

from pathlib import Path

import pytest
from msgspec import inspect

from beats_signer.config import Config
from beats_signer.declaration import inner_kind, is_list
from beats_signer.renamed import MOVED
from tests.config.files import BASE, refusal


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "  ssl_certificate: a.crt\n",
            "signer.yml:4: there is no setting listeners[0].ssl_certificate",
            "It is listeners.ssl.certificate here.",
        ),
        (
            "  ssl_verify_mode: force_peer\n",
            "signer.yml:4: there is no setting listeners[0].ssl_verify_mode",
            "It is listeners.ssl.client_authentication here. force_peer is required, "
            "peer is optional.",
        ),
        (
            "  port: 5044\n",
            "signer.yml:4: there is no setting listeners[0].port",
            "It is listeners.address here. Host and port are one: 0.0.0.0:5044.",
        ),
        (
            "  include_codec_tag: false\n",
            "signer.yml:4: there is no setting listeners[0].include_codec_tag",
            "Events are sealed as they come: nothing is added to them.",
        ),
        (
            "output.elasticsearch.hosts: [a]\n",
            "signer.yml:4: there is no setting output",
            "It is elasticsearch here. output.elasticsearch.hosts is",
        ),
        (
            "elasticsearch: {hosts: ['https://a'], password: hunter2}\n",
            "signer.yml:4: there is no setting elasticsearch.password",
            "It is elasticsearch.password_file here. Secrets stand in files.",
        ),
        (
            "  ssl: true\n",
            "signer.yml:4: listeners[0].ssl is true",
            "It has to be a mapping with keys of these: certificate, key,",
        ),
    ],
)
def test_a_name_from_elsewhere_is_answered_with_ours(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    error = refusal(tmp_path, BASE + text)

    assert str(error) == message
    assert error.hint.startswith(hint)


@pytest.mark.parametrize("place", sorted({place for place, _ in MOVED.values()}))
def test_every_setting_that_is_named_exists(place: str) -> None:
    kind: inspect.Type | None = inspect.type_info(Config)
    for step in place.split("."):
        while is_list(kind):
            kind = inner_kind(kind, 0)
        kind = inner_kind(kind, step)

    assert kind is not None
