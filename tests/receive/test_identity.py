"""Who a sender is, read from its certificate."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.receive.identity import Identity, identify
from beats_signer.receive.issuer import issuer_of

NOW = datetime.now(UTC)


def certificate(
    common: str | None,
    alternatives: Sequence[x509.GeneralName] = (),
    organizations: Sequence[str] = (),
) -> bytes:
    """Return a certificate, as DER, with these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    kinds = x509.NameOID
    attributes = [
        x509.NameAttribute(kinds.ORGANIZATION_NAME, name) for name in organizations
    ]
    if common:
        attributes.append(x509.NameAttribute(kinds.COMMON_NAME, common))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(AUTHORITY)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    if alternatives:
        names = x509.SubjectAlternativeName(alternatives)
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


AUTHORITY = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
URI = x509.UniformResourceIdentifier("spiffe://example.com/web-1")
DNS = x509.DNSName("web-1.example.com")
MAIL = x509.RFC822Name("root@example.com")


@pytest.mark.parametrize(
    ("common", "alternatives", "name"),
    [
        pytest.param("cn", [MAIL, DNS, URI], URI.value, id="URI first"),
        pytest.param("cn", [MAIL, DNS], DNS.value, id="then DNS"),
        pytest.param("cn", [DNS, x509.DNSName("b")], DNS.value, id="first DNS"),
        pytest.param("cn", [MAIL], "cn", id="then the common name"),
        pytest.param("cn", [], "cn", id="common name alone"),
        pytest.param("Zoë Müller", [], "Zoë Müller", id="beyond ASCII"),
        pytest.param("a\nb", [], None, id="line feed"),
        pytest.param("a\u202eb", [], None, id="reversed text"),
        pytest.param("cn", [x509.DNSName("d" * 256)], "cn", id="DNS too long"),
        pytest.param(None, [MAIL], None, id="no name"),
    ],
)
def test_the_name_comes_from_the_certificate(
    common: str, alternatives: list[x509.GeneralName], name: str | None
) -> None:
    der = certificate(common, alternatives)

    identity = identify(der)

    fingerprint = sha256(der).hexdigest()
    assert identity.name == (name or f"sha256:{fingerprint}")
    assert identity.certificate == fingerprint


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        (["cn", "dns", "uri"], "cn"),
        (["dns", "uri"], DNS.value),
        (["dns"], DNS.value),
        (["uri"], URI.value),
    ],
)
def test_the_order_of_names_can_be_set(sources: list[str], name: str) -> None:
    der = certificate("cn", [URI, DNS])

    assert identify(der, sources).name == name


def test_a_kind_of_name_that_is_not_asked_for_is_none() -> None:
    der = certificate("cn", [MAIL])

    assert identify(der, ["uri", "dns"]).name.startswith("sha256:")


@pytest.mark.parametrize(
    ("organizations", "found"),
    [([], None), (["Acme"], "Acme"), (["Acme", "Other"], "Acme"), (["a\0b"], None)],
)
def test_the_organization_is_the_first_of_the_subject(
    organizations: list[str], found: str | None
) -> None:
    assert identify(certificate("cn", (), organizations)).organization == found


def test_issuer_and_serial_say_which_certificate_of_which_authority_it_is() -> None:
    identity = identify(certificate("cn"))

    assert identity.issuer == issuer_of(AUTHORITY)
    assert identity.serial == 77


def test_a_certificate_that_cannot_be_parsed_is_named_by_its_fingerprint() -> None:
    fingerprint = sha256(b"no certificate").hexdigest()

    assert identify(b"no certificate") == Identity(f"sha256:{fingerprint}", fingerprint)


@pytest.mark.parametrize(
    ("spelling", "is_same"),
    [
        (b"\x0c\x09authority", True),
        (b"\x13\x09authority", True),
        (b"\x0c\x09Authority", True),
        (b"\x0c\x09authoritx", False),
    ],
    ids=["as it is", "another kind of string", "capital letter", "another name"],
)
def test_spellings_of_one_authority_are_the_same(
    spelling: bytes, is_same: bool
) -> None:
    other = SOUND.replace(b"\x0c\x09authority", spelling)

    assert (identify(other).issuer == identify(SOUND).issuer) == is_same


@given(st.data())
def test_a_damaged_certificate_still_has_a_fingerprint(data: st.DataObject) -> None:
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(SOUND) - 1))] = data.draw(
            st.integers(0, 255)
        )

    assert identify(bytes(damaged)).certificate == sha256(damaged).hexdigest()


def test_an_odd_serial_number_is_kept_without_a_word() -> None:
    odd = SOUND.replace(b"\x02\x01\x4d", b"\x02\x01\x00", 1)

    assert odd != SOUND
    assert identify(odd).serial == 0


def test_a_version_that_does_not_exist_is_no_certificate() -> None:
    damaged = SOUND.replace(b"\xa0\3\2\1\2", b"\xa0\3\2\1\7", 1)

    assert damaged != SOUND
    assert identify(damaged).issuer is None


SOUND = certificate("cn", [URI, DNS, MAIL], ["Acme"])
