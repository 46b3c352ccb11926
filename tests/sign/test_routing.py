"""Which chain and which place an event gets, rule by rule."""

from dataclasses import replace

import msgspec
import pytest

from beats_signer.rules import RoutingConfig
from beats_signer.sign.parting import Part, Router, join_destinations
from beats_signer.sign.window import Source, Window
from beats_signer.store.contract import Destination

NGINX = b'{"event":{"module":"nginx"},"data_stream":{"dataset":"nginx.access"}}'
PLAIN = b'{"message":"hello"}'


def router(**routing: object) -> Router:
    config = msgspec.convert(
        routing, RoutingConfig, dec_hook=lambda kind, value: kind(value)
    )
    return Router(config.for_signer(retention_days=365))


def window(*payloads: bytes, sender: str = "web-1", form: bytes = b"J") -> Window:
    source = Source(sender, None, "192.0.2.7", "192.0.2.7:1", "c1", 1)
    return Window(
        source=source,
        number=1,
        arrival=1,
        received=0,
        version=2,
        size=len(payloads),
        forms=form * len(payloads),
        payloads=payloads,
        payload_bytes=sum(map(len, payloads)),
    )


def only(parts: list[Part]) -> Part:
    (part,) = parts
    return part


def rule(**rule: object) -> dict[str, object]:
    return rule


def test_without_rules_a_window_passes_through_as_it_is() -> None:
    sent = window(PLAIN, NGINX)

    part = only(router().part(sent))

    assert part.window is sent
    assert part.route == ("default", "generic")
    assert router().routing.retention_of(part.route) == 365


def test_rules_on_senders_alone_do_not_look_into_events() -> None:
    rules = router(rules=[rule(when={"senders": ["web-*"]}, stream="web")])

    part = only(rules.part(window(b"not even JSON")))

    assert part.route == ("default", "web")
    assert part.window.payloads == (b"not even JSON",)


def test_the_first_rule_that_applies_wins() -> None:
    rules = router(
        rules=[
            rule(when={"fields": {"event.module": ["nginx"]}}, stream="first"),
            rule(when={"fields": {"event.module": ["*"]}}, stream="second"),
            rule(stream="third"),
        ]
    )

    parts = rules.part(window(NGINX, b'{"event":{"module":"apache"}}', PLAIN))

    assert [part.route[1] for part in parts] == ["first", "second", "third"]
    assert rules.astray["no_match"] == 0


def test_a_window_is_parted_by_chain_and_each_part_keeps_its_order() -> None:
    rules = router(rules=[rule(stream="{data_stream.dataset}")])
    a, b = (b'{"data_stream":{"dataset":"%s"}, "n":%%d}' % one for one in (b"a", b"b"))
    sent = window(a % 1, b % 2, a % 3, b % 4, PLAIN)

    parts = rules.part(sent)

    assert [(part.route[1], part.window.payloads) for part in parts] == [
        ("a", (a % 1, a % 3)),
        ("b", (b % 2, b % 4)),
        ("generic", (PLAIN,)),
    ]
    assert {part.window.size for part in parts} == {5}
    assert sum(part.window.payload_bytes for part in parts) == sent.payload_bytes
    assert rules.astray["no_match"] == 1


@pytest.mark.parametrize(
    ("payload", "form"),
    [
        (b'{"data_stream":{"dataset":"nginx"}}', b"J"),
        (b'{"data_stream.dataset":"nginx"}', b"J"),
        (b'{"data_stream":"text","data_stream.dataset":"nginx"}', b"J"),
        (b'{"data_stream":{"dataset":"nginx"}}', b"L"),
        (b"\0\0\0\1\0\0\0\x13data_stream.dataset\0\0\0\5nginx", b"D"),
    ],
    ids=["nested", "dotted", "dotted beside text", "line", "pairs"],
)
def test_a_field_is_found_in_every_form(payload: bytes, form: bytes) -> None:
    rules = router(rules=[rule(stream="{data_stream.dataset}")])

    assert only(rules.part(window(payload, form=form))).route[1] == "nginx"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b'{"a":\xff}',
        b'{"data_stream":{"dataset":"\xff"}}',
        b'{"data_stream":' * 100_000,
        b'{"data_stream":[{"dataset":"nginx"}]}',
        b'{"data_stream":{"dataset":{"nginx":1}}}',
        b'{"data_stream":{"dataset":null}}',
        b'{"data_stream":{"dataset":""}}',
    ],
)
def test_an_event_without_the_field_goes_to_the_default_stream(payload: bytes) -> None:
    rules = router(rules=[rule(stream="{data_stream.dataset}")])

    part = only(rules.part(window(payload)))

    assert part.route == ("default", "generic")
    assert part.window.payloads == (payload,)
    assert rules.astray["no_match"] == 1


@pytest.mark.parametrize(
    ("patterns", "payload", "matches"),
    [
        (["nginx"], b'{"f":"nginx"}', True),
        (["nginx"], b'{"f":"nginx2"}', False),
        (["ng*x"], b'{"f":"nginx"}', True),
        (["a", "500"], b'{"f":500}', True),
        (["true"], b'{"f":true}', True),
        (["audit"], b'{"f":["x","audit"]}', True),
        (["*"], b'{"f":[]}', False),
        (["*"], b'{"g":1}', False),
    ],
)
def test_a_condition_holds_for_text_numbers_and_items(
    patterns: list[str], payload: bytes, matches: bool
) -> None:
    rules = router(rules=[rule(when={"fields": {"f": patterns}}, stream="taken")])

    assert (only(rules.part(window(payload))).route[1] == "taken") is matches


@pytest.mark.parametrize(
    "name",
    ["Nginx", "a b", "../x", "a/b", "-a", "é", "a" * 65, "a\\n", "*", ".ds-x"],
)
def test_a_name_that_cannot_be_one_goes_to_the_default_stream(name: str) -> None:
    rules = router(rules=[rule(stream="{s}"), rule(stream="never")])

    part = only(rules.part(window(b'{"s":"%s"}' % name.encode())))

    assert part.route == ("default", "generic")
    assert rules.astray["invalid_name"] == 1


def test_a_chain_too_many_goes_to_the_default_stream() -> None:
    rules = router(max_chains=2, rules=[rule(stream="{s}")])
    rules.know([("default", "old")])

    parts = rules.part(window(b'{"s":"a"}', b'{"s":"b"}', b'{"s":"old"}'))

    assert [part.route[1] for part in parts] == ["a", "generic", "old"]
    assert rules.astray["too_many"] == 1


def test_places_too_many_go_to_the_default_stream() -> None:
    rules = router(
        max_chains=2, rules=[rule(target="{t}", targets=["x*"], stream="one")]
    )

    parts = rules.part(window(*(b'{"t":"x%d"}' % n for n in range(5))))

    assert [(part.route[1], part.window.entries) for part in parts] == [
        ("one", 2),
        ("generic", 3),
    ]


def test_a_sender_belongs_to_the_first_tenant_that_names_it() -> None:
    rules = router(
        tenants=[{"senders": ["*.acme"], "tenant": "acme"}],
        rules=[rule(when={"tenants": ["acme"]}, stream="theirs")],
    )

    acme = only(rules.part(window(PLAIN, sender="web.acme")))
    other = only(rules.part(window(PLAIN, sender="web.other")))

    assert acme.route == ("acme", "theirs")
    assert other.route == ("default", "generic")


def test_what_a_sender_asks_for_counts_only_where_a_rule_says_so() -> None:
    asked = b'{"@metadata":{"pipeline":"p1","index":"filebeat-x"}}'
    allowed = rule(
        when={"senders": ["web-*"]},
        target="{@metadata.index}",
        targets=["filebeat-*"],
        pipeline="{@metadata.pipeline}",
    )
    rules = router(rules=[allowed])

    web = only(rules.part(window(asked)))
    other = only(rules.part(window(asked, sender="db-1")))

    place = Destination("filebeat-x", "p1", is_chosen_by_sender=True)
    assert web.window.destinations == (place,)
    assert other.window.destinations is None


def test_a_pipeline_without_value_is_the_targets_own() -> None:
    rules = router(rules=[rule(target="app-{stream}", pipeline="{@metadata.pipeline}")])

    part = only(rules.part(window(PLAIN)))

    place = Destination("app-generic", None, is_chosen_by_sender=True)
    assert part.window.destinations == (place,)


def test_a_place_that_no_field_names_is_the_operators_choice() -> None:
    rules = router(rules=[rule(target="app-{stream}", pipeline="own")])

    part = only(rules.part(window(PLAIN)))

    assert part.window.destinations == (Destination("app-generic", "own"),)


@pytest.mark.parametrize(
    "index",
    ["secret", "filebeat-A", "filebeat-" + "a" * 230, "filebeat-*", "filebeat-a,b"],
)
def test_a_target_outside_the_allowed_ones_is_refused(index: str) -> None:
    rules = router(rules=[rule(target="{@metadata.index}", targets=["filebeat-*"])])

    part = only(rules.part(window(b'{"@metadata":{"index":"%s"}}' % index.encode())))

    assert part.window.destinations is None
    assert rules.astray["invalid_name"] == 1


def test_no_sender_reaches_the_signers_own_indices() -> None:
    rules = router(rules=[rule(target="{i}", targets=["*"])])

    part = only(rules.part(window(b'{"i":"beats-signer-catalogue"}')))

    assert part.window.destinations is None


def test_retention_is_that_of_the_rule_then_that_of_the_signer() -> None:
    rules = router(
        rules=[
            rule(when={"senders": ["a"]}, stream="a", retention_days=90),
            rule(when={"senders": ["b"]}, stream="b", retention_days="never"),
            rule(when={"senders": ["c"]}, stream="c"),
        ]
    )

    routes = [only(rules.part(window(PLAIN, sender=sender))).route for sender in "abcd"]

    days = [rules.routing.retention_of(route) for route in routes]
    assert days == [90, None, 365, 365]


def test_a_tenant_may_have_a_retention_of_its_own_in_the_default_stream() -> None:
    rules = router(rules=[rule(when={"tenants": ["acme"]}, retention_days=30)])

    assert rules.routing.retention_of(("acme", "generic")) == 30
    assert rules.routing.retention_of(("default", "generic")) == 365


def test_where_two_rules_lead_to_a_chain_the_first_gives_its_retention() -> None:
    rules = router(
        rules=[
            rule(stream="nginx", when={"senders": ["a"]}, retention_days=30),
            rule(stream="{data_stream.dataset}", retention_days=90),
        ]
    )

    assert rules.routing.retention_of(("default", "nginx")) == 30
    assert rules.routing.retention_of(("default", "mysql")) == 90


def test_destinations_of_windows_are_joined_event_by_event() -> None:
    rules = router(rules=[rule(when={"senders": ["a"]}, target="t-{stream}")])
    parts = [
        only(rules.part(window(PLAIN, PLAIN, sender=sender))).window for sender in "ab"
    ]

    assert join_destinations(parts[1:]) is None
    assert join_destinations(parts) == [Destination("t-generic")] * 2 + [None] * 2


@pytest.mark.parametrize(
    ("routing", "message"),
    [
        ({"rules": [rule(stream="Nginx")]}, "stream 'Nginx' does not match"),
        ({"rules": [rule(stream="a{b")]}, "is not a name with placeholders"),
        ({"rules": [rule(stream="{stream}")]}, "cannot be made from {stream}"),
        ({"rules": [rule(target="{i}")]}, "begins with a placeholder"),
        ({"rules": [rule(target="beats-signer-{i}")]}, "one of the signer's own"),
        ({"target": "logs-{i}"}, "needs more than tenant and stream"),
        (
            {
                "rules": [
                    rule(stream="a", retention_days=90),
                    rule(stream="a", retention_days=30),
                ]
            },
            "different retention_days",
        ),
        (
            {"rules": [rule(when={"senders": ["a"]}, retention_days=30)]},
            "as do events that no rule takes",
        ),
        (
            {"rules": [rule(stream="generic", retention_days=30)]},
            "give the rule a stream of its own",
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(
    routing: dict[str, object], message: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        router(**routing)

    assert message in str(caught.value)


def test_a_tenant_that_a_sender_brings_counts_before_the_rules() -> None:
    rules = router(
        tenants=[{"senders": ["web-*"], "tenant": "by-rule"}],
        rules=[rule(when={"tenants": ["acme"]}, stream="theirs")],
    )
    own, brought = window(PLAIN), window(PLAIN)
    brought = replace(brought, source=replace(brought.source, tenant="acme"))

    assert only(rules.part(own)).route == ("by-rule", "generic")
    assert only(rules.part(brought)).route == ("acme", "theirs")
    assert only(rules.part(own)).route == ("by-rule", "generic")


def test_tenants_of_senders_are_among_the_targets() -> None:
    routing = RoutingConfig().for_signer(None, ("acme", "*"))

    assert [pattern for pattern, _ in routing.targets()] == [
        "logs-generic-default",
        "logs-generic-acme",
        "logs-generic-*",
    ]
    assert not routing.is_plain


def test_the_default_place_of_what_a_sender_may_misplace_is_among_the_targets() -> None:
    chosen = rule(stream="{a}", target="x-{b}", retention_days=30)
    rules = router(target="own-{tenant}.{stream}", rules=[chosen])

    assert rules.routing.targets() == [
        ("x-*", 30),
        ("own-default.*", 30),
        ("own-default.generic", 365),
    ]


def test_a_rule_may_name_the_place_that_is_usually_the_default_one() -> None:
    usual = rule(stream="s", target="logs-{stream}-{tenant}")
    rules = router(target="own-{tenant}", rules=[usual])

    (destination,) = only(rules.part(window(PLAIN))).window.destinations or ()

    assert destination == Destination("logs-s-default")


def test_what_is_remembered_for_all_senders_together_has_a_bound() -> None:
    rules = router(rules=[rule(stream="{a}")], max_chains=5)
    for number in range(9):
        payloads = [b'{"a":"x%d"}' % (number * 4000 + n) for n in range(4000)]
        rules.part(window(*payloads, sender=f"web-{number}"))

        assert 0 < rules.remembered <= 16_384


@pytest.mark.parametrize(
    "value", [b'"%b"' % (b"x" * 1025), b'["x",' + b'"",' * 1024 + b'"x"]']
)
def test_long_values_are_looked_up_each_time(value: bytes) -> None:
    rules = router(rules=[rule(stream="{a}"), rule(when={"fields": {"b": ["x"]}})])
    parts = rules.part(window(b'{"a":"y","b":%b}' % value))

    assert rules.remembered == 0
    assert [part.route for part in parts] == [("default", "y")]
