"""Every public age vector behaves as it says, however the file is cut into pieces."""

import hashlib
from collections.abc import Callable

import pytest

from crypto.age import Decryptor, HeaderTampered, PayloadTampered
from crypto.errors import CryptoError, Malformed, WrongKey
from tests.crypto.age import vectors

FAILURES: dict[type[CryptoError], str] = {
    WrongKey: "no match",
    HeaderTampered: "HMAC failure",
    Malformed: "header failure",
    PayloadTampered: "payload failure",
}


def whole(data: bytes) -> int:
    return max(len(data), 1)


def bytewise(data: bytes) -> int:
    return 1 if len(data) < 150_000 else 997


def four_kib(_data: bytes) -> int:
    return 4096


def outcome(vector: vectors.Vector, step: int) -> tuple[str, bytes]:
    """Decrypt in pieces of `step` bytes; return the class of the result and what was released."""
    decryptor = Decryptor(vector.identities)
    released = []
    try:
        for start in range(0, len(vector.data), step):
            released.append(decryptor.update(vector.data[start : start + step]))  # noqa: PERF401
        released.append(decryptor.finalize())
    except CryptoError as failure:
        return FAILURES[type(failure)], b"".join(released)
    return "success", b"".join(released)


def test_no_vector_is_missing() -> None:
    """The vectors below are all that were published for what we implement."""
    assert len(vectors.names()) == 69


@pytest.mark.parametrize("step", [whole, bytewise, four_kib])
@pytest.mark.parametrize("name", vectors.names())
def test_vector(name: str, step: Callable[[bytes], int]) -> None:
    """The failure class is the vector's, and exactly its plaintext is released before it."""
    vector = vectors.load(vectors.FOLDER / name)
    result, released = outcome(vector, step(vector.data))
    assert result == vector.expect
    expected = vector.payload or hashlib.sha256(b"").hexdigest()
    assert hashlib.sha256(released).hexdigest() == expected
