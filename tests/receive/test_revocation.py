"""Revoked certificates: lists that are read, and senders that are refused by them."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from beats_signer.config import SendersConfig, TlsConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.identity import Identity, identify
from beats_signer.receive.refusal import Refusal, UnwelcomeError
from beats_signer.receive.revocation import (
    RevocationList,
    Revocations,
    load_revocations,
)
from tests.receive.issuing import DAY, NOW, Authority
from tests.receive.serving import Client, connect, serve

REFUSED = "the sender may not send, its connection is closed"
DISMISSED = "the sender may not send any longer, its connection is closed"
KEPT = "changed files cannot be used, what was read before stays in use"
CLOCK = int(NOW.timestamp() * 1e9)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


def naming(
    authority: Authority,
    *lists: Path,
    expired: Literal["refuse", "accept"] = "refuse",
    authorities: Sequence[Path] = (),
) -> TlsConfig:
    return authority.listener(
        certificate_revocation_lists=lists,
        expired_revocation_lists=expired,
        certificate_authorities=(authority.path, *authorities),
    )


def identity_of(path: Path) -> Identity:
    pem = path.read_bytes()
    return identify(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))


async def is_acknowledged(client: Client) -> bool:
    client.send(b"{}")
    return await client.receive_acks(1) == [1]


# Lists.


def test_a_revoked_certificate_is_found_and_no_other(authority: Authority) -> None:
    gone, here = authority.issue("gone"), authority.issue("here")
    revocations = load_revocations(naming(authority, authority.revoke(1, gone.serial)))

    revocations.check(identity_of(here.certificate))
    with pytest.raises(UnwelcomeError, match=r"was revoked, by .*revoked\.crl") as no:
        revocations.check(identity_of(gone.certificate))
    assert no.value.refusal is Refusal.REVOKED


def test_several_lists_in_one_file_are_all_read(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "second authority")
    gone = other.issue("gone")
    both = tmp_path / "both.crl"
    lists = authority.revoke(1), other.revoke(gone.serial)
    both.write_bytes(b"# a comment\n" + b"\n".join(p.read_bytes() for p in lists))

    revocations = load_revocations(naming(authority, both, authorities=[other.path]))

    assert len(revocations.lists) == 2
    with pytest.raises(UnwelcomeError):
        revocations.check(identity_of(gone.certificate))


def test_a_list_holds_for_its_own_authority_alone(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "second authority")
    theirs = other.issue("theirs")
    path = authority.revoke(theirs.serial)
    revocations = load_revocations(naming(authority, path, authorities=[other.path]))

    revocations.check(identity_of(theirs.certificate))


def test_senders_of_a_revoked_authority_are_refused(
    authority: Authority, tmp_path: Path
) -> None:
    middle = Authority(tmp_path / "tls", "middle", above=authority)
    theirs = middle.issue("theirs")
    path = authority.revoke(middle.serial)
    revocations = load_revocations(naming(authority, path, authorities=[middle.path]))

    with pytest.raises(UnwelcomeError, match="the authority that issued the") as no:
        revocations.check(identity_of(theirs.certificate))
    assert no.value.refusal is Refusal.REVOKED
    revocations.check(identity_of(authority.issue("ours").certificate))


def test_an_authority_that_has_a_new_certificate_is_not_revoked(
    authority: Authority, tmp_path: Path
) -> None:
    old = Authority(tmp_path / "old", "middle", above=authority)
    new = Authority(tmp_path / "new", "middle", above=authority)
    path = authority.revoke(old.serial)
    both = [old.path, new.path]
    revocations = load_revocations(naming(authority, path, authorities=both))

    revocations.check(identity_of(new.issue("theirs").certificate))


def test_without_lists_nobody_is_revoked(authority: Authority) -> None:
    assert load_revocations(authority.listener()) == Revocations()
    Revocations().check(Identity("unreadable", "ab" * 32))


def test_a_certificate_that_cannot_be_parsed_is_refused_where_lists_are() -> None:
    lists = (RevocationList(Path("a.crl"), (), frozenset(), None),)

    with pytest.raises(UnwelcomeError, match="nobody can tell whether it was revoked"):
        Revocations(lists).check(Identity("unreadable", "ab" * 32))


def test_a_list_without_an_end_never_expires(authority: Authority) -> None:
    identity = Identity("web-1", "ab" * 32, None, (), 7)
    lists = (RevocationList(Path("a.crl"), (), frozenset({8}), None),)

    Revocations(lists).check_age(identity, 1 << 62)


def test_an_expired_list_refuses_whoever_its_authority_has_certified(
    authority: Authority,
) -> None:
    here = identity_of(authority.issue("here").certificate)
    path = authority.revoke(1, ends=NOW - DAY)
    revocations = load_revocations(naming(authority, path))

    with pytest.raises(UnwelcomeError, match=r"revoked\.crl has expired on 20") as no:
        revocations.check_age(here, CLOCK)
    assert no.value.refusal is Refusal.LIST_EXPIRED
    revocations.check(here)


def test_an_expired_list_that_is_accepted_still_holds(authority: Authority) -> None:
    gone, here = authority.issue("gone"), authority.issue("here")
    path = authority.revoke(gone.serial, ends=NOW - DAY)
    revocations = load_revocations(naming(authority, path, expired="accept"))

    revocations.check_age(identity_of(here.certificate), CLOCK)
    with pytest.raises(UnwelcomeError, match="was revoked"):
        revocations.check(identity_of(gone.certificate))


def test_a_forged_list_is_refused(authority: Authority, tmp_path: Path) -> None:
    forger = Authority(tmp_path / "forger")
    path = authority.revoke(1, key=forger)

    with pytest.raises(ConfigError, match=r"CN=authority is not signed by any") as no:
        load_revocations(naming(authority, path))
    assert "certificate_authorities" not in no.value.hint
    assert "intermediate" in no.value.hint


def test_a_list_of_an_unknown_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    path = Authority(tmp_path / "other", "somebody").revoke(1)

    with pytest.raises(ConfigError, match="of CN=somebody is not signed by any of the"):
        load_revocations(naming(authority, path))


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        (x509.DeltaCRLIndicator(1), "it holds only the changes to another list"),
        (
            x509.IssuingDistributionPoint(None, None, False, False, None, True, False),
            "it speaks for other authorities than its own",
        ),
        (
            x509.IssuingDistributionPoint(None, None, False, True, None, False, False),
            "it is not about certificates of senders",
        ),
        (
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"),
            r"an extension 1\.2\.3\.4 of which nothing is known",
        ),
    ],
    ids=["delta", "indirect", "authorities only", "unknown"],
)
def test_a_list_that_does_not_speak_for_itself_is_refused(
    authority: Authority, extension: x509.ExtensionType, message: str
) -> None:
    path = authority.revoke(1, extensions=[extension])

    with pytest.raises(ConfigError, match=message):
        load_revocations(naming(authority, path))


def test_half_a_list_is_refused_wherever_it_is_cut(authority: Authority) -> None:
    path = authority.revoke(1, 2, 3)
    whole = path.read_bytes()
    for size in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ConfigError, match=r"revocation list"):
            load_revocations(naming(authority, path))


def test_a_list_of_a_version_that_does_not_exist_is_refused(
    authority: Authority,
) -> None:
    path = authority.revoke(1)
    crl = x509.load_pem_x509_crl(path.read_bytes())
    der = bytearray(crl.public_bytes(Encoding.DER))
    der[der.index(b"\2\1\1") + 2] = 9
    body = base64.encodebytes(der)
    path.write_bytes(b"-----BEGIN X509 CRL-----\n" + body + b"-----END X509 CRL-----\n")

    with pytest.raises(ConfigError, match="cannot be parsed: 9 is not a valid CRL"):
        load_revocations(naming(authority, path))


def test_a_missing_list_is_named(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "no.crl"

    with pytest.raises(ConfigError, match=f"read the revocation list {path}: No such"):
        load_revocations(naming(authority, path))


def test_a_list_as_der_is_refused_with_what_to_do(authority: Authority) -> None:
    path = authority.revoke(1)
    crl = x509.load_pem_x509_crl(path.read_bytes())
    path.write_bytes(crl.public_bytes(Encoding.DER))

    with pytest.raises(ConfigError, match="there is no revocation list in") as no:
        load_revocations(naming(authority, path))
    assert "openssl crl -inform DER" in no.value.hint


# Real connections.


async def test_a_revoked_sender_is_refused_for_that_reason(
    authority: Authority,
) -> None:
    gone, here = authority.issue("gone"), authority.issue("here")
    tls = naming(authority, authority.revoke(gone.serial))
    async with serve(tls) as desk:
        async with connect(desk, authority.sender(gone)) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(REFUSED)
        assert (line["reason"], line["sender"]) == ("revoked", "gone")
        assert line["certificate"] == gone.fingerprint
        assert desk.reception.refusals[Refusal.REVOKED] == 1

        async with connect(desk, authority.sender(here)) as client:
            assert await is_acknowledged(client)
        assert [w.source.sender for w in desk.signer.windows] == ["here"]


async def test_a_sender_of_an_intermediate_authority_is_looked_up_in_its_list(
    authority: Authority, tmp_path: Path
) -> None:
    middle = Authority(tmp_path / "tls", "middle", above=authority)
    gone, here = middle.issue("gone"), middle.issue("here")
    path = middle.revoke(gone.serial)
    async with serve(naming(authority, path, authorities=[middle.path])) as desk:
        async with connect(desk, authority.sender(here)) as client:
            assert await is_acknowledged(client)
        async with connect(desk, authority.sender(gone)) as client:
            assert await client.read_all() == b""
        assert (await desk.wait_for(REFUSED))["reason"] == "revoked"


async def test_a_sender_that_becomes_revoked_is_disconnected_and_nobody_else(
    authority: Authority,
) -> None:
    gone, here = authority.issue("gone"), authority.issue("here")
    async with (
        serve(naming(authority, authority.revoke())) as desk,
        connect(desk, authority.sender(gone)) as first,
        connect(desk, authority.sender(here)) as second,
    ):
        assert await is_acknowledged(first)
        assert await is_acknowledged(second)
        authority.revoke(gone.serial)
        await desk.reread()

        assert await first.read_all() == b""
        line = await desk.wait_for(DISMISSED)
        assert (line["sender"], line["reason"]) == ("gone", "revoked")
        assert await is_acknowledged(second)


async def test_half_a_list_disconnects_and_admits_nobody(authority: Authority) -> None:
    gone, here = authority.issue("gone"), authority.issue("here")
    path = authority.revoke(gone.serial)
    async with (
        serve(naming(authority, path)) as desk,
        connect(desk, authority.sender(here)) as early,
    ):
        path.write_bytes(path.read_bytes()[:200])
        await desk.reread()

        assert str(path) in (await desk.wait_for(KEPT))["error"]
        assert await is_acknowledged(early)
        async with connect(desk, authority.sender(gone)) as client:
            assert await client.read_all() == b""
        assert (await desk.wait_for(REFUSED))["reason"] == "revoked"


async def test_a_list_that_expires_disconnects_nobody(authority: Authority) -> None:
    context = authority.sender(authority.issue("web-1"))
    async with (
        serve(naming(authority, authority.revoke())) as desk,
        connect(desk, context) as early,
    ):
        assert await is_acknowledged(early)
        authority.revoke(ends=NOW - DAY)
        await desk.reread()

        async with connect(desk, context) as client:
            assert await client.read_all() == b""
        assert (await desk.wait_for(REFUSED))["reason"] == "list_expired"
        assert await is_acknowledged(early)


@pytest.mark.parametrize(
    ("expired", "impact"),
    [
        ("refuse", "From then on no sender of that authority can connect."),
        ("accept", "From then on it counts as it is, and nothing newer is known."),
    ],
)
async def test_a_list_that_expires_within_a_week_is_a_problem(
    authority: Authority, expired: Literal["refuse", "accept"], impact: str
) -> None:
    path = authority.revoke(ends=NOW + 6 * DAY)
    async with serve(naming(authority, path, expired=expired)) as desk:
        (problem,) = desk.watch.problems()
        assert problem.symptom.startswith(f"the revocation list {path} of the listener")
        assert problem.impact == impact
        await desk.reread()
        assert len(desk.lines(problem.symptom)) == 1

        authority.revoke(ends=NOW + 8 * DAY)
        await desk.reread()
        assert desk.watch.problems() == []


async def test_a_revoked_sender_without_a_list_of_names_is_refused_all_the_same(
    authority: Authority,
) -> None:
    gone = authority.issue("gone")
    tls = naming(authority, authority.revoke(gone.serial))
    async with (
        serve(tls, senders=SendersConfig(allow=())) as desk,
        connect(desk, authority.sender(gone)) as client,
    ):
        assert await client.read_all() == b""
        assert (await desk.wait_for(REFUSED))["reason"] == "revoked"
