"""Who may send: the allow-list, the four reasons, names and tenants."""

from pathlib import Path

import pytest

from beats_signer.config import AllowedConfig, Network, SendersConfig, read_allowed
from beats_signer.errors import ConfigError
from beats_signer.receive.admission import Admission
from beats_signer.receive.identity import Identity
from beats_signer.receive.refusal import Refusal, UnwelcomeError
from tests.receive.issuing import DAY, NOW, Authority
from tests.receive.serving import connect, serve

REFUSED = "the sender may not send, its connection is closed"
FAILED = "the TLS handshake failed"
HOST = "192.0.2.7"


def allowing(*items: AllowedConfig, **settings: object) -> Admission:
    return Admission(SendersConfig(allow=items, **settings))  # type: ignore[arg-type]


def named(name: str, organization: str | None = None) -> Identity:
    return Identity(name, "ab" * 32, organization)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


# The list.


def test_without_a_list_everybody_may_send() -> None:
    assert Admission().admit(named("web-1"), HOST) is None
    assert Admission().admit(None, HOST) is None


def test_an_empty_list_admits_nobody() -> None:
    with pytest.raises(UnwelcomeError, match=r"not listed in senders\.allow") as caught:
        allowing().admit(named("web-1"), HOST)

    assert caught.value.refusal is Refusal.NOT_LISTED


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("web-1", "web-1"),
        ("web-*", "web-1.example.com"),
        ("*.example.com", "a.b.example.com"),
        ("web-?", "web-1"),
        ("web-[12]", "web-2"),
        ("spiffe://example.com/*", "spiffe://example.com/ns/web"),
    ],
)
def test_a_pattern_admits_the_names_that_it_describes(pattern: str, name: str) -> None:
    assert allowing(AllowedConfig(name=pattern)).admit(named(name), HOST) is None


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("web-1", "web-10"),
        ("web-1", "WEB-1"),
        ("*.example.com", "example.com"),
        ("*.example.com", "a.example.com.evil.org"),
        ("web.1", "web-1"),
        ("web-1", "web-1\n"),
    ],
)
def test_a_pattern_admits_no_other_name(pattern: str, name: str) -> None:
    with pytest.raises(UnwelcomeError):
        allowing(AllowedConfig(name=pattern)).admit(named(name), HOST)


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "::ffff:10.1.2.3"], ids=["IPv4", "IPv4 on an IPv6 socket"]
)
def test_an_address_admits_who_shows_no_certificate(host: str) -> None:
    list_ = allowing(AllowedConfig(address=Network("10.0.0.0/8"), tenant="acme"))

    assert list_.admit(None, host) == "acme"


def test_an_address_admits_nobody_with_a_certificate() -> None:
    with pytest.raises(UnwelcomeError):
        allowing(AllowedConfig(address=Network("0.0.0.0/0"))).admit(
            named("web-1"), HOST
        )


def test_a_certificate_for_an_address_is_no_address() -> None:
    with pytest.raises(UnwelcomeError):
        allowing(AllowedConfig(address=Network("10.0.0.5"))).admit(
            named("10.0.0.5"), "10.0.0.5"
        )


def test_a_name_admits_nobody_without_a_certificate() -> None:
    with pytest.raises(UnwelcomeError, match="address of a sender without certif"):
        allowing(AllowedConfig(name="*")).admit(None, HOST)


# Tenants.


def test_the_first_item_that_matches_gives_the_tenant() -> None:
    list_ = allowing(
        AllowedConfig(name="web-1", tenant="first"),
        AllowedConfig(name="web-*", tenant="second"),
    )

    assert list_.admit(named("web-1"), HOST) == "first"
    assert list_.admit(named("web-2"), HOST) == "second"


def test_the_organization_is_the_tenant_where_that_is_asked_for() -> None:
    admission = Admission(SendersConfig(tenant_from="organization"))

    assert admission.admit(named("web-1", "Acme"), HOST) == "acme"
    assert admission.admit(None, HOST) is None


def test_what_the_list_says_counts_before_the_organization() -> None:
    list_ = allowing(
        AllowedConfig(name="web-1", tenant="own"),
        AllowedConfig(name="*"),
        tenant_from="organization",
    )

    assert list_.admit(named("web-1", "acme"), HOST) == "own"
    assert list_.admit(named("web-2", "acme"), HOST) == "acme"


@pytest.mark.parametrize(
    ("organization", "message"),
    [
        (None, "the certificate names no organization"),
        ("Acme Ltd", "cannot be a tenant: tenant 'acme ltd' does not match"),
        ("../etc", "cannot be a tenant"),
        ("a" * 65, "cannot be a tenant"),
    ],
)
def test_an_organization_that_is_no_tenant_is_refused(
    organization: str | None, message: str
) -> None:
    admission = Admission(SendersConfig(tenant_from="organization"))

    with pytest.raises(UnwelcomeError, match=message) as caught:
        admission.admit(named("web-1", organization), HOST)

    assert caught.value.refusal is Refusal.NO_TENANT


# The file.


def test_a_file_holds_the_same_list(tmp_path: Path) -> None:
    path = tmp_path / "senders.yml"
    path.write_text("- {name: 'web-*', tenant: acme}\n- {address: 10.0.0.5}\n")

    admission = Admission(SendersConfig(allow_file=path))

    assert admission.admit(named("web-1"), HOST) == "acme"
    assert admission.admit(None, "10.0.0.5") is None
    with pytest.raises(UnwelcomeError, match=f"is not listed in {path}"):
        admission.admit(named("db-1"), HOST)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- {name: a, adress: b}\n",
            r"senders.yml:1: there is no setting \[0\].adress",
        ),
        ("- {tenant: a}\n", "it is not clear who is meant"),
        ("- {name: a, address: 10.0.0.5}\n", "it is not clear who is meant"),
        ("- {address: 10.0.0.5/8}\n", "is not a network: 10.0.0.5/8 has host bits set"),
        ("- {name: a, tenant: A B}\n", r"senders.yml:1: \[0\].tenant is \"A B\""),
        ("", "the file as a whole is empty"),
    ],
)
def test_what_is_wrong_in_the_file_is_explained(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "senders.yml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        read_allowed(path)


# Real connections.


async def test_an_unlisted_sender_is_closed_before_a_byte_of_it_is_read(
    authority: Authority,
) -> None:
    config = SendersConfig(allow=(AllowedConfig(name="web-*"),))
    stranger = authority.issue("db-1")
    async with serve(authority.listener(), senders=config) as desk:
        async with connect(desk, authority.sender(stranger)) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(REFUSED)

        assert line["reason"] == "not_listed"
        assert line["sender"] == "db-1"
        assert line["certificate"] == stranger.fingerprint
        assert line["peer"].startswith("127.0.0.1:")
        assert desk.reception.refusals[Refusal.NOT_LISTED] == 1
        assert desk.signer.windows == []
        assert desk.reception.sessions == set()


async def test_a_listed_sender_brings_its_tenant(authority: Authority) -> None:
    config = SendersConfig(allow=(AllowedConfig(name="web-*", tenant="acme"),))
    context = authority.sender(authority.issue("web-1"))
    async with (
        serve(authority.listener(), senders=config) as desk,
        connect(desk, context) as client,
    ):
        client.send(b"{}")
        assert await client.receive_acks(1) == [1]

        source = desk.signer.windows[0].source
        assert (source.sender, source.tenant) == ("web-1", "acme")


async def test_names_are_taken_in_the_order_that_is_set(authority: Authority) -> None:
    issued = authority.issue("cn-1", uris=["spiffe://a/b"], dns=["dns-1"])
    config = SendersConfig(names=("dns", "uri", "cn"))
    async with (
        serve(authority.listener(), senders=config) as desk,
        connect(desk, authority.sender(issued)) as client,
    ):
        client.send(b"{}")
        assert await client.receive_acks(1) == [1]

        assert desk.signer.windows[0].source.sender == "dns-1"


async def test_a_plain_sender_is_judged_by_its_address() -> None:
    config = SendersConfig(allow=(AllowedConfig(address=Network("192.0.2.0/24")),))
    async with serve(senders=config) as desk:
        async with connect(desk) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(REFUSED)

        assert (line["reason"], line["sender"]) == ("not_listed", "127.0.0.1")
        assert line["certificate"] is None


async def test_an_expired_sender_is_refused_for_that_reason(
    authority: Authority,
) -> None:
    expired = authority.issue("web-1", ends=NOW - DAY)
    async with serve(authority.listener()) as desk:
        async with connect(desk, authority.sender(expired)) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(FAILED)

        assert line["reason"] == "expired"
        assert line["error"].endswith("certificate has expired")
        assert desk.reception.refusals[Refusal.EXPIRED] == 1


@pytest.mark.parametrize("name", ["stranger", "authority"])
async def test_a_sender_of_another_authority_is_refused_for_that_reason(
    authority: Authority, tmp_path: Path, name: str
) -> None:
    other = Authority(tmp_path / "other", name)
    context = other.sender(other.issue("web-1"), trusting=authority)
    async with serve(authority.listener()) as desk:
        async with connect(desk, context) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(FAILED)

        assert line["reason"] == "other_authority"
        assert desk.reception.refusals[Refusal.OTHER_AUTHORITY] == 1


async def test_a_sender_without_a_certificate_is_refused_for_that_reason(
    authority: Authority,
) -> None:
    async with serve(authority.listener()) as desk:
        async with connect(desk, authority.sender(None)) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(FAILED)

        assert line["reason"] == "no_certificate"
        assert desk.reception.refusals[Refusal.NO_CERTIFICATE] == 1


async def test_who_is_no_tls_client_is_counted_as_other(authority: Authority) -> None:
    async with serve(authority.listener()) as desk:
        async with connect(desk) as client:
            client.send(b"{}")
            await client.read_all()
        await desk.wait_for(FAILED)

        assert desk.reception.refusals == dict.fromkeys(Refusal, 0) | {Refusal.OTHER: 1}
