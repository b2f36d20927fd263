import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import note
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered
from crypto.note import Kind, NoteKey, NoteSigner, Signature, SignedNote, Verified

FOLDER = Path(__file__).parents[1] / "vectors" / "note"
GOLANG: dict[str, Any] = json.loads((FOLDER / "golang.json").read_text(encoding="utf-8"))

TEXT = "contoh.example/log\n256\n\nbaris — terakhir\n"
LOG = NoteSigner("contoh.example/log", Kind.LOG, bytes(range(32)))
WITNESS = NoteSigner("saksi.example", Kind.WITNESS, bytes(range(1, 33)))
STRANGER = NoteSigner("lain.example", Kind.LOG, bytes(range(2, 34)))
MOMENT = 1_772_236_800
SIGNED = SignedNote(TEXT, (LOG.sign(TEXT), WITNESS.sign(TEXT, MOMENT)))
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group of Ed25519."""

BAD_NAMES = ["", "a b", "a+b", "a\tb", "a\nb", "a\rb", "a\0b", "a\x1fb", "a\x85b", "a\xa0b"]
BAD_NAMES += ["a\u2003b", "a\u3000b", " a", "a ", "x" * 256, "a\ud800"]

names = st.text(
    st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"], exclude_characters="+"),
    min_size=1,
    max_size=20,
)
bodies = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32)) | st.just("— a AAAAAAA=")
).map(lambda lines: "".join(f"{line}\n" for line in lines) or "\n")
seeds = st.binary(min_size=32, max_size=32)


def line(one: Signature) -> str:
    return one.to_line().removesuffix("\n")


def altered(one: Signature) -> Signature:
    return Signature(one.name, one.key_id, one.data[:-1] + bytes([one.data[-1] ^ 1]))


# What is published


def test_the_note_of_go_is_read_and_its_signature_holds() -> None:
    key = NoteKey.from_text(GOLANG["vkeys"][0])
    signed = SignedNote.from_bytes(GOLANG["note"].encode())
    assert signed.verify([key]) == (Verified(key, 0),)
    assert signed.to_text() == GOLANG["note"]
    assert key.to_text() == GOLANG["vkeys"][0]


def test_a_cosignature_covers_two_lines_of_its_own_and_the_text() -> None:
    covered = f"cosignature/v1\ntime {MOMENT}\n{TEXT}".encode()
    assert WITNESS.sign(TEXT, MOMENT).data == MOMENT.to_bytes(8, "big") + (
        Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))).sign(covered)
    )
    named = b"saksi.example\n\x04" + WITNESS.key.public
    assert WITNESS.key.key_id == sha256(named).digest()[:4]


# Keys


@given(names, st.sampled_from(Kind), seeds)
@settings(max_examples=50)
def test_keys_are_read_as_they_were_written(name: str, kind: Kind, seed: bytes) -> None:
    signer = NoteSigner(name, kind, seed)
    assert NoteKey.from_text(signer.key.to_text()) == signer.key
    again = NoteSigner.from_text(signer.to_text())
    assert again.key == signer.key
    assert again.sign(TEXT, 7) == signer.sign(TEXT, 7)
    assert again.to_text() == signer.to_text()


def test_no_representation_shows_the_secret() -> None:
    secret = note.encode(bytes([1]) + bytes(range(32)))
    assert secret in LOG.to_text()
    shown = f"{LOG!r} {LOG} {LOG.key!r} {SIGNED!r}"
    assert "contoh.example/log" in shown
    for form in (secret, bytes(range(32)).hex(), repr(bytes(range(32)))[2:-1]):
        assert form not in shown
    assert repr(LOG) == "NoteSigner(contoh.example/log)"
    assert repr(SIGNED.signatures[0].data) not in shown


def test_no_part_and_no_change_of_a_key_is_a_key() -> None:
    for text, read in (
        (LOG.key.to_text(), NoteKey.from_text),
        (LOG.to_text(), NoteSigner.from_text),
    ):
        wrong = {text[:end] for end in range(len(text))} | {text[start:] for start in range(1, 99)}
        for place, letter in enumerate(text):
            for other in (chr(ord(letter) + 1), letter.swapcase(), letter * 2, f"{letter}\n"):
                wrong.add(text[:place] + other + text[place + 1 :])
        for one in wrong - {text}:
            with pytest.raises(Malformed):
                read(one)


def test_a_public_key_is_no_private_one_nor_the_reverse() -> None:
    with pytest.raises(Malformed, match="not a private key"):
        NoteSigner.from_text(LOG.key.to_text())
    with pytest.raises(Malformed):
        NoteKey.from_text(LOG.to_text())
    with pytest.raises(Malformed, match="not a private key"):
        NoteSigner.from_text(f"x{LOG.to_text()}")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_would_break_a_line_are_refused(name: str) -> None:
    with pytest.raises(Malformed, match="not a key's name"):
        NoteKey(name, Kind.LOG, LOG.key.public)
    with pytest.raises(Malformed, match="not a key's name"):
        NoteSigner(name, Kind.LOG, bytes(32))
    with pytest.raises(Malformed):
        NoteKey.from_text(LOG.key.to_text().replace("contoh.example/log", name))
    with pytest.raises(Malformed):
        Signature.from_line(line(SIGNED.signatures[0]).replace("contoh.example/log", name))


def test_a_name_may_have_255_characters() -> None:
    key = NoteKey("x" * note.MAX_NAME, Kind.LOG, LOG.key.public)
    assert NoteKey.from_text(key.to_text()) == key


@pytest.mark.parametrize("height", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18])
@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_keys_of_small_order_or_another_encoding_are_refused(height: int, sign: int) -> None:
    public = (height | sign).to_bytes(32, "little")
    key_id = sha256(b"a\n\x01" + public).digest()[:4].hex()
    with pytest.raises(Malformed, match="of small order"):
        NoteKey.from_text(f"a+{key_id}+{note.encode(bytes([1]) + public)}")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_secrets_and_keys_have_32_bytes(size: int) -> None:
    with pytest.raises(Malformed, match="a secret of wrong size"):
        NoteSigner("a", Kind.LOG, bytes(size))
    with pytest.raises(Malformed):
        NoteKey("a", Kind.LOG, bytes(range(size)))


@pytest.mark.parametrize("kind", [0, 2, 3, 5, 6, 255])
def test_keys_of_other_kinds_are_not_read(kind: int) -> None:
    material = bytes([kind]) + LOG.key.public
    key_id = sha256(b"a\n" + material).digest()[:4].hex()
    with pytest.raises(Malformed, match="unknown kind"):
        NoteKey.from_text(f"a+{key_id}+{note.encode(material)}")


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(Malformed, match="unknown kind"):
        NoteKey.from_text("a+00000000+")


# The form of a note


@given(bodies, names, st.sampled_from(Kind), seeds, st.integers(0, 2**63 - 1))
@settings(max_examples=60)
def test_what_was_signed_is_read_and_holds(
    text: str, name: str, kind: Kind, seed: bytes, moment: int
) -> None:
    signer = NoteSigner(name, kind, seed)
    signed = SignedNote(text, (signer.sign(text, moment), STRANGER.sign(text)))
    assert SignedNote.from_bytes(signed.to_text().encode()) == signed
    stated = moment if kind is Kind.WITNESS else 0
    assert signed.verify([signer.key]) == (Verified(signer.key, stated),)


def test_any_change_of_one_character_is_refused() -> None:
    text = SignedNote(TEXT, (WITNESS.sign(TEXT, MOMENT),)).to_text()
    for place, letter in enumerate(text):
        for other in {"", "\n", " ", "A", "=", "\r", "é", letter * 2} - {letter}:
            changed = text[:place] + other + text[place + 1 :]
            with pytest.raises(CryptoError):
                SignedNote.from_text(changed).verify([WITNESS.key])


def broken() -> Iterator[tuple[str, str]]:
    """Yield what is wrong, and a text that is no note."""
    first = line(SIGNED.signatures[0])
    whole = SIGNED.to_text()
    yield "nothing", ""
    yield "no signature", TEXT
    yield "no signature after the blank line", f"{TEXT}\n"
    yield "no blank line", f"a\n{first}\n"
    yield "no text", f"\n{first}\n"
    yield "no last newline", whole.removesuffix("\n")
    yield "carriage returns", whole.replace("\n", "\r\n")
    yield "a carriage return in the text", f"a\r\n\n{first}\n"
    for code in (0, 9, 11, 12, 27, 31):
        yield f"control character {code}", f"a{chr(code)}\n\n{first}\n"
    yield "a lone surrogate", f"a\ud800\n\n{first}\n"
    yield "another line", f"{whole}more\n"
    yield "a blank last line", f"{whole}\n"
    yield "a blank line between signatures", f"{TEXT}\n{first}\n\n{first}x\n"
    for what, bad in (
        ("hyphen", first.replace("—", "-")),
        ("no dash", first.removeprefix("— ")),
        ("no space", first.replace("— ", "—")),
        ("two spaces", first.replace("— ", "—  ")),
        ("space at the end", f"{first} "),
        ("space before", f" {first}"),
        ("two words", f"{first} {first}"),
        ("no signature in a line", first.rpartition(" ")[0]),
        ("empty signature", f"— a {note.encode(b'')}"),
        ("short id", f"— a {note.encode(b'123')}"),
        ("id alone", f"— a {note.encode(b'1234')}"),
    ):
        yield what, f"{TEXT}\n{bad}\n"


BROKEN = dict(broken())


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_note_is_refused(what: str) -> None:
    text = BROKEN[what]
    with pytest.raises(Malformed):
        SignedNote.from_text(text)
    with pytest.raises(Malformed):
        SignedNote.from_bytes(text.encode(errors="surrogatepass"))


@pytest.mark.parametrize("raw", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_bytes_that_are_not_utf_8_are_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match="not UTF-8"):
        SignedNote.from_bytes(raw + SIGNED.to_text().encode())


@pytest.mark.parametrize("text", ["", "no newline", "a\r\n", "a\0\n", "a\t\n", "a\ud800\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    for signer in (LOG, WITNESS):
        with pytest.raises(Malformed):
            signer.sign(text)


def test_the_last_blank_line_ends_the_text() -> None:
    text = f"a\n\n{line(SIGNED.signatures[0])}\n"
    signed = SignedNote(text, (LOG.sign(text),))
    assert SignedNote.from_text(signed.to_text()) == signed
    assert SignedNote.from_text(f"a\n\n{signed.to_text()}").text == f"a\n\n{text}"


def test_a_note_has_at_most_256_kib() -> None:
    tail = f"\n{SIGNED.signatures[0].to_line()}"
    room = 256 * 1024 - len(tail.encode()) - 1
    largest = f"{'a' * room}\n{tail}"
    assert len(largest.encode()) == note.MAX_SIZE
    SignedNote.from_text(largest)
    SignedNote.from_bytes(largest.encode())
    wide = f"{'é' * (room // 2 + 1)}\n{tail}"
    for larger in (f"a{largest}", wide):
        with pytest.raises(LimitExceeded, match="too large"):
            SignedNote.from_text(larger)
        with pytest.raises(LimitExceeded, match="too large"):
            SignedNote.from_bytes(larger.encode())
    with pytest.raises(LimitExceeded, match="too large"):
        SignedNote.from_bytes(b"\xff" * (note.MAX_SIZE + 1))
    with pytest.raises(Malformed, match="no signatures"):
        SignedNote.from_text("a" * note.MAX_SIZE)


def test_a_note_has_at_most_100_signatures() -> None:
    own = SIGNED.signatures[0]
    assert len(SignedNote.from_text(f"{TEXT}\n{own.to_line() * 100}").signatures) == 100
    with pytest.raises(LimitExceeded, match="too many signatures"):
        SignedNote.from_text(f"{TEXT}\n{own.to_line() * 101}")


# Base64


@given(st.binary(max_size=40))
def test_base64_is_read_as_it_was_written(raw: bytes) -> None:
    assert note.decode(note.encode(raw)) == raw


# Bits that are thrown away, padding, the other alphabet, other letters; then whitespace.
NOT_BASE64 = "QR== QUJ= QQ QQ= QQ=== QUI QUI== QUJD= =QQ= QQ==QQ== -_-_ Q = ==== *AAA QUJ\u0444"
SPACED = ["QUJD\n", " QUJD", "QU JD", "QU\nJD", "QQ=\n=", "QUJ\0", "\uff21AAA", "QUJD\ud800"]


@pytest.mark.parametrize("text", [*NOT_BASE64.split(), *SPACED])
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(Malformed, match=r"^note: (not base64|base64 that is not canonical)$"):
        note.decode(text)


# Who signed


def test_verify_says_which_of_the_keys_signed_in_the_order_of_the_keys() -> None:
    log, witness = Verified(LOG.key, 0), Verified(WITNESS.key, MOMENT)
    assert SIGNED.verify([LOG.key, WITNESS.key]) == (log, witness)
    assert SIGNED.verify([WITNESS.key, STRANGER.key, LOG.key]) == (witness, log)
    assert SIGNED.verify([WITNESS.key, WITNESS.key]) == (witness,)


@pytest.mark.parametrize("keys", [[], [STRANGER.key]])
def test_a_note_that_nobody_known_signed_is_refused(keys: list[NoteKey]) -> None:
    with pytest.raises(Tampered, match="nobody known has signed"):
        SIGNED.verify(keys)


def test_signatures_of_others_are_kept_and_ignored() -> None:
    same_id = Signature("lain.example", LOG.key.key_id, b"nonsense")
    same_name = Signature(LOG.key.name, STRANGER.key.key_id, b"nonsense")
    mixed = SignedNote(TEXT, (same_id, *SIGNED.signatures, same_name))
    assert mixed.verify([LOG.key]) == (Verified(LOG.key, 0),)
    assert SignedNote.from_text(mixed.to_text()) == mixed


def test_a_bad_signature_in_a_known_name_refuses_the_note() -> None:
    own, cosigned = SIGNED.signatures
    for signatures in (
        (altered(own), cosigned),
        (own, altered(cosigned)),
        (own, altered(own)),
        (altered(own), own),
    ):
        with pytest.raises(Tampered, match="a signature does not fit"):
            SignedNote(TEXT, signatures).verify([LOG.key, WITNESS.key])


def test_a_signature_of_another_kind_of_size_refuses_the_note() -> None:
    own = SIGNED.signatures[0]
    for data in (own.data[:-1], own.data + b"\0", own.data[:1]):
        with pytest.raises(Malformed, match="a signature of wrong size"):
            SignedNote(TEXT, (Signature(own.name, own.key_id, data),)).verify([LOG.key])


def test_the_same_signature_twice_counts_once() -> None:
    own = SIGNED.signatures[0]
    assert SignedNote(TEXT, (own, own)).verify([LOG.key]) == (Verified(LOG.key, 0),)


def test_the_first_of_two_cosignatures_states_the_time() -> None:
    both = tuple(WITNESS.sign(TEXT, moment) for moment in (9, 8))
    assert SignedNote(TEXT, both).verify([WITNESS.key]) == (Verified(WITNESS.key, 9),)


def test_one_key_of_two_kinds_is_two_keys() -> None:
    """A log's signature under a text that looks like a cosignature's is none."""
    twin = NoteSigner(WITNESS.key.name, Kind.LOG, bytes(range(1, 33)))
    assert twin.key.key_id != WITNESS.key.key_id
    with pytest.raises(Tampered, match="nobody known has signed"):
        SignedNote(TEXT, (WITNESS.sign(TEXT, 5),)).verify([twin.key])


def test_a_signature_has_one_form() -> None:
    """The scalar plus the order of the group would verify where it is not reduced first."""
    own = SIGNED.signatures[0].data
    scalar = int.from_bytes(own[32:], "little") + ORDER
    with pytest.raises(Tampered):
        LOG.key.check(TEXT.encode(), own[:32] + scalar.to_bytes(32, "little"))


def test_further_signatures_are_added_once() -> None:
    own, cosigned = SIGNED.signatures
    assert SignedNote(TEXT, (own,)).with_signatures([cosigned, own, cosigned]) == SIGNED


# Cosignatures


@pytest.mark.parametrize("moment", [0, 1, 2**63 - 1])
def test_the_time_of_a_cosignature_is_covered(moment: int) -> None:
    signed = WITNESS.sign(TEXT, moment)
    assert WITNESS.key.check(TEXT.encode(), signed.data) == moment
    with pytest.raises(Tampered):
        WITNESS.key.check(TEXT.encode(), (moment ^ 2).to_bytes(8) + signed.data[8:])


def test_a_cosignature_states_no_time_unless_it_is_told_one() -> None:
    assert WITNESS.sign(TEXT) == WITNESS.sign(TEXT, 0)


@pytest.mark.parametrize("moment", [-1, 2**63, 2**64])
def test_a_time_out_of_range_is_not_signed(moment: int) -> None:
    with pytest.raises(Malformed, match="a time out of range"):
        WITNESS.sign(TEXT, moment)


@pytest.mark.parametrize("moment", [2**63, 2**64 - 1])
def test_a_time_out_of_range_is_refused_though_it_is_signed(moment: int) -> None:
    covered = f"cosignature/v1\ntime {moment}\n{TEXT}".encode()
    good = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))).sign(covered)
    with pytest.raises(Malformed, match="a time out of range"):
        WITNESS.key.check(TEXT.encode(), moment.to_bytes(8) + good)


def test_a_truncated_cosignature_is_refused() -> None:
    data = SIGNED.signatures[1].data
    for size in (*range(1, 9), 64, 71):
        cut = Signature(WITNESS.key.name, WITNESS.key.key_id, data[:size])
        with pytest.raises(Malformed):
            SignedNote(TEXT, (cut,)).verify([WITNESS.key])
    with pytest.raises(Malformed, match="a signature of wrong size"):
        WITNESS.key.check(TEXT.encode(), data + b"\0")
