from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import FormatError
from beats_signer.chain.origin import (
    Origin,
    check_name,
    check_origin,
    check_signer,
    is_catalogue,
    signer_of,
)
from tests.chain.samples import ORIGIN, SIGNER

PART = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)


@given(st.lists(PART, min_size=1, max_size=3), PART, PART, st.integers(0, 253402300799))
def test_every_origin_reads_as_it_is_written(
    parts: list[str], tenant: str, stream: str, founded: int
) -> None:
    origin = Origin("/".join(parts), tenant, stream, founded)
    assert Origin.parse(str(origin)) == origin
    assert signer_of(str(origin)) == origin.signer
    assert not is_catalogue(str(origin))


def test_origin_of_the_design_is_read() -> None:
    origin = Origin.parse(ORIGIN)
    assert origin == Origin(SIGNER, "acme", "audit", 1_795_424_400)


def test_a_taken_origin_is_founded_at_the_next_second() -> None:
    origin = Origin.parse("s/t/x/20261231T235959Z")
    taken = replace(origin, founded=origin.founded + 1)
    assert str(taken) == "s/t/x/20270101T000000Z"


@pytest.mark.parametrize("name", [SIGNER, "a/b/c/d", "0", "eu.west/z"])
def test_a_name_without_a_founding_second_is_a_catalogue(name: str) -> None:
    check_origin(name)
    assert is_catalogue(name)
    assert signer_of(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "A", "-a", ".a", "_a", "a b", "a+b", "a\n", "a\r", "a/", "/a", "a//b"),
        *("a" * 65, "\u00e9", "a\u2028", "a\x00", "\u0661", "\ud800"),
    ],
)
def test_a_signer_has_parts_of_the_allowed_letters(name: str) -> None:
    with pytest.raises(FormatError, match=r"^signer .* has a part that is not "):
        check_signer(name)


@pytest.mark.parametrize("name", ["", "a/b", "A", "a" * 65, "a\n"])
def test_tenant_and_stream_are_one_part(name: str) -> None:
    with pytest.raises(FormatError, match=r"^tenant .* does not match "):
        check_name(name, "tenant")
    with pytest.raises(FormatError, match=r"^tenant .* does not match "):
        Origin("s", name, "x", 0)
    with pytest.raises(FormatError, match=r"^stream .* does not match "):
        Origin("s", "t", name, 0)


@pytest.mark.parametrize(
    "text",
    [
        "t/x/20261123T090000Z",
        "s/t/x/20261123T090000",
        "s/t/x/20261123t090000z",
        "s/t/x/20261123T0900000Z",
        "s/t/x/20261123T090000Z\n",
        "s/t/x/20261123T090000Z/y",
        "S/t/x/20261123T090000Z",
        "s/t/x/2026-11-23T09:00:00Z",
        "/t/x/20261123T090000Z",
    ],
)
def test_another_spelling_of_an_origin_is_refused(text: str) -> None:
    with pytest.raises(
        FormatError, match=r"is not <signer>/<tenant>/<stream>/<founded"
    ):
        Origin.parse(text)


@pytest.mark.parametrize("second", ["20260229T090000Z", "20261123T240000Z"])
def test_a_founding_second_that_does_not_exist_is_refused(second: str) -> None:
    with pytest.raises(FormatError, match=f"^second of 's/t/x/{second}' does not exi"):
        Origin.parse(f"s/t/x/{second}")


@pytest.mark.parametrize("founded", [-1, 253402300800])
def test_a_founding_second_without_a_spelling_is_refused(founded: int) -> None:
    with pytest.raises(FormatError, match=r"^founded -?[0-9]+ is outside the years 19"):
        Origin("s", "t", "x", founded)


def test_neither_catalogue_nor_chain_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^signer 'a b' has a part"):
        check_origin("a b")
    with pytest.raises(FormatError, match=r"^origin 'fooZ' is not <signer>"):
        check_origin("fooZ")
