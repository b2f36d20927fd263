"""Reads the public age vectors of `tests/vectors/age` (their README names the format)."""

import zlib
from dataclasses import dataclass
from pathlib import Path

from crypto.age import HybridIdentity, Identity, X25519Identity

FOLDER = Path(__file__).parents[2] / "vectors" / "age"
_KEYS = {"expect", "payload", "identity", "file key", "comment", "compressed"}


@dataclass(frozen=True)
class Vector:
    """One vector: what must happen when `data` is decrypted with `identities`."""

    name: str
    expect: str
    payload: str | None
    identities: tuple[Identity, ...]
    data: bytes


def _identity(text: str) -> Identity:
    if text.startswith("AGE-SECRET-KEY-PQ-"):
        return HybridIdentity.from_string(text)
    return X25519Identity.from_string(text)


def load(path: Path) -> Vector:
    """Parse one file; an unknown key is an error, because it may change what is expected."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode("ascii").splitlines()]
    fields = dict(pairs)
    assert fields.keys() <= _KEYS, path.name
    return Vector(
        path.name,
        fields["expect"],
        fields.get("payload"),
        tuple(_identity(value) for key, value in pairs if key == "identity"),
        zlib.decompress(data) if fields.get("compressed") == "zlib" else data,
    )


def names() -> list[str]:
    """Return the names of all vectors."""
    return sorted(path.name for path in FOLDER.iterdir() if path.name != "README.md")
