import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from beats_signer.chain.encoding import (
    build_json,
    check_bytes,
    check_number,
    convert,
    decode_base64,
    decode_hex,
    decode_utf8,
    encode_base64,
    parse_number,
    parse_object,
    shown,
)
from beats_signer.chain.errors import FormatError


@given(st.binary(max_size=100))
def test_base64_and_hex_read_what_they_write(value: bytes) -> None:
    assert decode_base64(encode_base64(value), "value", None) == value
    assert decode_hex(value.hex(), "value", len(value)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AB==", "value 'AB==' is not canonical base64"),
        ("AA", "value 'AA' is not base64"),
        ("AA=", "value 'AA=' is not base64"),
        ("AA==\n", "value 'AA==\\n' is not canonical base64"),
        ("AA==AA==", "value 'AA==AA==' is not canonical base64"),
        ("A A==", "value 'A A==' is not canonical base64"),
        ("A\r\nA==", "value 'A\\r\\nA==' is not canonical base64"),
        ("-_==", "value '-_==' is not canonical base64"),
        ("=", "value '=' is not canonical base64"),
        ("\u0661A==", "value '\\u0661A==' is not base64"),
        ("AAA=", "value has 2 bytes instead of 1"),
        ("", "value has 0 bytes instead of 1"),
    ],
)
def test_base64_has_one_spelling_and_one_size(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode_base64(text, "value", 1)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["AB", "a", "abc", "0x", " a", "a\n", "\u0661\u0661"])
def test_hex_is_lower_case_and_has_one_size(text: str) -> None:
    with pytest.raises(FormatError, match=r"is not 2 lower-case hex digits"):
        decode_hex(text, "value", 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "00", "01", "-1", "-0", "+1", " 1", "1 ", "1\n", "1_0", "1.0", "1e3"),
        *("0x1", "\u0661", "281474976710656", "9" * 15, "9" * 5000),
    ],
)
def test_number_is_decimal_without_leading_zeros_below_2_48(text: str) -> None:
    with pytest.raises(FormatError, match=r"^seal .* is not a decimal number below 2"):
        parse_number(text, "seal")


@pytest.mark.parametrize("value", [0, 1, 10, (1 << 48) - 1])
def test_number_reads_what_is_written(value: int) -> None:
    assert parse_number(str(value), "seal") == value


@pytest.mark.parametrize("value", [-1, 1 << 48])
def test_number_outside_its_bounds_is_refused(value: int) -> None:
    with pytest.raises(FormatError) as caught:
        check_number(value, "index")
    assert str(caught.value) == f"index {value} is not between 0 and 281474976710655"


def test_bytes_of_another_size_are_refused() -> None:
    with pytest.raises(FormatError, match=r"^root has 31 bytes instead of 32$"):
        check_bytes(bytes(31), "root")


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    with pytest.raises(FormatError, match=r"^record is not UTF-8 at byte 1$"):
        decode_utf8(b"a\xff", "record")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":1,"a":1}', "body: key 'a' occurs twice"),
        ('{"b":{"a":1,"\\u0061":2}}', "body: key 'a' occurs twice"),
        ('{"a":1.0}', "body: number '1.0' is not a decimal number below 2^48"),
        ('{"a":1e3}', "body: number '1e3' is not a decimal number below 2^48"),
        ('{"a":-1}', "body: number '-1' is not a decimal number below 2^48"),
        ('{"a":-0}', "body: number '-0' is not a decimal number below 2^48"),
        ('{"a":NaN}', "body: number 'NaN' is not a decimal number below 2^48"),
        ('{"a":-Infinity}', "body: number '-Infinity' is not a decimal number"),
        ('{"a":281474976710656}', "body: number '281474976710656' is not a decimal"),
        ('{"a":01}', "body is not valid JSON: Expecting ',' delimiter"),
        ("", "body is not valid JSON: Expecting value"),
        ("{", "body is not valid JSON: Expecting property name"),
        ("{} {}", "body is not valid JSON: Extra data"),
        ("{}x", "body is not valid JSON: Extra data"),
        ("{}\0", "body is not valid JSON: Extra data"),
        ("\ufeff{}", "body is not valid JSON: Expecting value"),
        ('{"a":"\n"}', "body is not valid JSON: Invalid control character"),
        ('{"a":"\\ud800"}', "body is not valid JSON: 'utf-8' codec can't encode"),
        ('{"\\udfff":1}', "body is not valid JSON: 'utf-8' codec can't encode"),
        ('{"a":"\ud800"}', "body is not valid JSON: 'utf-8' codec can't encode"),
        ("[]", "body is not a JSON object"),
        ("null", "body is not a JSON object"),
        ('"{}"', "body is not a JSON object"),
        ('{"a":' + "[" * 100_000, "body is not valid JSON: maximum recursion depth"),
    ],
)
def test_json_with_two_readings_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=r"^" + re.escape(message)):
        parse_object(text, "body")


def test_json_may_have_whitespace_and_pairs_of_surrogates() -> None:
    text = ' {"b" : "\\ud83d\\ude00\u00e9",\r\n"a":[0,true,null]} '
    assert parse_object(text, "body") == {
        "b": "\U0001f600\u00e9",
        "a": [0, True, None],
    }


class Pair(Struct, forbid_unknown_fields=True):
    number: int
    text: str = ""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"number": True}, "body: Expected `int`, got `bool` - at `$.number`"),
        ({"number": "1"}, "body: Expected `int`, got `str` - at `$.number`"),
        ({"number": None}, "body: Expected `int`, got `null` - at `$.number`"),
        ({}, "body: Object missing required field `number`"),
        ({"number": 1, "x": 1}, "body: Object contains unknown field `x`"),
        ({"number": 1, "text": 1}, "body: Expected `str`, got `int` - at `$.text`"),
    ],
)
def test_members_are_of_the_declared_names_and_types(
    value: object, message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        convert(value, Pair, "body")
    assert str(caught.value) == message


def test_text_that_is_not_unicode_cannot_be_built() -> None:
    with pytest.raises(FormatError, match=r"^body has a text that is not Unicode$"):
        build_json(Pair(1, "\ud800"), "body")


@pytest.mark.parametrize("value", ["x" * 10_000, b"\xff" * 10_000, 10**3000])
def test_a_long_value_is_cut_in_a_message(value: object) -> None:
    assert len(shown(value)) == 60
    assert shown(value).endswith("...")
