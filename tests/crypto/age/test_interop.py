"""What we seal, foreign age implementations open, and the other way round."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from crypto.age import (
    HybridIdentity,
    HybridRecipient,
    X25519Identity,
    X25519Recipient,
    decrypt,
    encrypt,
)

CHUNK = 64 * 1024
SIZES = [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]

Ask = Callable[[list[dict[str, Any]]], list[dict[str, str]]]


def material(size: int) -> bytes:
    return hashlib.shake_256(b"interop").digest(size)


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def test_npm_age_opens_what_we_seal(ask_npm_age: Ask) -> None:
    identity = HybridIdentity.generate()
    recipients = [HybridIdentity.generate().recipient, identity.recipient]
    answers = ask_npm_age(
        [
            {
                "op": "decrypt",
                "identities": [identity.to_string()],
                "data": to_base64(encrypt(material(size), recipients)),
            }
            for size in SIZES
        ]
    )
    assert [base64.b64decode(answer["data"]) for answer in answers] == list(map(material, SIZES))


def test_we_open_what_npm_age_seals(ask_npm_age: Ask) -> None:
    identity = HybridIdentity.generate()
    recipients = [str(HybridIdentity.generate().recipient), str(identity.recipient)]
    answers = ask_npm_age(
        [
            {"op": "encrypt", "recipients": recipients, "data": to_base64(material(size))}
            for size in SIZES
        ]
    )
    for size, answer in zip(SIZES, answers, strict=True):
        assert decrypt(base64.b64decode(answer["data"]), [identity]) == material(size)


def test_npm_age_derives_the_same_keys(ask_npm_age: Ask) -> None:
    """The same text is the same identity, whoever generated it."""
    ours = [HybridIdentity.generate() for _ in range(3)]
    requests: list[dict[str, Any]] = [{"op": "generate"}] * 3
    requests += [{"op": "recipient", "identity": identity.to_string()} for identity in ours]
    answers = ask_npm_age(requests)
    for answer in answers[:3]:
        theirs = HybridIdentity.from_string(answer["identity"])
        assert theirs.to_string() == answer["identity"]
        assert str(theirs.recipient) == answer["recipient"]
        assert HybridRecipient.from_string(answer["recipient"]) == theirs.recipient
    assert [answer["recipient"] for answer in answers[3:]] == [str(one.recipient) for one in ours]


def test_npm_age_refuses_what_is_not_for_it(ask_npm_age: Ask) -> None:
    """The comparison is one that can fail."""
    identity = HybridIdentity.generate()
    sealed = encrypt(b"text", [identity.recipient])
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    answers = ask_npm_age(
        [
            {"op": "decrypt", "identities": [who.to_string()], "data": to_base64(data)}
            for who, data in ((HybridIdentity.generate(), sealed), (identity, altered))
        ]
    )
    assert all("error" in answer for answer in answers)


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_and_we_open_each_others_files(size: int) -> None:
    theirs = pyrage.x25519.Identity.generate()
    ours = X25519Identity.from_string(str(theirs))
    recipient = X25519Recipient.from_string(str(theirs.to_public()))
    assert recipient == ours.recipient
    assert ours.to_string() == str(theirs)
    assert pyrage.decrypt(encrypt(material(size), [recipient]), [theirs]) == material(size)
    assert decrypt(pyrage.encrypt(material(size), [theirs.to_public()]), [ours]) == material(size)


def test_pyrage_reads_our_keys() -> None:
    ours = X25519Identity.generate()
    theirs = pyrage.x25519.Identity.from_str(ours.to_string())
    assert str(theirs.to_public()) == str(ours.recipient)


def test_the_npm_lock_holds_hashes_and_no_addresses() -> None:
    """Whoever builds this chooses where packages come from; the hashes say what they must be."""
    lock = Path(__file__).parents[2] / "js" / "package-lock.json"
    packages = json.loads(lock.read_text())["packages"]
    packages.pop("")
    assert packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
