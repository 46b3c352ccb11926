import base64
import json
from typing import Any

import pytest

from beats_signer.chain.errors import FormatError
from beats_signer.chain.founding import Found, Predecessor
from beats_signer.chain.note import VerifierKey
from tests.chain.samples import IDENTITY, ORIGIN, SIGNER, public_key

KEY = public_key("0")
PREDECESSOR = Predecessor(ORIGIN, b"c" * 32, 41, b"h" * 32)
JSON = {
    "identity": str(IDENTITY),
    "key": base64.b64encode(KEY).decode(),
    "salt_bytes": 16,
    "predecessor": {
        "origin": ORIGIN,
        "chain": base64.b64encode(b"c" * 32).decode(),
        "number": 41,
        "hash": base64.b64encode(b"h" * 32).decode(),
    },
    "retention_days": 730,
}


def test_founding_is_written_in_the_order_of_the_vectors() -> None:
    found = Found(IDENTITY, KEY, 16, PREDECESSOR, 730)
    assert found.to_json() == json.dumps(JSON, separators=(",", ":"))


@pytest.mark.parametrize(
    "found",
    [
        Found(IDENTITY, KEY, 0),
        Found(IDENTITY, KEY, 16, PREDECESSOR, 1),
        Found(IDENTITY, KEY, 0, heartbeat_seconds=60),
        Found(IDENTITY, KEY, 0, Predecessor("old", bytes(32), 0, bytes(32))),
    ],
)
def test_founding_reads_as_it_is_written(found: Found) -> None:
    assert Found.parse(found.to_json()) == found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": 1}, "body of a founding: Object contains unknown field `x`"),
        ({"key": None}, "body of a founding: Expected `str`, got `null` - at `$.key`"),
        ({"key": "AA=="}, "key has 1 bytes instead of 32"),
        (
            {"key": "A" * 43 + "="},
            "key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ha",
        ),
        ({"identity": "x"}, "vkey 'x' is not <name>+<key id>+<key>"),
        ({"identity": str(VerifierKey("A", KEY))}, "signer 'A' has a part that is not"),
        ({"salt_bytes": 8}, "salt_bytes 8 is neither 0 nor 16"),
        ({"salt_bytes": True}, "body of a founding: Expected `int`, got `bool`"),
        (
            {"predecessor": {}},
            "body of a founding: Object missing required field `orig",
        ),
        (
            {"predecessor": []},
            "body of a founding: Expected `object | null`, got `array",
        ),
        ({"retention_days": 0}, "retention_days 0 is less than a day"),
        (
            {"retention_days": "1"},
            "body of a founding: Expected `int | null`, got `str",
        ),
        (
            {"retention_days": 1 << 48},
            "body of a founding: number '281474976710656' is",
        ),
        (
            {"heartbeat_seconds": 60},
            "body of a founding needs one of retention_days an",
        ),
    ],
)
def test_a_malformed_founding_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Found.parse(json.dumps(JSON | changes))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"origin": "a b"}, "signer 'a b' has a part that is not"),
        ({"chain": "c" * 64}, "chain of the predecessor has 48 bytes instead of 32"),
        ({"hash": ""}, "hash of the predecessor has 0 bytes instead of 32"),
        ({"number": -1}, "body of a founding: number '-1' is not a decimal number"),
        (
            {"x": 1},
            "body of a founding: Object contains unknown field `x` - at `$.pred",
        ),
    ],
)
def test_a_malformed_predecessor_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    predecessor = dict(JSON["predecessor"]) | changes  # type: ignore[call-overload]
    with pytest.raises(FormatError) as caught:
        Found.parse(json.dumps(JSON | {"predecessor": predecessor}))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", list(JSON))
def test_a_founding_needs_every_key(key: str) -> None:
    members = {name: value for name, value in JSON.items() if name != key}
    with pytest.raises(
        FormatError, match=r"^body of a founding(: Object miss| needs )"
    ):
        Found.parse(json.dumps(members))


def test_a_heartbeat_is_a_second_at_least() -> None:
    with pytest.raises(
        FormatError, match=r"^heartbeat_seconds 0 is less than a second"
    ):
        Found(IDENTITY, KEY, 0, heartbeat_seconds=0)


def test_a_catalogue_has_no_retention() -> None:
    with pytest.raises(
        FormatError, match=r"^founding with retention_days and heartbea"
    ):
        Found(IDENTITY, KEY, 0, retention_days=1, heartbeat_seconds=60)


def test_a_key_twice_is_refused() -> None:
    text = json.dumps(JSON)[:-1] + ',"salt_bytes":0}'
    with pytest.raises(FormatError, match=r"^body of a founding: key 'salt_bytes' occ"):
        Found.parse(text)


def test_identity_is_named_by_the_signer() -> None:
    assert Found(IDENTITY, KEY, 0).identity.name == SIGNER
