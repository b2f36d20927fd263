"""Payloads of telling sizes, and telling ways to cut them."""

import hashlib

from hypothesis import strategies as st

CHUNK = 64 * 1024
SEALED = CHUNK + 16

SIZES = st.one_of(
    st.integers(0, 300),
    st.builds(
        lambda chunks, delta: max(chunks * CHUNK + delta, 0),
        st.integers(0, 4),
        st.integers(-33, 33),
    ),
)
STEPS = st.lists(
    st.one_of(
        st.integers(0, 40),
        st.sampled_from([4096, CHUNK - 1, CHUNK, CHUNK + 1, SEALED, SEALED + 1, 3 * CHUNK]),
    ),
    max_size=12,
)


def material(size: int) -> bytes:
    """Return bytes in which no two chunks are alike."""
    return hashlib.shake_256(b"material").digest(size)


def pieces(data: bytes, steps: list[int]) -> list[bytes]:
    """Cut `data` at the given steps; the rest is the last piece."""
    cut, start = [], 0
    for step in steps:
        cut.append(data[start : start + step])
        start += step
    return [*cut, data[start:]]
