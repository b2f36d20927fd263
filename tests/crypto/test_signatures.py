import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import signatures
from crypto.canonical import Json, encode
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.labels import Purpose
from crypto.signatures import SigningKey, check_verify_key, verify

SEED = bytes(range(32))
KEY = SigningKey.from_seed(SEED)
STATEMENT: dict[str, Json] = {
    "instance": "inspektorat-contoh",
    "case": "case-1",
    "compartment": "content",
    "item": "item-1",
    "version": 1,
    "kind": "message",
    "author": "person-1",
    "day": "2026-02-28",
    "sha256": "00" * 32,
}
SIGNATURE = KEY.sign(Purpose.ITEM, STATEMENT)

PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME


def test_keys_come_from_seeds_as_in_rfc_8032_section_7_1() -> None:
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert SigningKey.from_seed(bytes.fromhex(seed)).verify_key.hex() == public


def test_a_signature_is_the_suite_and_ed25519_over_purpose_zero_statement() -> None:
    assert SIGNATURE[:1] == b"\x01"
    message = b"suaka/v1/sign/item\x00" + encode(STATEMENT)
    Ed25519PublicKey.from_public_bytes(KEY.verify_key).verify(SIGNATURE[1:], message)
    assert len(SIGNATURE) == signatures.SIGNATURE_SIZE == 65
    assert len(KEY.verify_key) == signatures.VERIFY_KEY_SIZE == 32


@given(
    st.sampled_from(Purpose),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)),
)
@settings(max_examples=30)
def test_what_was_signed_verifies(purpose: Purpose, statement: dict[str, Json]) -> None:
    verify(KEY.verify_key, purpose, statement, KEY.sign(purpose, statement))


def test_the_order_of_fields_does_not_matter() -> None:
    verify(KEY.verify_key, Purpose.ITEM, dict(reversed(STATEMENT.items())), SIGNATURE)


@pytest.mark.parametrize("purpose", [item for item in Purpose if item is not Purpose.ITEM])
def test_a_signature_is_worth_nothing_for_another_purpose(purpose: Purpose) -> None:
    with pytest.raises(Tampered, match=r"^signature: does not fit$"):
        verify(KEY.verify_key, purpose, STATEMENT, SIGNATURE)


@pytest.mark.parametrize("field", STATEMENT)
def test_a_change_of_any_field_is_refused(field: str) -> None:
    changed = {**STATEMENT, field: 2 if field == "version" else "other"}
    missing = {name: value for name, value in STATEMENT.items() if name != field}
    for statement in (changed, missing):
        with pytest.raises(Tampered):
            verify(KEY.verify_key, Purpose.ITEM, statement, SIGNATURE)


def test_a_number_is_not_its_text() -> None:
    with pytest.raises(Tampered):
        verify(KEY.verify_key, Purpose.ITEM, {**STATEMENT, "version": "1"}, SIGNATURE)


def test_a_change_of_any_bit_is_refused() -> None:
    for bit in range(len(SIGNATURE) * 8):
        changed = bytearray(SIGNATURE)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CryptoError):
            verify(KEY.verify_key, Purpose.ITEM, STATEMENT, bytes(changed))


def test_another_key_does_not_verify() -> None:
    other = SigningKey.from_seed(bytes(32))
    with pytest.raises(Tampered):
        verify(other.verify_key, Purpose.ITEM, STATEMENT, SIGNATURE)


@pytest.mark.parametrize(
    "signature",
    [b"", SIGNATURE[1:], SIGNATURE[:-1], SIGNATURE + b"\x00", b"\x02" + SIGNATURE[1:]],
)
def test_other_sizes_and_suites_are_malformed(signature: bytes) -> None:
    with pytest.raises(Malformed, match=r"^signature: unknown suite or wrong size$"):
        verify(KEY.verify_key, Purpose.ITEM, STATEMENT, signature)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_keys_of_another_size_are_malformed(size: int) -> None:
    with pytest.raises(Malformed, match=r"^verify key: wrong size$"):
        verify(bytes(size), Purpose.ITEM, STATEMENT, SIGNATURE)
    with pytest.raises(Malformed, match=r"^signing key: wrong size$"):
        SigningKey.from_seed(bytes(size))


def square_root(value: int) -> int | None:
    """A root modulo the field prime (RFC 8032 §5.1.3), or None."""
    for factor in (1, pow(2, (PRIME - 1) // 4, PRIME)):
        root = pow(value, (PRIME + 3) // 8, PRIME) * factor % PRIME
        if root * root % PRIME == value % PRIME:
            return root
    return None


def heights_of_small_order() -> set[int]:
    """The y of all points whose order divides 8, from the curve equation.

    Order 1 and 2: x = 0. Order 4: y = 0. Order 8: doubling gives y = 0, hence x^2 = -y^2, and
    with the curve d y^4 + 2 y^2 - 1 = 0.
    """
    heights = {0, 1, PRIME - 1}
    outer = square_root(1 + D)
    assert outer is not None
    for sign in (outer, -outer):
        root = square_root((sign - 1) * pow(D, -1, PRIME) % PRIME)
        if root is not None:
            heights |= {root, PRIME - root}
    return heights


def test_keys_of_small_order_are_refused_with_either_sign() -> None:
    """Under such a key somebody could sign everything at once and then deny it."""
    heights = heights_of_small_order()
    assert len(heights) == 5
    for height in heights:
        for sign in (0, 1 << 255):
            with pytest.raises(Malformed, match=r"small order$"):
                check_verify_key((height | sign).to_bytes(32, "little"))
            with pytest.raises(Malformed, match=r"small order$"):
                verify((height | sign).to_bytes(32, "little"), Purpose.ITEM, {}, SIGNATURE)


@pytest.mark.parametrize("height", range(PRIME, 2**255))
def test_keys_that_are_not_reduced_are_refused(height: int) -> None:
    for sign in (0, 1 << 255):
        with pytest.raises(Malformed, match=r"^verify key: not canonical"):
            check_verify_key((height | sign).to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=30)
def test_every_honest_key_is_accepted(seed: bytes) -> None:
    check_verify_key(SigningKey.from_seed(seed).verify_key)


def test_bytes_that_are_no_point_verify_nothing() -> None:
    with pytest.raises(Tampered):
        verify((2).to_bytes(32, "little"), Purpose.ITEM, STATEMENT, SIGNATURE)


def test_a_statement_without_canonical_form_is_refused() -> None:
    with pytest.raises(Malformed, match=r"^canonical JSON: "):
        KEY.sign(Purpose.ITEM, {"a": 1.5})  # type: ignore[dict-item]


def test_repr_shows_the_public_key_only() -> None:
    assert repr(KEY) == f"SigningKey({KEY.verify_key.hex()[:16]})"
    assert SEED.hex()[:8] not in repr(KEY)
