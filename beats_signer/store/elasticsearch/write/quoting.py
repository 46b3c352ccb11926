"""Take out of what Elasticsearch says about an event what it quotes of it.

Its reasons name fields, types and pipelines, which help; where it cannot parse a
value it quotes that, too. What is logged and shown must not hold it. The whole
reason stands in the document, beside the payload.
"""

import re

__all__ = ["unquoted"]

_PREVIEW = re.compile(r"\.? ?Preview of field's value.*", re.S)
_QUOTED = re.compile(r"'.*'|\".*\"", re.S)
_BRACKETS = re.compile(
    r"(?P<known>\b(?:field|type|within|of|pipeline|processor|index|id|tag|limit) )?"
    r"\[(?P<what>[^\]]*)\]"
)
_VALUES = re.compile(r"(?i)\b(?:date field|values?|string|number|text) \[.*\]", re.S)


def unquoted(reason: str) -> str:
    """Return a reason without anything that may be a value of the event.

    What stands in quotes, or in brackets that do not follow the name of something
    of Elasticsearch, is replaced by an ellipsis.
    """
    text = _PREVIEW.sub("", reason)
    text = _QUOTED.sub("'\u2026'", text)
    text = _VALUES.sub(lambda found: f"{found[0].partition('[')[0]}[\u2026]", text)
    return _BRACKETS.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    return found[0] if found["known"] else "[\u2026]"
