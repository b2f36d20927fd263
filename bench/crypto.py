"""What sealing, opening and stretching cost, as shares of the bare primitives in the same run.

Run with `python -m bench.crypto`; takes about a minute and half a gigabyte of memory.
"""

import hashlib
import secrets
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import age, kdf
from crypto.envelope import Header, Sealer, seal, unseal
from crypto.labels import Purpose
from crypto.persons import Person

ROUNDS = 5
MIB = 1024 * 1024
SIZE = 64 * MIB
CHUNK = 64 * 1024
ROW = Header(
    instance="bench",
    case="case",
    compartment="content",
    item="item",
    version=1,
    kind="evidence",
    author="person",
    day="2026-01-01",
)


def once(work: Callable[[], object], repeat: int = 1) -> float:
    """Return the time of one call, over `repeat` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - start) / repeat


def seconds(work: Callable[[], object], repeat: int = 1) -> float:
    """Return the median time of one call, over five rounds of `repeat` calls each."""
    return statistics.median(once(work, repeat) for _ in range(ROUNDS))


def rate(name: str, bare: Callable[[], object], work: Callable[[], object]) -> None:
    """Print the rate of `work` over 64 MiB, and its share of `bare`, measured in turns."""
    shares, rates = [], []
    for _ in range(ROUNDS):
        reference, took = once(bare), once(work)
        shares.append(reference / took)
        rates.append(SIZE / MIB / took)
    rates_shown, share = statistics.median(rates), statistics.median(shares)
    print(f"{name:<34}{rates_shown:8.0f} MiB/s  {share:6.2f} of the bare cipher")


class Machine(Protocol):
    """What takes data in pieces."""

    def update(self, data: memoryview, /) -> object:
        """Take a piece."""
        ...

    def finalize(self) -> object:
        """Take the end."""
        ...


def pushed(machine: Machine, data: bytes) -> None:
    """Work as an upload or a download does: piece by piece, nothing kept."""
    whole = memoryview(data)
    for start in range(0, len(data), CHUNK):
        machine.update(whole[start : start + CHUNK])
    machine.finalize()


def cost(name: str, unit: float, took: float, of: str) -> None:
    """Print what something costs, and how many times `unit` that is."""
    print(f"{name:<34}{took * 1000:8.3f} ms     {took / unit:6.2f} x {of}")


def measure_streams() -> None:
    """Print sealing and opening of 64 MiB as shares of ChaCha20-Poly1305 over 64 KiB chunks.

    What arrives in pieces is held against a bare cipher that keeps nothing, what is done at once
    against one that joins its output: fetching fresh memory costs as much as the cipher itself.
    """
    body = secrets.token_bytes(SIZE)
    cipher = ChaCha20Poly1305(secrets.token_bytes(32))
    view = memoryview(body)
    plain = [
        (number.to_bytes(12, "big"), view[number * CHUNK : (number + 1) * CHUNK])
        for number in range(SIZE // CHUNK)
    ]
    sealed = [(nonce, cipher.encrypt(nonce, piece, None)) for nonce, piece in plain]
    identity = age.HybridIdentity.generate()
    recipients = [identity.recipient]
    file = age.encrypt(body, recipients)
    envelope = seal(ROW, body, recipients)

    def bare_sealing() -> None:
        for nonce, piece in plain:
            cipher.encrypt(nonce, piece, None)

    def bare_opening() -> None:
        for nonce, piece in sealed:
            cipher.decrypt(nonce, piece, None)

    def joined_sealing() -> bytes:
        return b"".join([cipher.encrypt(nonce, piece, None) for nonce, piece in plain])

    def joined_opening() -> bytes:
        return b"".join([cipher.decrypt(nonce, piece, None) for nonce, piece in sealed])

    print("sealing")
    rate("SHA-256 alone", bare_sealing, lambda: hashlib.sha256(body).digest())
    rate("age, in pieces", bare_sealing, lambda: pushed(age.Encryptor(recipients), body))
    rate("envelope, in pieces", bare_sealing, lambda: pushed(Sealer(ROW, recipients), body))
    rate("age, at once", joined_sealing, lambda: age.encrypt(body, recipients))
    rate("envelope, at once", joined_sealing, lambda: seal(ROW, body, recipients))
    print("opening")
    rate("age, in pieces", bare_opening, lambda: pushed(age.Decryptor([identity]), file))
    rate("age, at once", joined_opening, lambda: age.decrypt(file, [identity]))
    rate("envelope, at once", joined_opening, lambda: unseal(envelope, identity, ROW))


def measure_headers() -> None:
    """Print the fixed cost of small objects, as multiples of one X25519 exchange with HKDF."""
    own, other = X25519PrivateKey.generate(), X25519PrivateKey.generate().public_key()

    def exchange() -> bytes:
        return HKDF(SHA256(), length=32, salt=None, info=b"").derive(own.exchange(other))

    def submission() -> None:
        """The cryptography of one report: four compartments, twenty items, sealed and signed."""
        author = Person.generate()
        compartments = [age.HybridIdentity.generate().recipient for _ in range(4)]
        for place in range(20):
            seal(ROW, b"x" * 500, [compartments[place % 4]])
            author.signing.sign(Purpose.ITEM, {"sha256": "0" * 64, "item": str(place)})

    seed = secrets.token_bytes(32)
    person = Person.from_seed(seed)
    recipients = [person.identity.recipient]
    sealed = age.encrypt(seed, recipients)
    envelope = seal(ROW, b"x" * 500, recipients)
    unit = seconds(exchange, 500)
    name = "X25519 + HKDF"
    cost(name, unit, unit, "itself")
    cost("hybrid key pair", unit, seconds(age.HybridIdentity.generate, 200), name)
    cost(
        "hybrid seal of 32 bytes",
        unit,
        seconds(lambda: age.encrypt(seed, recipients), 200),
        name,
    )
    cost(
        "hybrid open of 32 bytes",
        unit,
        seconds(lambda: age.decrypt(sealed, [person.identity]), 200),
        name,
    )
    cost(
        "envelope seal, 500 bytes",
        unit,
        seconds(lambda: seal(ROW, b"x" * 500, recipients), 200),
        name,
    )
    cost(
        "envelope open, 500 bytes",
        unit,
        seconds(lambda: unseal(envelope, person.identity, ROW), 200),
        name,
    )
    cost("all of one report", unit, seconds(submission, 5), name)


def measure_kdf() -> None:
    """Print the cost of both parameter sets and their ratio."""
    took = {
        name: seconds(partial(kdf.stretch, b"password", bytes(16), setting))
        for name, setting in (("secret key", kdf.SECRET_KEY), ("passphrase", kdf.PASSPHRASE))
    }
    for name, value in took.items():
        cost(f"kdf, {name}", took["secret key"], value, "the secret key's")


if __name__ == "__main__":
    measure_streams()
    measure_headers()
    measure_kdf()
