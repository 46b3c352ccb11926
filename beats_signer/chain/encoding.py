"""Read and write the one accepted spelling of numbers, bytes and JSON objects.

Two spellings of one value would be two texts with two hashes, so everything
here accepts exactly what it would itself write. JSON is the exception: it is
hashed as it stands, so whitespace and the order of keys are free, but a key
twice, a float, a negative number and half a surrogate pair are refused.
"""

import binascii
import json
import re
from typing import NoReturn, TypeVar

import msgspec

from beats_signer.chain.errors import FormatError

__all__ = [
    "HASH_BYTES",
    "NUMBER_LIMIT",
    "build_json",
    "check_bytes",
    "check_number",
    "convert",
    "decode_base64",
    "decode_hex",
    "decode_utf8",
    "encode_base64",
    "parse_number",
    "parse_object",
    "shown",
]

NUMBER_LIMIT = 1 << 48
"""Every number of the format is below this."""

HASH_BYTES = 32
"""Bytes of a hash and of an Ed25519 public key."""

Schema = TypeVar("Schema")

_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_HEX = re.compile(r"[0-9a-f]*")


def shown(value: object) -> str:
    """Return ``value`` for a message: quoted, escaped, at most 60 characters."""
    text = ascii(value[:61] if isinstance(value, str | bytes) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_number(value: int, noun: str, limit: int = NUMBER_LIMIT) -> None:
    """Refuse a number that is negative or not below ``limit``."""
    if not 0 <= value < limit:
        raise FormatError(f"{noun} {shown(value)} is not between 0 and {limit - 1}")


def check_bytes(value: bytes, noun: str, size: int = HASH_BYTES) -> None:
    """Refuse bytes of another length than ``size``."""
    if len(value) != size:
        raise FormatError(f"{noun} has {len(value)} bytes instead of {size}")


def parse_number(text: str, noun: str) -> int:
    """Parse a decimal number below 2^48 without sign or leading zeros."""
    if not _NUMBER.fullmatch(text) or int(text) >= NUMBER_LIMIT:
        raise FormatError(f"{noun} {shown(text)} is not a decimal number below 2^48")
    return int(text)


def encode_base64(value: bytes) -> str:
    """Return the standard alphabet's spelling, padded, on one line."""
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def decode_base64(text: str, noun: str, size: int | None = HASH_BYTES) -> bytes:
    """Decode canonical base64 of ``size`` bytes; ``None`` allows any length."""
    try:
        value = binascii.a2b_base64(text)
    except ValueError as error:
        raise FormatError(f"{noun} {shown(text)} is not base64") from error
    if encode_base64(value) != text:
        raise FormatError(f"{noun} {shown(text)} is not canonical base64")
    if size is not None:
        check_bytes(value, noun, size)
    return value


def decode_hex(text: str, noun: str, size: int = HASH_BYTES) -> bytes:
    """Decode ``size`` bytes spelled as lower-case hex digits."""
    if len(text) != 2 * size or not _HEX.fullmatch(text):
        raise FormatError(
            f"{noun} {shown(text)} is not {2 * size} lower-case hex digits"
        )
    return bytes.fromhex(text)


def decode_utf8(value: bytes, noun: str) -> str:
    """Decode strict UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{noun} is not UTF-8 at byte {error.start}") from error


def parse_object(text: str, noun: str) -> dict[str, object]:
    """Parse one JSON object; refuse what has two readings.

    A key twice at any depth, a float, ``NaN``, a number that is negative or
    not below 2^48, half a surrogate pair, nesting beyond the interpreter's
    stack, and anything but whitespace around the object are errors.
    """
    try:
        value = _DECODER.decode(text)
        if "\\u" in text or not text.isascii():
            _refuse_surrogates(text, value)
    except FormatError as error:
        raise FormatError(f"{noun}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{noun} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise FormatError(f"{noun} is not a JSON object")
    return value


def convert(value: object, schema: type[Schema], noun: str) -> Schema:
    """Return parsed JSON as ``schema``, strictly typed."""
    try:
        return msgspec.convert(value, schema)
    except msgspec.ValidationError as error:
        raise FormatError(f"{noun}: {error}") from error


def build_json(value: object, noun: str) -> str:
    """Return a msgspec ``Struct`` as compact JSON, keys in declared order."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError as error:
        raise FormatError(f"{noun} has a text that is not Unicode") from error


def _refuse_surrogates(text: str, value: object) -> None:
    text.encode("utf-8")
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise FormatError(f"key {shown(key)} occurs twice")
        members[key] = value
    return members


def _parse_json_number(text: str) -> int:
    return parse_number(text, "number")


def _refuse_number(text: str) -> NoReturn:
    raise FormatError(f"number {shown(text)} is not a decimal number below 2^48")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_parse_json_number,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
