import json
from dataclasses import replace
from typing import Any

import pytest

from beats_signer.chain.body import (
    BODY_BYTES,
    Body,
    ConfigBody,
    EmptyBody,
    EraseBody,
    EventsBody,
    Found,
    body_hash,
    check_indexes,
    parse_body,
)
from beats_signer.chain.errors import ChainError, FormatError, VerificationError
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.seal import Kind
from tests.chain.samples import IDENTITY, SIGNER, WINDOW, public_key, seal_with

STRANGER = VerifierKey("signer-2", public_key("identity"))
REPEATED = replace(WINDOW, events=0, same=39)
CATALOGUE = {"origin": SIGNER}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (ConfigBody(retention_days=365), '{"retention_days":365}'),
        (ConfigBody(retention_days=None), '{"retention_days":null}'),
        (ConfigBody(heartbeat_seconds=5), '{"heartbeat_seconds":5}'),
        (
            ConfigBody(identity=IDENTITY, heartbeat_seconds=5),
            f'{{"identity":"{IDENTITY}","heartbeat_seconds":5}}',
        ),
        (
            EraseBody((1, 5), "request", "dpo"),
            '{"indexes":[1,5],"reason":"request","author":"dpo"}',
        ),
        (EmptyBody(), "{}"),
    ],
)
def test_body_reads_as_it_is_written(
    body: ConfigBody | EraseBody | EmptyBody, text: str
) -> None:
    assert body.to_json() == text
    assert type(body).parse(text) == body


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (EventsBody((WINDOW,)), {}),
        (EventsBody((REPEATED, WINDOW)), {}),
        (EventsBody((replace(WINDOW, size=1, events=1),) * 2), {}),
        (EmptyBody(), CATALOGUE),
        (EmptyBody(), CATALOGUE | {"kind": Kind.HEARTBEAT}),
        (EmptyBody(), {"kind": Kind.CLOSE}),
        (ConfigBody(365), {"kind": Kind.CONFIG}),
        (ConfigBody(identity=IDENTITY), CATALOGUE | {"kind": Kind.CONFIG}),
        (EraseBody((0, 39), "", ""), {"kind": Kind.ERASE}),
        (Found(IDENTITY, public_key("0"), 0), {"kind": Kind.FOUND}),
        (
            Found(IDENTITY, public_key("0"), 0, heartbeat_seconds=1),
            CATALOGUE | {"kind": Kind.FOUND},
        ),
    ],
)
def test_each_kind_of_seal_has_its_body(body: Body, changes: dict[str, Any]) -> None:
    text = body.to_json()
    assert parse_body(seal_with(text, **changes), text) == body


@pytest.mark.parametrize(
    ("text", "changes", "error", "message"),
    [
        (
            EventsBody((replace(WINDOW, events=1),)).to_json(),
            {},
            VerificationError,
            "windows of seal 7 hold 1 events instead of 2",
        ),
        (
            EventsBody(()).to_json(),
            {},
            VerificationError,
            "windows of seal 7 hold 0 events instead of 2",
        ),
        (
            EventsBody((WINDOW, replace(REPEATED, same=40))).to_json(),
            {},
            VerificationError,
            "seal 7 repeats index 40, which does not come before it",
        ),
        ("{}", {}, FormatError, "body of events: Object missing required field `windo"),
        (
            EventsBody((WINDOW,)).to_json(),
            CATALOGUE,
            FormatError,
            "body has 1 keys instead of none",
        ),
        ('{"a":1}', {"kind": Kind.CLOSE}, FormatError, "body has 1 keys instead of no"),
        ("", {"kind": Kind.CLOSE}, FormatError, "body is not valid JSON: Expecting va"),
        (
            EraseBody((40,), "", "").to_json(),
            {"kind": Kind.ERASE},
            VerificationError,
            "seal 7 erases index 40, which does not come before it",
        ),
        (
            ConfigBody(365).to_json(),
            CATALOGUE | {"kind": Kind.CONFIG},
            VerificationError,
            "seal 7 of signer-1.example.com has the settings of another kind of chain",
        ),
        (
            ConfigBody(heartbeat_seconds=1).to_json(),
            {"kind": Kind.CONFIG},
            VerificationError,
            "seal 7 of signer-1.example.com/acme/audit/20261123T090000Z has the setti",
        ),
        (
            ConfigBody(identity=STRANGER).to_json(),
            CATALOGUE | {"kind": Kind.CONFIG},
            VerificationError,
            "seal 7 of signer-1.example.com has an identity named signer-2",
        ),
        (
            Found(STRANGER, public_key("0"), 0).to_json(),
            {"kind": Kind.FOUND},
            VerificationError,
            "seal 0 of signer-1.example.com/acme/audit/20261123T090000Z has an identi",
        ),
        (
            Found(IDENTITY, public_key("0"), 0).to_json(),
            CATALOGUE | {"kind": Kind.FOUND},
            VerificationError,
            "founding of signer-1.example.com has the settings of another kind of cha",
        ),
        (
            Found(IDENTITY, public_key("0"), 0, heartbeat_seconds=1).to_json(),
            {"kind": Kind.FOUND},
            VerificationError,
            "founding of signer-1.example.com/acme/audit/20261123T090000Z has the set",
        ),
    ],
)
def test_a_body_that_does_not_suit_its_seal_is_refused(
    text: str, changes: dict[str, Any], error: type[ChainError], message: str
) -> None:
    with pytest.raises(error) as caught:
        parse_body(seal_with(text, **changes), text)
    assert str(caught.value).startswith(message)


def test_a_body_is_the_one_that_its_seal_names() -> None:
    text = EventsBody((WINDOW,)).to_json()
    with pytest.raises(VerificationError, match=r"^body does not have the hash in sea"):
        parse_body(seal_with(text), text + " ")


def test_whitespace_and_order_of_keys_are_free_for_the_hash_covers_them() -> None:
    text = ' { "author":"a" , "indexes":[1] , "reason":"r" } '
    assert parse_body(seal_with(text, kind=Kind.ERASE), text) == EraseBody(
        (1,), "r", "a"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "config without a setting"),
        ('{"x":1}', "body of config: Object contains unknown field `x`"),
        ('{"retention_days":0}', "retention_days 0 is less than a day"),
        ('{"heartbeat_seconds":0}', "heartbeat_seconds 0 is less than a second"),
        ('{"heartbeat_seconds":null}', "body of config: Expected `int`, got `null`"),
        ('{"identity":"x"}', "vkey 'x' is not <name>+<key id>+<key>"),
        (
            f'{{"identity":"{VerifierKey("A", public_key("x"))}"}}',
            "signer 'A' has a part that is not",
        ),
        (
            '{"retention_days":1,"heartbeat_seconds":1}',
            "config of a catalogue with retention_days",
        ),
        ('{"retention_days":1,"retention_days":2}', "body of config: key 'retention_"),
    ],
)
def test_a_malformed_config_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        ConfigBody.parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indexes": []}, "indexes are empty"),
        ({"indexes": [2, 1]}, "index 1 does not ascend after 2"),
        ({"indexes": [1, 1]}, "index 1 does not ascend after 1"),
        ({"indexes": [-1]}, "body of erase: number '-1' is not a decimal number"),
        ({"indexes": ["1"]}, "body of erase: Expected `int`, got `str`"),
        ({"indexes": None}, "body of erase: Expected `array`, got `null`"),
        ({"reason": 1}, "body of erase: Expected `str`, got `int` - at `$.reason`"),
        ({"x": ""}, "body of erase: Object contains unknown field `x`"),
    ],
)
def test_a_malformed_erasure_is_refused(changes: dict[str, Any], message: str) -> None:
    members = {"indexes": [1], "reason": "", "author": ""} | changes
    with pytest.raises(FormatError) as caught:
        EraseBody.parse(json.dumps(members))
    assert str(caught.value).startswith(message)


def test_an_index_is_below_2_48() -> None:
    with pytest.raises(FormatError, match=r"^index 281474976710656 is not between 0 a"):
        check_indexes((1 << 48,))


def test_a_body_of_8_mib_is_the_largest() -> None:
    body_hash("x" * BODY_BYTES)
    with pytest.raises(FormatError, match=r"^body of 8388609 bytes exceeds the limit"):
        body_hash("x" * (BODY_BYTES + 1))


def test_the_size_of_a_body_counts_bytes() -> None:
    with pytest.raises(FormatError, match=r"^body of 8388610 bytes exceeds the limit"):
        body_hash("\u00e9" * (BODY_BYTES // 2 + 1))


def test_a_body_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^body is not Unicode at character 1$"):
        body_hash("x\ud800")
