"""Take the signed object out of a document, in as few bytes as it can have."""

import binascii
import json
from typing import Final

import msgspec
from msgspec import Raw

from beats_signer.store.elasticsearch.document import RESERVED

__all__ = ["shorten", "take_signed"]

_HEAD: Final = b'{"%b":' % RESERVED.encode()
_PAYLOAD: Final = "payload"


def take_signed(document: bytes) -> bytes:
    """Return the document from its start to the end of the signed object."""
    text = document.decode()
    _, end = json.JSONDecoder().raw_decode(text, len(_HEAD))
    return text[:end].encode()


def shorten(signed: bytes) -> bytes:
    """Return what ``take_signed`` gave with its payload in base64, if that is shorter.

    So no document has to be larger than four thirds of its payload, whatever in it
    would have to be escaped.
    """
    members = msgspec.json.decode(signed[len(_HEAD) :], type=dict[str, Raw])
    if _PAYLOAD not in members:
        return signed
    escaped = bytes(members[_PAYLOAD])
    payload = msgspec.json.decode(escaped, type=str).encode()
    if 4 * len(payload) >= 3 * len(escaped):
        return signed
    encoded = b'"%b"' % binascii.b2a_base64(payload, newline=False)
    joined = b",".join(
        b'"%b_base64":%b' % (name.encode(), encoded)
        if name == _PAYLOAD
        else b'"%b":%b' % (name.encode(), bytes(value))
        for name, value in members.items()
    )
    return b"%b{%b}" % (_HEAD, joined)
