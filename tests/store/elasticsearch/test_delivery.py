"""What becomes of each item, whatever the server says: stored once, or kept."""

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from beats_signer.chain.merkle import leaf_hash
from beats_signer.errors import ForkError, RefusedError, StoreError
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.places import id_of, seal_id
from beats_signer.store.elasticsearch.write.body import Part, split_body
from tests.elasticsearch.bulk import Action, carry_out
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Outcome
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import Log, append, opened, sent, to_write

PAYLOADS = [
    b'{"@timestamp":"2026-11-23T09:00:00Z","message":"%d","n":%d}' % (n, n)
    for n in range(4)
]
TARGET = "logs-syslog-acme"
SEALS = "beats-signer-seals-2026.11"


def three() -> Sealed:
    return Chain().events(PAYLOADS[:3])


def event(number: int) -> Callable[[Action], bool]:
    """Pick the event of this index, however it is rendered."""
    return lambda action: action.document.get("beats_signer", {}).get("index") == number


def names(sealed: Sealed) -> list[str]:
    first, leaves = sealed.seal.first, sealed.record.leaves
    return [
        id_of(sealed.chain, first + n, leaves[n * 32 : n * 32 + 32])
        for n in range(sealed.seal.count)
    ]


async def stored(fake: Fake, sealed: Sealed) -> tuple[int, ...]:
    """Append until it is stored; every signed object is then there, unharmed."""
    async with opened(fake) as store:
        appended = await append(store, to_write(store, sealed))
    signed = {
        one["beats_signer"]["index"]: one["beats_signer"]
        for one in fake.documents("logs-*,other*").values()
        if "beats_signer" in one
    }
    leaves = [
        leaf_hash(one["form"].encode(), one["payload"].encode())
        for _, one in sorted(signed.items())
    ]
    assert b"".join(leaves) == sealed.record.leaves
    assert seal_id(sealed.chain, sealed.seal.number) in (
        fake.documents("beats-signer-seals-*")
    )
    return appended.bare


async def test_only_what_was_refused_for_now_is_sent_again(fake: Fake) -> None:
    sealed = three()
    fake.judge(Outcome.rejected(429), event(1))

    assert await stored(fake, sealed) == ()
    first, second = sent(fake)
    assert len(first) == 4
    assert [one.id for one in second] == [names(sealed)[1]]
    assert second[0] == first[1]


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
async def test_a_busy_server_is_asked_as_long_as_it_takes(
    fake: Fake, status: int
) -> None:
    fake.judge(Outcome.rejected(status, "unavailable_shards_exception"), event(1), 5)

    assert await stored(fake, three()) == ()
    assert [len(actions) for actions in sent(fake)] == [4, 1, 1, 1, 1, 1]


REJECTED = [
    Outcome.rejected(400, "document_parsing_exception"),
    Outcome.rejected(400, "strict_dynamic_mapping_exception"),
    Outcome.rejected(400, "illegal_argument_exception"),
    Outcome.rejected(413, "too_large"),
    Outcome.rejected(500, "fail_processor_exception"),
    Outcome.dropped(),
    Outcome.redirected(),
]


@pytest.mark.parametrize("outcome", REJECTED, ids=str)
async def test_what_is_not_taken_is_stored_as_a_bare_document(
    fake: Fake, outcome: Outcome
) -> None:
    sealed = three()
    fake.judge(outcome, event(1))

    assert await stored(fake, sealed) == (1,)
    bare = fake.documents(TARGET)[names(sealed)[1]]
    assert bare.keys() == {"beats_signer", "@timestamp", "error", "tags"}
    assert bare["@timestamp"] == "2026-11-23T09:00:00Z"
    assert bare["tags"] == ["_beats_signer_bare"]
    assert bare["error"].keys() == {"type", "message"}
    assert sent(fake)[1][0].pipeline == "_none"


async def test_a_mapping_that_does_not_fit_costs_the_fields_and_not_the_event(
    fake: Fake,
) -> None:
    chain = Chain()
    fits = chain.events([b'{"n":{"deep":1}}'])
    does_not = chain.events([b'{"n":7}', b'{"n":{"deep":2}}'])
    async with opened(fake) as store:
        assert (await store.append(to_write(store, fits))).bare == ()
        assert (await store.append(to_write(store, does_not))).bare == (1,)

    bare = fake.documents(TARGET)[names(does_not)[0]]
    assert bare["error"]["type"] == "document_parsing_exception"
    assert bare["beats_signer"]["payload"] == '{"n":7}'


async def test_a_bare_document_without_a_time_has_that_of_its_seal(fake: Fake) -> None:
    sealed = Chain().events([b'{"@timestamp":"2026-11-30T25:00:00Z"}'])
    fake.judge(Outcome.rejected(400, "document_parsing_exception"), event(0))

    assert await stored(fake, sealed) == (0,)
    (bare,) = fake.documents(TARGET).values()
    assert bare["@timestamp"].startswith("2026-11-23T09:00:00.")


async def test_a_bare_document_that_is_not_taken_is_reduced_to_what_is_signed(
    fake: Fake,
) -> None:
    sealed = three()
    fake.judge(Outcome.rejected(400, "document_parsing_exception"), event(1), 2)

    assert await stored(fake, sealed) == (1,)
    minimal = fake.documents(TARGET)[names(sealed)[1]]
    assert minimal.keys() == {"beats_signer", "@timestamp"}


async def test_where_not_even_that_is_taken_somebody_has_to_mend_it(
    fake: Fake,
) -> None:
    sealed = three()
    fake.judge(Outcome.rejected(400, "mapper_parsing_exception"), event(1), None)
    async with opened(fake) as store:
        write = to_write(store, sealed)
        for _ in range(2):
            with pytest.raises(RefusedError, match="1 of 4 items of seal 1 are not"):
                await store.append(write)
        fake.mend()
        assert (await store.append(write)).bare == ()

    assert fake.documents(TARGET)[names(sealed)[1]]["message"] == "1"


async def test_of_what_an_operator_has_to_mend_one_item_asks_for_all(
    fake: Fake,
) -> None:
    sealed = replace(three(), destinations=[None, None, Destination("other")])
    fake.judge(Outcome.rejected(403, "cluster_block_exception"), times=None)
    async with opened(fake) as store:
        write = to_write(store, sealed)
        for _ in range(2):
            with pytest.raises(RefusedError, match="4 of 4 items"):
                await store.append(write)
        fake.mend()
        await store.append(write)

    assert [[one.target for one in actions] for actions in sent(fake)][1:] == [
        [TARGET, "other", SEALS],
        [TARGET, "other", SEALS],
        [TARGET],
    ]
    assert len(fake.documents("*")) == 4


async def test_what_one_target_waits_for_holds_up_no_other(fake: Fake) -> None:
    elsewhere = Destination("other")
    sealed = Chain().events(PAYLOADS)
    sealed = replace(sealed, destinations=[None, None, elsewhere, elsewhere])
    blocked = Outcome.rejected(403, "cluster_block_exception")
    fake.judge(blocked, times=5)
    fake.judge(blocked, lambda action: action.target == "other", None)
    async with opened(fake) as store:
        write = to_write(store, sealed)
        for told in ("5 of 5 items", r"2 of 5 items .* in other"):
            with pytest.raises(RefusedError, match=told):
                await store.append(write)

    assert len(fake.documents(TARGET)) == 2
    assert len(fake.documents(SEALS)) == 1


async def test_what_is_busy_does_not_wait_for_what_has_to_be_mended(
    fake: Fake,
) -> None:
    blocked = Outcome.rejected(403, "cluster_block_exception")
    fake.judge(blocked, lambda action: event(0)(action) or event(1)(action), None)
    fake.judge(Outcome.rejected(429), event(2))
    async with opened(fake) as store:
        write = to_write(store, three())
        for left in (3, 2):
            with pytest.raises(RefusedError, match=f"{left} of 4 items .* cluster_b"):
                await store.append(write)
        fake.mend()
        await store.append(write)

    assert [len(actions) for actions in sent(fake)] == [4, 2, 1, 1]
    assert len(fake.documents(TARGET)) == 3


async def test_a_fault_of_everything_costs_no_fields(fake: Fake) -> None:
    """As when there may be no more shards: whatever is sent, it is no good request."""
    fake.judge(Outcome.rejected(400, "validation_exception"), times=None)
    async with opened(fake) as store:
        write = to_write(store, three())
        for _ in range(2):
            with pytest.raises(RefusedError, match=r"4 of 4 items .* validation"):
                await store.append(write)
        fake.mend()
        assert (await store.append(write)).bare == ()

    found = [one["n"] for one in fake.documents(TARGET).values()]
    assert sorted(found) == [0, 1, 2]


async def test_a_server_that_fails_at_everything_for_long_costs_no_fields(
    fake: Fake,
) -> None:
    fake.judge(Outcome.rejected(500, "i_o_exception"), times=None)
    async with opened(fake) as store:
        write = to_write(store, three())
        with pytest.raises(RefusedError, match=r"4 of 4 items .* i_o_exception"):
            await append(store, write, 7)
        fake.mend()
        assert (await store.append(write)).bare == ()


async def test_a_server_that_fails_at_an_event_gets_it_three_times(fake: Fake) -> None:
    fake.judge(Outcome.rejected(500, "null_pointer_exception"), event(1), 3)

    assert await stored(fake, three()) == (1,)
    assert [len(actions) for actions in sent(fake)] == [4, 1, 1, 1]


async def test_a_server_that_fails_for_a_while_costs_no_fields(fake: Fake) -> None:
    fake.judge(Outcome.rejected(500, "null_pointer_exception"), event(1), 2)

    assert await stored(fake, three()) == ()


async def test_a_pipeline_that_does_not_exist_is_left_out_and_told(fake: Fake) -> None:
    sealed = replace(three(), destinations=[None, Destination(TARGET, "nowhere"), None])

    assert await stored(fake, sealed) == ()
    document = fake.documents(TARGET)[names(sealed)[1]]
    assert document["tags"] == ["_beats_signer_no_pipeline"]
    assert document["message"] == "1"


PARKED = [
    (Outcome.rejected(403, "cluster_block_exception"), "cluster_block_exception"),
    (Outcome.rejected(403, "security_exception"), "security_exception"),
    (Outcome.rejected(404, "index_not_found_exception"), "index_not_found"),
    (Outcome.rejected(400, "index_closed_exception"), "index_closed_exception"),
    (Outcome.rejected(400, "invalid_index_name_exception"), "invalid_index_name"),
    (Outcome.rejected(429, "cluster_block_exception"), "cluster_block_exception"),
    (Outcome.rejected(401, "security_exception"), "security_exception"),
]


@pytest.mark.parametrize(("outcome", "words"), PARKED, ids=str)
async def test_what_an_operator_has_to_mend_is_kept_whole(
    fake: Fake, outcome: Outcome, words: str
) -> None:
    sealed = three()
    fake.judge(outcome, event(1), None)
    async with opened(fake) as store:
        write = to_write(store, sealed)
        with pytest.raises(RefusedError, match=words) as refused:
            await store.append(write)
        fake.mend()
        assert (await store.append(write)).bare == ()

    assert TARGET in refused.value.hint
    assert fake.documents(TARGET)[names(sealed)[1]]["message"] == "1"
    assert [len(actions) for actions in sent(fake)] == [4, 1]


async def test_of_several_reasons_the_operator_hears_the_worst(fake: Fake) -> None:
    fake.judge(Outcome.rejected(429), event(0))
    fake.judge(Outcome.rejected(403, "cluster_block_exception"), event(1))
    async with opened(fake) as store:
        with pytest.raises(RefusedError, match=r"2 of 4 items .* cluster_block"):
            await store.append(to_write(store, three()))


@pytest.mark.parametrize(("outcome", "words"), PARKED[:-1], ids=str)
async def test_a_place_that_its_sender_named_never_stops_the_chain(
    fake: Fake, outcome: Outcome, words: str
) -> None:
    chosen = Destination("other", is_chosen_by_sender=True)
    sealed = replace(three(), destinations=[None, chosen, Destination("other-2")])
    fake.judge(outcome, lambda action: action.target == "other", None)

    assert await stored(fake, sealed) == ()
    document = fake.documents(TARGET)[names(sealed)[1]]
    assert document["tags"] == ["_beats_signer_no_place"]
    assert document["message"] == "1"
    assert list(fake.documents("other*")) == [names(sealed)[2]]


async def test_a_place_that_its_sender_named_and_that_stays_away_is_left(
    fake: Fake,
) -> None:
    chosen = Destination("other", is_chosen_by_sender=True)
    sealed = replace(three(), destinations=[None, chosen, None])
    away = Outcome.rejected(503, "unavailable_shards_exception")
    fake.judge(away, lambda action: action.target == "other", None)

    assert await stored(fake, sealed) == ()
    document = fake.documents(TARGET)[names(sealed)[1]]
    assert document["tags"] == ["_beats_signer_no_place"]
    assert [len(actions) for actions in sent(fake)] == [4, 1, 1, 1]


async def test_a_place_of_the_sender_that_takes_nothing_at_all_is_left(
    fake: Fake,
) -> None:
    chosen = Destination("other", "p", is_chosen_by_sender=True)
    sealed = replace(three(), destinations=[None, chosen, None])
    fake.judge(
        Outcome.rejected(400, "illegal_argument_exception"),
        lambda action: action.target == "other",
        None,
    )

    assert await stored(fake, sealed) == (1,)
    assert fake.documents(TARGET)[names(sealed)[1]].keys() == {
        "beats_signer",
        "@timestamp",
    }


@pytest.mark.parametrize("is_bare", [False, True])
async def test_what_an_earlier_process_stored_is_recognised(
    fake: Fake, is_bare: bool
) -> None:
    sealed = three()
    if is_bare:
        fake.judge(Outcome.rejected(400, "document_parsing_exception"), event(1))
    expected = (1,) if is_bare else ()
    assert await stored(fake, sealed) == expected
    before = fake.documents("*")

    assert await stored(fake, sealed) == expected
    assert fake.documents("*") == before


async def test_a_minimal_document_is_recognised_as_bare(fake: Fake) -> None:
    sealed = three()
    fake.judge(Outcome.rejected(400, "document_parsing_exception"), event(1), 2)
    assert await stored(fake, sealed) == (1,)

    assert await stored(fake, sealed) == (1,)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"@metadata":{"a":1}}',
        b'{"@timestamp":"2026-11-23T09:00:00Z"}',
        b'{"error":{"type":"x"},"tags":["_beats_signer_bare"]}',
    ],
)
async def test_an_event_that_has_no_more_than_a_bare_document_is_not_bare(
    fake: Fake, payload: bytes
) -> None:
    sealed = Chain().events([payload])

    assert await stored(fake, sealed) == ()
    assert await stored(fake, sealed) == ()


async def test_a_document_under_our_name_that_is_not_ours_is_gone_around(
    fake: Fake,
) -> None:
    sealed, log = three(), Log([])
    for source in [b'{"a":1}', b'{"beats_signer":{"index":2}}']:
        name = names(sealed)[1 if b"a" in source[:4] else 2]
        _put(fake, TARGET, name, source)
    async with opened(fake, log=log) as store:
        assert (await store.append(to_write(store, sealed))).bare == ()

    documents = fake.documents(TARGET)
    assert documents[names(sealed)[1]] == {"a": 1}
    assert documents[names(sealed)[1] + ".1"]["message"] == "1"
    assert documents[names(sealed)[2] + ".1"]["message"] == "2"
    assert [one["level"] for one in log.events] == ["error", "error"]
    assert [one["document"] for one in log.events] == names(sealed)[1:]


FORGED = {
    "chain": "0" * 32,
    "index": 7,
    "form": "L",
    "payload": "{}",
    "salt": "AAAA",
}


@pytest.mark.parametrize("field", FORGED)
async def test_a_document_that_differs_in_anything_signed_is_not_ours(
    fake: Fake, field: str
) -> None:
    sealed = three()
    assert await stored(fake, sealed) == ()
    (index,) = fake.cluster.find(TARGET)
    document = index.documents[names(sealed)[1]]
    source = json.loads(document.source)
    source["beats_signer"][field] = FORGED[field]
    _put(fake, TARGET, names(sealed)[1], json.dumps(source).encode())
    async with opened(fake) as store:
        await store.append(to_write(store, sealed))

    assert fake.documents(TARGET)[names(sealed)[1] + ".1"]["message"] == "1"


async def test_a_document_with_dotted_names_is_ours_as_well(fake: Fake) -> None:
    sealed = three()
    assert await stored(fake, sealed) == ()
    for name, source in fake.documents(TARGET).items():
        signed = source.pop("beats_signer")
        dotted = {f"beats_signer.{key}": value for key, value in signed.items()}
        _put(fake, TARGET, name, json.dumps(source | dotted).encode())
    async with opened(fake) as store:
        assert (await store.append(to_write(store, sealed))).bare == ()

    assert len(fake.documents(TARGET)) == 3


async def test_when_all_names_are_taken_somebody_has_to_make_room(fake: Fake) -> None:
    sealed = Chain().events([b'{"a":1}'])
    (name,) = names(sealed)
    for suffix in ["", *(f".{n}" for n in range(1, 10))]:
        _put(fake, TARGET, name + suffix, b"{}")
    async with opened(fake) as store:
        write = to_write(store, sealed)
        with pytest.raises(RefusedError, match=r"every name of entry 0 of .* is taken"):
            await store.append(write)
        _remove(fake, name + ".9")
        await store.append(write)

    assert fake.documents(TARGET)[name + ".9"]["a"] == 1


async def test_another_seal_under_our_number_is_a_fork(fake: Fake) -> None:
    one, two = Chain().events([b"{}"]), Chain(twin="b").events([b"{}"])
    two = replace(two, chain=one.chain)
    async with opened(fake) as store:
        await store.append(to_write(store, one))
        with pytest.raises(ForkError, match="another seal stands under number 1"):
            await store.append(to_write(store, two))


@pytest.mark.parametrize("source", [b"{}", b'{"note":"x"}'])
async def test_what_is_no_seal_under_our_number_is_a_fork_too(
    fake: Fake, source: bytes
) -> None:
    sealed = three()
    _put(fake, "beats-signer-seals-2026.11", seal_id(sealed.chain, 1), source)
    async with opened(fake) as store:
        with pytest.raises(ForkError, match="another seal"):
            await store.append(to_write(store, sealed))


async def test_a_conflict_with_nothing_is_sent_again(fake: Fake) -> None:
    fake.judge(Outcome.rejected(409, "version_conflict_engine_exception"), event(1))
    async with opened(fake) as store:
        write = to_write(store, three())
        with pytest.raises(StoreError, match="1 of 4 items"):
            await store.append(write)
        await store.append(write)

    assert len(fake.documents(TARGET)) == 3


async def test_bytes_of_another_store_are_never_sent(fake: Fake) -> None:
    sealed = three()
    async with opened(fake) as store:
        write = to_write(store, sealed)
        for body in [b"", b"\0\0\0\1", write.body[:-1], write.body[:5] + b"\x00"]:
            with pytest.raises(RefusedError, match="its bytes cannot be sent: they"):
                await store.append(replace(write, body=body))

    assert fake.requests == []


async def test_bytes_that_are_damaged_are_not_taken_apart(fake: Fake) -> None:
    fake.judge(Outcome.rejected(429))
    sealed = three()
    async with opened(fake) as store:
        write = to_write(store, sealed)
        (part,) = split_body(write.body)
        wrong = Part(part.count, part.size - 1, part.data)
        body = write.body[:5] + msgspec.msgpack.encode([wrong])
        with pytest.raises(RefusedError, match="cannot be sent: request of 4 items"):
            await store.append(replace(write, body=body))


def _put(fake: Fake, target: str, name: str, source: bytes) -> None:
    """Let somebody else create a document."""
    action = Action("index", target, name, None, False, source)
    carry_out(fake.cluster, [action])


def _remove(fake: Fake, name: str) -> None:
    for index in fake.cluster.find(TARGET):
        index.documents.pop(name, None)
