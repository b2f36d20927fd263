"""Every way in which a receipt goes wrong, and some in which it is right against appearances.

The same table is put to ``casework.log.proof`` and to ``static/periksa.html``: both must come to
the same verdict, and to the one that is written down here.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from crypto import canonical, merkle, note, ticket
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError
from crypto.note import Kind, Signature, SignedNote
from crypto.tlog_proof import TlogProof
from tests.casework.log.receipts import (
    ALIEN,
    KEY,
    NEXT,
    ORIGIN,
    REPORT,
    SIGNER,
    SIZE,
    TICKET,
    VKEY,
    WITNESS,
    Attempt,
    body,
    made,
    receipt,
    statement,
)

ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the base point (RFC 8032 §5.1)."""


def attempts() -> list[Attempt]:
    return [*_grammar(), *_signatures(), *_trees(), *_events(), *_keys(), *_texts()]


def _edit(old: str, new: str, text: str | None = None) -> bytes:
    text = receipt() if text is None else text
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1).encode()


def _lines(change: Callable[[list[str]], object]) -> bytes:
    """Lines: 0 first line, 1 extra, 2 index, 3-6 path, 7 empty, 8-10 tree, 11 empty, 12 by whom."""
    lines = receipt().split("\n")
    change(lines)
    return "\n".join(lines).encode()


def _set(place: int, line: str) -> bytes:
    return _lines(lambda lines: lines.__setitem__(place, line))


def _grammar() -> Iterator[Attempt]:
    whole, lines = receipt(), receipt().split("\n")
    step, root = lines[3], lines[10]
    assert step.endswith("=")
    assert not step.endswith("==")
    loose = step[:-2] + chr(ord(step[-2]) + 1) + "="
    foreign = f"— lain.example {note.encode(b'1234' + bytes(70))}\n"
    for name, file in {
        "an empty file": b"",
        "something else": b"Selamat siang\n",
        "a later version": _edit("@v1", "@v2"),
        "lines of another system": whole.replace("\n", "\r\n").encode(),
        "a byte order mark": b"\xef\xbb\xbf" + whole.encode(),
        "not UTF-8": whole.encode() + b"\xff",
        "the last newline is gone": whole[:-1].encode(),
        "one newline too many": whole.encode() + b"\n",
        "something after it": whole.encode() + b"x",
        "an index that begins with zero": _edit("index 6", "index 06"),
        "an index with a sign": _edit("index 6", "index +6"),
        "an index in foreign digits": _edit("index 6", "index \N{ARABIC-INDIC DIGIT SIX}"),
        "an index beyond 2**63": _edit("index 6", "index 9223372036854775808"),
        "no index": _lines(lambda lines: lines.pop(2)),
        "an empty extra line": _set(1, "extra "),
        "two extra lines": _lines(lambda lines: lines.insert(1, lines[1])),
        "extra after the index": _lines(lambda lines: lines.insert(2, lines.pop(1))),
        "base64 with bits that are thrown away": _set(3, loose),
        "base64 without padding": _set(3, step[:-1]),
        "base64 with a space": _set(3, step[:4] + " " + step[4:]),
        "a hash of 31 bytes": _set(3, note.encode(bytes(31))),
        "64 hashes": _lines(lambda lines: lines.__setitem__(slice(3, 7), [step] * 64)),
        "a tree without a root": _lines(lambda lines: lines.pop(10)),
        "a root of 33 bytes": _set(10, note.encode(bytes(33))),
        "a root in the alphabet of addresses": _set(10, "-_" + root[2:]),
        "a size that begins with zero": _set(9, "011"),
        "a size beyond 2**63": _set(9, "9223372036854775808"),
        "an empty tree with a root": _set(9, "0"),
        "an origin of 256 characters": _set(8, "a" * 256),
        "an empty line in the tree": _lines(lambda lines: lines.insert(10, "")),
        "a control character": _set(8, ORIGIN + "\t"),
        "no signature": _lines(lambda lines: lines.__delitem__(slice(12, None))),
        "a hyphen for the dash": _edit("— ", "- "),
        "two spaces in a signature": _edit(f"— {ORIGIN} ", f"— {ORIGIN}  "),
        "a name with a plus": whole.encode() + foreign.replace("lain", "l+n").encode(),
        "a name with a next line": whole.encode() + foreign.replace("lain", "l\x85n").encode(),
        "a name of 256 characters": whole.encode()
        + foreign.replace("lain.example", "\U0001d49c" * 256).encode(),
        "a signature of nothing": whole.encode() + f"— x {note.encode(b'1234')}\n".encode(),
    }.items():
        yield Attempt(name, "file", file)
    yield Attempt("101 signatures", "large", (whole + foreign * 100).encode())
    yield Attempt("100 signatures", "good", (whole + foreign * 99).encode())
    yield Attempt("600 KiB", "large", whole.encode() + b"x" * 600 * 1024)
    yield Attempt("a note of 257 KiB", "large", whole.encode() + b"x" * 257 * 1024)
    yield Attempt(
        "a name of 255 characters beyond the first plane",
        "good",
        whole.encode() + foreign.replace("lain.example", "\U0001d49c" * 255).encode(),
    )
    yield Attempt(
        "a name with a zero width space of old",
        "good",
        whole.encode() + foreign.replace("lain", "l\ufeffn").encode(),
    )


def _resigned(signed: SignedNote, *signatures: Signature) -> bytes:
    one = made()
    return (
        TlogProof(one.index, one.path, SignedNote(signed.text, signatures), one.extra)
        .to_text()
        .encode()
    )


def _signatures() -> Iterator[Attempt]:
    one = made()
    (mine,) = one.signed.signatures
    flipped = Signature(
        mine.name, mine.key_id, mine.data[:-33] + bytes([mine.data[-33] ^ 1]) + mine.data[-32:]
    )
    high = (int.from_bytes(mine.data[32:], "little") + ORDER).to_bytes(32, "little")
    seen = WITNESS.sign(one.signed.text, 1_790_000_000)
    alien = ALIEN.sign(one.signed.text)
    late = NEXT.sign(one.signed.text)
    for name, verdict_, signatures, keys in (
        ("a witness has signed, too", "good", (seen, mine), VKEY),
        ("signed twice", "good", (mine, mine), VKEY),
        ("the old and the next key", "good", (mine, late), f"{VKEY}\n{NEXT.key.to_text()}"),
        ("one of two keys", "good", (late,), f"{VKEY}\n{NEXT.key.to_text()}"),
        ("a key that is not known", "signer", (late,), VKEY),
        ("another log alone", "signer", (alien,), f"{VKEY}\n{ALIEN.key.to_text()}"),
        ("a witness alone", "signer", (seen,), f"{VKEY}\n{WITNESS.key.to_text()}"),
        ("another name", "signer", (Signature("x", mine.key_id, mine.data),), VKEY),
        ("another id", "signer", (Signature(mine.name, b"1234", mine.data),), VKEY),
        ("a bit of the signature", "forged", (flipped,), VKEY),
        ("a right one and a wrong one", "forged", (mine, flipped), VKEY),
        ("the same, the other way round", "forged", (flipped, mine), VKEY),
        ("a signature that is too short", "forged",
         (Signature(mine.name, mine.key_id, mine.data[:-1]),), VKEY),
        ("a signature that is too long", "forged",
         (Signature(mine.name, mine.key_id, mine.data + b"\0"),), VKEY),
        ("S that is not canonical", "forged",
         (Signature(mine.name, mine.key_id, mine.data[:32] + high),), VKEY),
        ("zeroes", "forged", (Signature(mine.name, mine.key_id, bytes(64)),), VKEY),
        ("another key's signature", "forged",
         (Signature(mine.name, mine.key_id, late.data),), VKEY),
    ):  # fmt: skip
        yield Attempt(name, verdict_, _resigned(one.signed, *signatures), keys)
    yield Attempt("another size", "forged", _set(9, "12"))
    yield Attempt("another root", "forged", _set(10, note.encode(bytes(32))))
    yield Attempt("a line more", "forged", _lines(lambda lines: lines.insert(11, "x")))
    yield Attempt("another origin", "signer", _set(8, ALIEN.key.name))


def _trees() -> Iterator[Attempt]:
    def moved(**changes: Any) -> bytes:
        one = made()
        parts: dict[str, Any] = {"index": one.index, "path": one.path, "extra": one.extra} | changes
        return (
            TlogProof(parts["index"], parts["path"], one.signed, parts["extra"]).to_text().encode()
        )

    path = made().path
    yield Attempt("another day", "tree", moved(extra=body(day="2026-11-22")))
    yield Attempt("another ticket", "tree", moved(extra=body(ticket=ticket.make(b"lain  "))))
    yield Attempt("no extra line", "tree", moved(extra=b""))
    yield Attempt("the neighbour's place", "tree", moved(index=7))
    yield Attempt("a place beyond the tree", "tree", moved(index=SIZE))
    yield Attempt("a proof too short", "tree", moved(path=path[:-1]))
    yield Attempt("a proof too long", "tree", moved(path=(*path, bytes(32))))
    yield Attempt("no proof", "tree", moved(path=()))
    yield Attempt("another hash", "tree", moved(path=(bytes(32), *path[1:])))
    yield Attempt("hashes in another order", "tree", moved(path=(path[1], path[0], *path[2:])))
    yield Attempt("the path of another tree", "tree", moved(path=made(size=12).path))
    for index, size in ((0, 1), (0, 2), (10, 11), (8, 11), (0, 11), (255, 256), (5, 8)):
        yield Attempt(
            f"leaf {index} of {size}", "good", made(index=index, size=size).to_text().encode()
        )
    yield Attempt("leaf 2**53 + 7 of 2**54 + 9", "good", _far(2**53 + 7, 2**54 + 9))
    yield Attempt("the last leaf that can be", "good", _far(2**63 - 2, 2**63 - 1))


def _far(index: int, size: int) -> bytes:
    """A proof in a tree of which nobody knows the rest."""
    for length in range(64):
        path = tuple(hashlib.sha256(b"%d" % step).digest() for step in range(length))
        digest = merkle.leaf_hash(body())
        try:
            root, _ = merkle._climb(index, size - 1, path, digest, digest)
        except CryptoError:
            continue
        signed = Checkpoint(ORIGIN, size, root).sign([SIGNER])
        return TlogProof(index, path, signed, body()).to_text().encode()
    raise AssertionError


def _events() -> Iterator[Attempt]:
    plain = body()
    for name, leaf in {
        "another event": body(event="forward"),
        "another version": body(v=2),
        "yes for one": body(v=True),
        "no commitment": body(commitment=...),
        "a commitment in capitals": body(commitment="A" * 64),
        "half a commitment": body(commitment="a" * 32),
        "a day that is none": body(day="2026-02-30"),
        "the day after February in no leap year": body(day="2100-02-29"),
        "a day in the year 0": body(day="0000-01-01"),
        "a short day": body(day="20261123"),
        "a time": body(day="2026-11-23T10:00"),
        "no day": body(day=...),
        "a ticket mistyped": body(ticket=TICKET[:-1] + ("0" if TICKET[-1] != "0" else "1")),
        "a ticket in small letters": body(ticket=TICKET.lower()),
        "a number for a ticket": body(ticket=1),
        "another instance": body(instance="e" * 32),
        "no case": body(case=None),
        "an actor of 31 digits": body(actor="a" * 31),
        "not the first leaf of its case": body(first="1" * 64),
        "no word of a first leaf": body(first=...),
        "no items": body(items=0),
        "yes for a number of items": body(items=True),
        "a leaf before that is none": body(log="x"),
        "an object that is none": body(objects=["2" * 64, "3"]),
        "no list of objects": body(objects={"2": "3"}),
        "a list": canonical.encode([statement()]),
        "no JSON": plain[:-1],
        "not UTF-8 at all": plain.replace(b"reporter", b"report\xff\xfe"),
        "space": plain.replace(b'":1,', b'": 1,') if b'":1,' in plain else plain + b" ",
        "another order": b'{"z":1,' + plain[1:],
        "a field twice": plain.replace(b'"items":4', b'"items":4,"items":4'),
        "a needless escape": plain.replace(b"submit", b"\\u0073ubmit"),
        "half a character": plain.replace(b"reporter", b"\\ud800"),
        "a float": plain.replace(b'"items":4', b'"items":4.0'),
        "a fraction": plain.replace(b'"seq":0', b'"seq":0.5'),
        "minus zero": plain.replace(b'"seq":0', b'"seq":-0'),
        "a number beyond 2**53": plain.replace(b'"seq":0', b'"seq":9007199254740992'),
    }.items():
        assert leaf != plain, name
        yield Attempt(name, "event", made(leaf).to_text().encode())
    for name, leaf in {
        "the first leaf of a log": body(log=None),
        "a leap day": body(day="2028-02-29"),
        "a leap day in the year 2000": body(day="2000-02-29"),
        "further fields": body(z={"ä": ["\u2028", "\x7f", '"\\\b', "\x1f", -5, None, False, "😀"]}),
        "fields that JavaScript has": body(__proto__="x", constructor=1, hasOwnProperty=None),
        "fields in the order of UTF-16": body(**{"\ue000": 1, "😀": 2}),
    }.items():
        yield Attempt(name, "good", made(leaf).to_text().encode())


def _keys() -> Iterator[Attempt]:
    file = receipt().encode()
    name, key_id, key = VKEY.split("+", 2)
    small = bytes([Kind.LOG]) + (1).to_bytes(32, "little")
    order_eight = bytes([Kind.LOG]) + bytes.fromhex(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    )
    high = bytes([Kind.LOG]) + (2**255 - 19 + 3).to_bytes(32, "little")

    def key_text(raw: bytes) -> str:
        digest = hashlib.sha256(ORIGIN.encode() + b"\n" + raw).hexdigest()[:8]
        return f"{ORIGIN}+{digest}+{note.encode(raw)}"

    for what, keys in {
        "no key": "\n",
        "only a comment": "# daftar kunci\n",
        "no key at all": "kunci",
        "one line that is none": f"{VKEY}\nkunci",
        "a key of another id": f"{name}+00000000+{key}",
        "an id in capitals": f"{name}+{key_id.upper()}+{key}",
        "a key without padding": VKEY.rstrip("=")[:-1],
        "a key of an unknown kind": key_text(b"\x02" + SIGNER.key.public),
        "a key that is too short": key_text(bytes([1]) + bytes(31)),
        "a point of small order": key_text(small),
        "a point of order eight": key_text(order_eight),
        "a point that is not canonical": key_text(high),
        "a name with a space": f"a b+{key_id}+{key}",
        "a secret key": SIGNER.to_text(),
        "too many": "#" * 65 * 1024,
    }.items():
        yield Attempt(what, "keys", file, keys)
    off_curve = next(
        raw
        for raw in (bytes([Kind.LOG, first]) + bytes(31) for first in range(2, 99))
        if not _on_curve(int.from_bytes(raw[1:], "little"))
    )
    forged = Signature(ORIGIN, bytes.fromhex(key_text(off_curve).split("+")[1]), bytes(64))
    yield Attempt(
        "a key that is no point", "forged", _resigned(made().signed, forged), key_text(off_curve)
    )
    yield Attempt("comments and empty lines", "good", file, f"# satu\n\n  {VKEY}\t\r\n# dua\n")
    yield Attempt("the same key twice", "good", file, f"{VKEY}\n{VKEY}\n")


def _on_curve(y: int) -> bool:
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime)
    square = (y * y - 1) * pow(d * y * y + 1, -1, prime) % prime
    return pow(square, (prime - 1) // 2, prime) in (0, 1)


def _texts() -> Iterator[Attempt]:
    file, key = receipt().encode(), KEY.hex()
    groups = " ".join(key[at : at + 4] for at in range(0, 64, 4)).upper()
    other = KEY[:-1] + bytes([KEY[-1] ^ 1])
    for name, verdict_, text, typed in (
        ("text and key", "whole", REPORT, key),
        ("a key in groups", "whole", REPORT, groups),
        ("a key in lines", "whole", REPORT, f" {key[:32]}\n\u00a0{key[32:]}\u2003"),
        ("another key", "text", REPORT, other.hex()),
        ("a byte more", "text", REPORT + b"\n", key),
        ("a byte less", "text", REPORT[:-1], key),
        ("no text", "text", b"", key),
        ("63 digits", "key", REPORT, key[:-1]),
        ("65 digits", "key", REPORT, key + "0"),
        ("a letter that is no digit", "key", REPORT, key[:-1] + "g"),
        ("digits of another script", "key", REPORT, key[:-1] + "\N{FULLWIDTH DIGIT ONE}"),
    ):
        yield Attempt(name, verdict_, file, text=text, key=typed)
