import hashlib
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import canonical, envelope
from crypto.age import HybridIdentity, decrypt, encrypt
from crypto.envelope import (
    EVIDENCE_FLOOR,
    TEXT_FLOOR,
    Header,
    Sealer,
    seal,
    unseal,
    unseal_with_header,
)
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered, WrongKey
from crypto.padme import padded_length

OWNER = HybridIdentity.from_seed(bytes(range(32)))
TO_OWNER = [OWNER.recipient]
ROW = Header(
    instance="inspektorat-contoh",
    case="case-1",
    compartment="content",
    item="item-1",
    version=1,
    kind="message",
    author="person-1",
    day="2026-02-28",
)
FILE = replace(ROW, name="foto rapat.jpg", media_type="image/jpeg")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HEADERS = st.builds(
    Header,
    instance=TEXTS,
    case=TEXTS,
    compartment=TEXTS,
    item=TEXTS,
    version=st.integers(0, 2**53 - 1),
    kind=TEXTS,
    author=TEXTS,
    day=st.dates().map(str),
    name=TEXTS,
    media_type=TEXTS,
)


def layout(
    head: bytes,
    body: bytes = b"isi",
    padding: bytes = b"",
    *,
    length: int | None = None,
    digest: bytes | None = None,
    head_size: int | None = None,
) -> bytes:
    """An envelope put together by hand, with whatever is given in place of what is right."""
    return b"".join(
        (
            (len(head) if head_size is None else head_size).to_bytes(4, "big"),
            head,
            body,
            padding,
            (len(body) if length is None else length).to_bytes(8, "big"),
            hashlib.sha256(body).digest() if digest is None else digest,
        )
    )


def head_of(header: Header = ROW, **changes: object) -> bytes:
    values: dict[str, object] = {item.name: getattr(header, item.name) for item in fields(header)}
    return canonical.encode({"v": 1, **values, **changes})  # type: ignore[dict-item]


def open_layout(plain: bytes, expected: Header = ROW) -> bytes:
    return unseal(encrypt(plain, TO_OWNER), OWNER, expected)


@given(HEADERS, st.binary(max_size=3000), st.sampled_from([0, TEXT_FLOOR, EVIDENCE_FLOOR]))
@settings(max_examples=50)
def test_what_was_sealed_comes_back_with_its_header(
    header: Header, body: bytes, floor: int
) -> None:
    sealed = seal(header, body, TO_OWNER, floor=floor)
    assert unseal_with_header(sealed, OWNER, header) == (header, body)


@given(st.lists(st.binary(max_size=200_000), max_size=4), st.sampled_from([0, EVIDENCE_FLOOR]))
@settings(max_examples=20, deadline=None)
def test_a_body_that_arrives_in_pieces_is_sealed_like_a_whole_one(
    pieces: list[bytes], floor: int
) -> None:
    sealer = Sealer(FILE, TO_OWNER, floor=floor)
    sealed = b"".join([*map(sealer.update, pieces), sealer.finalize()])
    whole = seal(FILE, b"".join(pieces), TO_OWNER, floor=floor)
    assert decrypt(sealed, [OWNER]) == decrypt(whole, [OWNER])


def test_pieces_are_counted_in_bytes() -> None:
    sealer = Sealer(ROW, TO_OWNER)
    wide = memoryview(bytes(range(8))).cast("I")
    sealed = sealer.update(wide) + sealer.finalize()
    assert unseal(sealed, OWNER, ROW) == bytes(range(8))


def test_ciphertext_is_handed_out_while_the_body_arrives() -> None:
    sealer = Sealer(ROW, TO_OWNER)
    first = sealer.update(bytes(200_000))
    assert len(first) > 3 * 65536
    assert unseal(first + sealer.finalize(), OWNER, ROW) == bytes(200_000)


def test_a_finished_envelope_takes_nothing_more() -> None:
    sealer = Sealer(ROW, TO_OWNER)
    sealer.finalize()
    with pytest.raises(RuntimeError):
        sealer.update(b"isi")
    with pytest.raises(RuntimeError):
        sealer.finalize()


def test_every_recipient_can_open() -> None:
    other = HybridIdentity.generate()
    sealed = seal(ROW, b"isi", [OWNER.recipient, other.recipient])
    assert unseal(sealed, OWNER, ROW) == unseal(sealed, other, ROW) == b"isi"


def test_nobody_else_can_open() -> None:
    with pytest.raises(WrongKey):
        unseal(seal(ROW, b"isi", TO_OWNER), HybridIdentity.generate(), ROW)


def test_somebody_must_be_able_to_open() -> None:
    with pytest.raises(ValueError, match="recipients"):
        seal(ROW, b"isi", [])


def test_the_layout_is_the_documented_one_so_that_any_age_tool_suffices() -> None:
    plain = decrypt(seal(FILE, b"isi", TO_OWNER), [OWNER])
    head = head_of(FILE)
    padding = bytes(1024 - 4 - len(head) - 3 - 40)
    assert plain == layout(head, b"isi", padding)
    assert head.startswith(b'{"author":"person-1","case":"case-1",')


def test_texts_of_different_length_look_alike() -> None:
    sizes = {len(seal(FILE, b"a" * size, TO_OWNER)) for size in (0, 1, 100, 600)}
    assert len(sizes) == 1


def test_small_files_look_alike() -> None:
    sizes = {
        len(decrypt(seal(FILE, bytes(size), TO_OWNER, floor=EVIDENCE_FLOOR), [OWNER]))
        for size in (0, 1000, 65_000)
    }
    assert sizes == {EVIDENCE_FLOOR}


def test_padding_hides_the_length_of_the_file_name_too() -> None:
    long_name = replace(FILE, name="n" * 200)
    assert len(seal(FILE, b"isi", TO_OWNER)) == len(seal(long_name, b"isi", TO_OWNER))


@pytest.mark.parametrize("size", [700, 2000, 5000, 100_000])
def test_the_whole_plaintext_has_a_padme_size(size: int) -> None:
    plain = decrypt(seal(ROW, bytes(size), TO_OWNER), [OWNER])
    assert padded_length(len(plain), TEXT_FLOOR) == len(plain)
    assert len(plain) <= (size + len(head_of()) + 44) * 1.12 + 1024 * (size < 1024)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance", "inspektorat-lain"),
        ("case", "case-2"),
        ("compartment", "identity"),
        ("item", "item-2"),
        ("version", 2),
        ("kind", "report"),
        ("author", "person-2"),
        ("day", "2026-03-01"),
    ],
)
def test_an_envelope_read_as_another_row_is_refused(field: str, value: str | int) -> None:
    other = Header(**{**vars(ROW), field: value})
    with pytest.raises(Tampered, match=r"^envelope: belongs to another row$"):
        unseal(seal(ROW, b"isi", TO_OWNER), OWNER, other)
    with pytest.raises(Tampered):
        unseal(seal(other, b"isi", TO_OWNER), OWNER, ROW)


def test_the_swap_cases_above_name_every_field_but_the_description() -> None:
    names = {item.name for item in fields(Header)} - {"name", "media_type"}
    marker = next(
        mark
        for mark in test_an_envelope_read_as_another_row_is_refused.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    )
    assert {case[0] for case in marker.args[1]} == names


def test_the_description_comes_from_the_envelope_whatever_was_expected() -> None:
    sealed = seal(FILE, b"isi", TO_OWNER)
    assert unseal_with_header(sealed, OWNER, ROW) == (FILE, b"isi")
    assert unseal(sealed, OWNER, replace(ROW, name="lain", media_type="lain")) == b"isi"


def test_a_change_of_any_byte_is_refused() -> None:
    sealed = seal(ROW, b"isi", TO_OWNER)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << place % 8
        with pytest.raises(CryptoError):
            unseal(bytes(changed), OWNER, ROW)


@given(st.data())
def test_cutting_or_appending_is_refused(data: st.DataObject) -> None:
    sealed = seal(ROW, b"isi", TO_OWNER)
    end = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(CryptoError):
        unseal(sealed[:end], OWNER, ROW)
    with pytest.raises(CryptoError):
        unseal(sealed + data.draw(st.binary(min_size=1)), OWNER, ROW)


def test_an_envelope_put_together_by_hand_opens() -> None:
    """Without this, the refusals below could all have one wrong reason."""
    assert open_layout(layout(head_of())) == b"isi"
    assert open_layout(layout(head_of(), b"")) == b""


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (b"", "cut short"),
        (bytes(43), "cut short"),
        (layout(head_of(), length=4), "lengths do not fit"),
        (layout(head_of(), length=2**64 - 1), "lengths do not fit"),
        (layout(b"", b"", head_size=1), "lengths do not fit"),
        (layout(head_of(), padding=b"\x00\x01"), "padding is not zero"),
        (layout(head_of(), padding=b"\x01\x00"), "padding is not zero"),
        (layout(head_of(), length=2), "padding is not zero"),
        (layout(b"", b""), "not JSON"),
        (layout(b"[]"), "fields of the header"),
        (layout(b"1"), "fields of the header"),
        (layout(head_of(extra="x")), "fields of the header"),
        (layout(canonical.encode({"v": 1, "case": "case-1"})), "fields of the header"),
        (layout(head_of(v=2)), "unknown format version"),
        (layout(head_of(v=True)), "unknown format version"),
        (layout(head_of(v="1")), "unknown format version"),
        (layout(head_of(version="1")), "type of a header field"),
        (layout(head_of(version=True)), "type of a header field"),
        (layout(head_of(case=1)), "type of a header field"),
        (layout(head_of(name=None)), "type of a header field"),
        (layout(head_of(version=-1)), "negative item version"),
        (layout(head_of(day="20260228")), "day is not an ISO date"),
        (layout(head_of().replace(b":1", b": 1")), "not the canonical encoding"),
    ],
)
def test_an_authentic_file_with_a_broken_envelope_is_malformed(plain: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=f": {reason}$"):
        open_layout(plain)


def test_a_body_with_another_hash_is_refused() -> None:
    with pytest.raises(Tampered, match=r"^envelope: body has another hash$"):
        open_layout(layout(head_of(), digest=bytes(32)))


def test_a_header_length_beyond_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(LimitExceeded, match=r"^envelope: header too long$"):
        open_layout(layout(head_of(), head_size=16 * 1024 + 1))
    with pytest.raises(Malformed, match="lengths do not fit"):
        open_layout(layout(head_of(), head_size=16 * 1024))


def test_a_header_may_have_16_kib_and_not_a_byte_more() -> None:
    room = 16 * 1024 - len(head_of())
    longest = replace(ROW, name="n" * room)
    assert unseal_with_header(seal(longest, b"isi", TO_OWNER), OWNER, ROW)[0] == longest
    with pytest.raises(LimitExceeded, match=r"^envelope: header too long$"):
        seal(replace(ROW, name="n" * (room + 1)), b"isi", TO_OWNER)


@pytest.mark.parametrize(
    "day", ["", "20260228", "2026-W09-6", "2026-02-30", "2026-2-28", "28-02-2026"]
)
def test_a_day_has_one_spelling(day: str) -> None:
    with pytest.raises(Malformed, match=r"^envelope: day is not an ISO date$"):
        replace(ROW, day=day)


def test_a_negative_version_is_refused() -> None:
    assert replace(ROW, version=0).version == 0
    with pytest.raises(Malformed, match=r"^envelope: negative item version$"):
        replace(ROW, version=-1)


def test_a_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(Malformed, match=r"^canonical JSON: "):
        seal(replace(ROW, name="\ud800"), b"isi", TO_OWNER)


def test_file_names_are_not_shown_by_repr() -> None:
    assert "rapat" not in repr(FILE)
    assert "image" not in repr(FILE)
    assert "case-1" in repr(FILE)


def test_sealing_twice_gives_nothing_to_compare() -> None:
    assert seal(ROW, b"isi", TO_OWNER) != seal(ROW, b"isi", TO_OWNER)


def test_a_row_does_not_describe_unless_told_to() -> None:
    assert ROW.name == ""
    assert ROW.media_type == ""


def test_the_constants_of_the_format() -> None:
    """Stored data depends on them."""
    assert (envelope.FORMAT_VERSION, TEXT_FLOOR, EVIDENCE_FLOOR) == (1, 1024, 65536)
    assert len(decrypt(seal(ROW, b"isi", TO_OWNER), [OWNER])) == TEXT_FLOOR
