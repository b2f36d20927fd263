"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that it can be signed and hashed.

Narrower than the RFC: numbers are integers, since no float has a place in a signed statement.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

import rfc8785

from crypto.errors import Malformed

Json: TypeAlias = bool | int | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""What can be signed: no floats, integers below 2^53, strings without lone surrogates."""

_Plain: TypeAlias = bool | int | str | list["_Plain"] | dict[str, "_Plain"] | None


def encode(value: Json) -> bytes:
    """Return the one canonical UTF-8 encoding of `value`.

    Raises:
        Malformed: `value` holds a float, another type, a key that is no string, an integer of
            2^53 or more, a lone surrogate, or nests too deeply.
    """
    # Raised outside `except`: the causes quote the value, which may be a reporter's words.
    encoded: bytes | None = None
    with suppress(rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        encoded = rfc8785.dumps(_plain(value))
    if encoded is None:
        raise Malformed("canonical JSON: value cannot be encoded")
    return encoded


def decode(data: bytes) -> Json:
    """Return the value of canonical JSON; encoding it again gives exactly `data`.

    Raises:
        Malformed: not JSON, or not the canonical encoding of its value (other order or spacing,
            repeated keys, floats, needless escapes).
    """
    decoded: list[Json] = []
    with suppress(ValueError, RecursionError):
        decoded.append(json.loads(data.decode("utf-8")))
    if not decoded:
        raise Malformed("canonical JSON: not JSON")
    if encode(decoded[0]) != data:
        raise Malformed("canonical JSON: not the canonical encoding")
    return decoded[0]


def _plain(value: Json) -> _Plain:
    """Return `value` in the types that `rfc8785` knows.

    Raises:
        Malformed: another type. Keys are left to the library, which takes strings only.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    raise Malformed("canonical JSON: type not allowed")
