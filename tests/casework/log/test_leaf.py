"""Each act is one leaf: hashed by RFC 6962, signed by its actor, naming all that it sealed."""

import hashlib
import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select, text

from casework.case import grants
from casework.case.tables import Case
from casework.keys import roster
from casework.log import leaf
from casework.log.leaf import SYSTEM, Draft, append, is_signed, leaf_hash, read
from casework.log.tables import Leaf
from crypto import canonical, signatures
from crypto.errors import CryptoError
from crypto.labels import Purpose
from crypto.persons import Person, PublicKeys
from tests.casework.cases import NARRATIVE, Filed, count, file_report, way
from tests.casework.office import Bench


def rows_of(bench: Bench) -> list[Leaf]:
    with bench.office.read() as uow:
        rows = list(uow.session.scalars(select(Leaf).order_by(Leaf.number)))
        for row in rows:
            uow.session.expunge(row)
    return rows


def verify_key(filed: Filed, person_id: str) -> bytes:
    if person_id == filed.reporter.person_id:
        return filed.reporter.person.public.verify_key
    with filed.bench.office.read() as uow:
        return roster.load(uow).verify_key_of(person_id)


def test_a_leaf_hash_is_that_of_rfc_6962() -> None:
    """SHA-256 of a zero byte and the leaf; the hash of the empty leaf is RFC 6962's own."""
    empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"").hex() == empty
    assert leaf_hash(b"x") == hashlib.sha256(b"\x00x").digest()


def test_every_act_appends_exactly_one_leaf(filed: Filed) -> None:
    """Acts and messages of both sides; numbers without gaps; nothing else appends."""
    before = count(filed.bench.office, "leaf")
    steps = [*way("selesai"), ("reporter", "rate")]
    for number, (user, transition) in enumerate(steps, start=1):
        filed.do(user, transition)
        assert count(filed.bench.office, "leaf") == before + number
        filed.file("inspektur")
        filed.mailbox()
        assert count(filed.bench.office, "leaf") == before + number
    filed.say("reporter", "terima kasih")
    events = [body["event"] for body in filed.leaves()]
    assert events == ["submit", *(transition for _, transition in steps), "message"]
    numbers = [row.number for row in rows_of(filed.bench)]
    assert numbers == list(range(len(numbers)))


def test_leaves_are_canonical_hashed_and_signed(filed: Filed) -> None:
    for user, transition in way("selesai"):
        filed.do(user, transition)
    filed.do("reporter", "rate")
    people = {filed.bench[user].person_id for user, _ in way("selesai")}
    actors = set()
    for row in rows_of(filed.bench):
        if row.case_id is None:
            continue
        assert row.body is not None
        body = json.loads(row.body)
        assert canonical.encode(body).decode() == row.body
        assert row.hash == leaf_hash(row.body.encode())
        assert (body["actor"], body["case"]) == (row.actor, row.case_id)
        assert row.signature is not None
        signatures.verify(
            verify_key(filed, row.actor),
            Purpose.LEAF,
            {"hash": row.hash.hex(), "number": row.number},
            row.signature,
        )
        actors.add(row.actor)
    assert actors == people | {filed.reporter.person_id}


def test_leaves_name_every_sealed_thing(filed: Filed) -> None:
    """Objects are the hashes of exactly the items and the new grants of the act."""
    bench, seen = filed.bench, dict[str, bytes]()
    for user, transition in [*way("selesai"), ("reporter", "rate")]:
        filed.do(user, transition)
        body = filed.leaves()[-1]
        number = filed.scalar("SELECT max(number) FROM leaf")
        items = {
            bytes(row[0]).hex()
            for row in filed.rows("SELECT digest FROM item WHERE leaf = :n", n=number)
        }
        sealed = {
            hashlib.sha256(row[0]).hexdigest()
            for row in filed.rows(
                "SELECT p.sealed FROM part p JOIN item i ON i.id = p.item_id WHERE i.leaf = :n",
                n=number,
            )
        }
        assert items == sealed
        assert len(items) == body["items"]
        with bench.office.read() as uow:
            case = uow.session.get(Case, filed.case_id)
            assert case is not None
            key = bench.office.keystore.shred_key(case.id, case.shred_version)
            assert key is not None
            inner = {
                row.id: hashlib.sha256(grants.unwrap(row, key)).digest()
                for row in grants.rows_of(uow.session, case.id)
            }
        new = {digest.hex() for row_id, digest in inner.items() if row_id not in seen}
        if seen:
            assert set(body["objects"]) == items | new
            assert len(body["granted"]) == len(new)
        seen = inner


def test_the_first_leaf_names_all_items_and_grants(filed: Filed) -> None:
    body = filed.leaves()[0]
    assert len(body["objects"]) == filed.scalar(
        "SELECT (SELECT count(*) FROM item WHERE case_id = :case)"
        ' + (SELECT count(*) FROM "grant" WHERE case_id = :case)'
    )


def test_the_submit_leaf_vouches_for_the_reporters_keys(filed: Filed) -> None:
    public: PublicKeys = filed.reporter.person.public
    digest = hashlib.sha256(canonical.encode(public.to_json())).hexdigest()
    assert filed.leaves()[0]["reporter"] == digest


def test_no_leaf_holds_a_plaintext_its_hash_or_a_time(filed: Filed) -> None:
    """Nothing finer than the day, and no SHA-256 of anything that was typed."""
    filed.say("reporter", "pesan rahasia saya")
    for user, transition in way("selesai"):
        filed.do(user, transition)
    typed = [NARRATIVE, "pesan rahasia saya", "catatan analyse", "pesan send_result", "800/12/ST"]
    forms = [
        canonical.encode(value)
        for one in typed
        for value in (one, {"text": one}, {"narrative": one, "position": "asn"})
    ] + [one.encode() for one in typed]
    hashes = [hashlib.sha256(form).hexdigest() for form in forms]
    for row in rows_of(filed.bench):
        assert row.body is not None
        assert not any(text in row.body for text in typed)
        assert not any(digest in row.body for digest in hashes)
        assert not re.search(
            r"\d\d:\d\d|T\d\d|\"at\"|\d{10}(?![0-9a-f])",
            re.sub(r'"[0-9a-f]{32,64}"|:[0-9a-f]{32}"|"WBS-\w{8}"', '""', row.body),
        )
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", json.loads(row.body)["day"])


def test_two_cases_share_one_log(bench: Bench) -> None:
    one, two = file_report(bench), file_report(bench)
    one.do("operator", "accept")
    two.do("operator", "reject")
    one.say("reporter", "x")
    numbers = [row.number for row in rows_of(bench)]
    assert all(after - before == 1 for before, after in pairwise(numbers))
    assert [body["event"] for body in one.leaves()] == ["submit", "accept", "message"]


class Failure(Exception):
    """Something breaks after the leaf and before the commit."""


def _append_and_fail(bench: Bench) -> None:
    with bench.office.write() as uow:
        append(uow, Draft("test", SYSTEM))
        raise Failure


def test_a_rolled_back_act_leaves_no_leaf(filed: Filed) -> None:
    before = count(filed.bench.office, "leaf")
    with pytest.raises(Failure):
        _append_and_fail(filed.bench)
    assert count(filed.bench.office, "leaf") == before


def row_of(body: str | None, digest: bytes | None = None, signature: bytes | None = None) -> Leaf:
    return Leaf(
        number=7,
        hash=digest or leaf_hash((body or "").encode()),
        body=body,
        case_id=None,
        actor=SYSTEM,
        signature=signature,
    )


def test_reading_a_leaf() -> None:
    assert read(row_of('{"a":1}')) == {"a": 1}
    assert read(row_of('{"a":1}', bytes(32))) is None
    for body in (None, "", "{", "[1]", "1", '{"a": 1}', '{"a":1,"a":1}'):
        assert read(row_of(body)) is None


def test_only_its_actor_signs_a_leaf() -> None:
    person, other = Person.generate(), Person.generate()
    row = row_of('{"a":1}')
    row.signature = person.signing.sign(Purpose.LEAF, {"hash": row.hash.hex(), "number": 7})
    assert is_signed(row, "p", lambda _: person.public.verify_key)
    assert not is_signed(row, "p", lambda _: other.public.verify_key)
    assert not is_signed(row, SYSTEM, lambda _: person.public.verify_key)
    row.number = 8
    assert not is_signed(row, "p", lambda _: person.public.verify_key)
    row.signature = None
    assert not is_signed(row, "p", lambda _: person.public.verify_key)
    assert is_signed(row, SYSTEM, lambda _: person.public.verify_key)

    def unknown(_: str) -> bytes:
        raise CryptoError

    assert not is_signed(row, "p", unknown)


@pytest.mark.parametrize("change", ["number = -1", "hash = x'00'"])
def test_the_database_refuses_what_is_no_leaf(filed: Filed, change: str) -> None:
    with filed.bench.office.engine.connect() as connection, pytest.raises(Exception, match="CHECK"):
        connection.execute(text(f"UPDATE leaf SET {change} WHERE case_id IS NOT NULL"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def canonically(raw: bytes) -> object:
    try:
        return canonical.decode(raw)
    except CryptoError:
        return "refused"


@given(content=st.dictionaries(st.text(alphabet="abz_\x7f", max_size=3), JSON), tidy=st.booleans())
@example(content={"a": 2**53}, tidy=True)
@example(content={"a": -(2**53)}, tidy=True)
@example(content={"a": 1.0}, tidy=True)
@example(content={"b": 1, "a": {"d": 1, "c": [1.5]}}, tidy=True)
def test_the_fast_way_to_read_a_leaf_reads_what_the_slow_one_does(
    *, content: dict[str, Any], tidy: bool
) -> None:
    """Whatever is written, canonically or not: the same value, or the same refusal."""
    plain = json.dumps(content, sort_keys=tidy, separators=(",", ":") if tidy else None)
    for raw in (plain.encode(), plain.encode() + b" ", b"[" + plain.encode() + b"]"):
        row = Leaf(number=0, hash=leaf_hash(raw), body=raw.decode())
        wanted = canonically(raw)
        assert read(row) == (wanted if isinstance(wanted, dict) else None)


@pytest.mark.parametrize(
    "body", ['{"a":1,"a":1}', '{"b":1,"a":1}', '{"a":1.0}', '{"a":9007199254740992}', '{"a": 1}']
)
def test_what_is_not_canonical_says_nothing(body: str) -> None:
    assert read(Leaf(number=0, hash=leaf_hash(body.encode()), body=body)) is None


@given(digest=st.binary(min_size=32, max_size=32), number=st.integers(-(2**53) + 1, 2**53 - 1))
def test_what_a_leafs_signature_is_over_is_canonical(digest: bytes, number: int) -> None:
    """It is written out for speed, and is what the general encoder makes of it."""
    said = canonical.encode({"hash": digest.hex(), "number": number})
    assert leaf.statement(digest, number) == said
