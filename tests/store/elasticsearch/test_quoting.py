"""What Elasticsearch says, without what it quotes of an event."""

import pytest

from beats_signer.store.elasticsearch.write.quoting import unquoted

VALUE = 'it\'s [a] "secret"'

REASONS = {
    "failed to parse field [code] of type [long] in document with id 'x'. "
    f"Preview of field's value: '{VALUE}': For input string: \"{VALUE}\"": (
        "failed to parse field [code] of type [long] in document with id '\u2026'"
    ),
    f'failed to parse: For input string: "{VALUE}"': (
        "failed to parse: For input string: '\u2026'"
    ),
    f"failed to parse date field [{VALUE}] with format [strict_date_time]": (
        "failed to parse date field [\u2026]"
    ),
    f"Failed to parse value [{VALUE}] as only [true] or [false] are allowed.": (
        "Failed to parse value [\u2026] are allowed."
    ),
    f"'{VALUE}' is not an IP string literal.": "'\u2026' is not an IP string literal.",
    f"Value [{VALUE}] is out of range for a long": (
        "Value [\u2026] is out of range for a long"
    ),
    "mapping set to strict, dynamic introduction of [beats_signer] within [_doc] is "
    "not allowed": (
        "mapping set to strict, dynamic introduction of [beats_signer] within [_doc] "
        "is not allowed"
    ),
    "Limit of total fields [1000] has been exceeded while adding new field [x]": (
        "Limit of total fields [\u2026] has been exceeded while adding new field [x]"
    ),
    "pipeline with id [web] does not exist": "pipeline with id [web] does not exist",
    "": "",
}


@pytest.mark.parametrize("reason", REASONS)
def test_no_value_of_an_event_is_left(reason: str) -> None:
    said = unquoted(reason)

    assert said == REASONS[reason]
    assert "secret" not in said
