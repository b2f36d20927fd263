import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.merkle import (
    EMPTY_ROOT,
    check_consistency,
    check_inclusion,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
)
from tests.crypto.trees import Tree, entry, reference_path, reference_proof, reference_root

FOLDER = Path(__file__).parents[1] / "vectors" / "merkle"
REFERENCE: dict[str, Any] = json.loads((FOLDER / "reference.json").read_text())

SIZES = 70
"""Every tree and every proof up to this size is looked at."""

DAMAGED = 20
"""Every proof up to this size is damaged in every way."""

LARGE = 2_000
TREE = Tree(*(entry(index) for index in range(LARGE)))
OTHER = bytes(range(32))


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def damaged(proof: list[bytes]) -> Iterator[list[bytes]]:
    """Yield proofs of the same length that are another one."""
    for place, step in enumerate(proof):
        for byte in (0, 31):
            changed = bytes(value ^ (at == byte) for at, value in enumerate(step))
            yield [*proof[:place], changed, *proof[place + 1 :]]
        if place:
            yield [*proof[: place - 1], step, proof[place - 1], *proof[place + 1 :]]


def resized(proof: list[bytes]) -> Iterator[list[bytes]]:
    """Yield proofs of another length."""
    yield [OTHER, *proof]
    yield [*proof, OTHER]
    if proof:
        yield []
        yield proof[1:]
        yield proof[:-1]
        yield [proof[0], *proof]
        yield [*proof, proof[-1]]


# What is published


def test_the_reference_tree_has_the_published_nodes_and_roots() -> None:
    tree = Tree(*unhex(REFERENCE["leaves"]))
    for level, row in enumerate(REFERENCE["nodes"]):
        assert [tree.nodes.pop((level, index)) for index in range(len(row))] == unhex(row)
    assert tree.nodes == {}
    tree = Tree(*unhex(REFERENCE["leaves"]))
    assert [tree.root(size) for size in range(9)] == unhex(REFERENCE["roots"])


def test_the_reference_tree_has_the_published_inclusion_proofs() -> None:
    tree = Tree(*unhex(REFERENCE["leaves"]))
    for one in REFERENCE["inclusion"]:
        index, size, proof = one["index"], one["size"], unhex(one["proof"])
        assert prove_inclusion(tree.at, index, size) == proof
        check_inclusion(tree.at(0, index), index, size, proof, tree.root(size))


def test_the_reference_tree_has_the_published_consistency_proofs() -> None:
    tree = Tree(*unhex(REFERENCE["leaves"]))
    for one in REFERENCE["consistency"]:
        old, new, proof = one["old"], one["new"], unhex(one["proof"])
        assert prove_consistency(tree.at, old, new) == proof
        check_consistency(old, new, proof, tree.root(old), tree.root(new))


def test_the_accumulated_vectors_of_all_subtrees_up_to_130_leaves() -> None:
    tree = Tree(*(bytes([index]) for index in range(130)))
    hashes, proofs = sha256(), sha256()
    for end in range(1, 131):
        for start in range(end):
            size = end - start
            if start % (1 << (size - 1).bit_length()):
                continue

            def at(level: int, index: int, start: int = start) -> bytes:
                return tree.at(level, index + (start >> level))

            hashes.update(b"[%d, %d) %s\n" % (start, end, merkle.root(at, size).hex().encode()))
            for index in range(size):
                steps = (step.hex() for step in prove_inclusion(at, index, size))
                line = " ".join((f"{start + index} [{start}, {end})", *steps))
                proofs.update(f"{line}\n".encode())
    assert hashes.hexdigest() == REFERENCE["accumulated"]["subtrees"]
    assert proofs.hexdigest() == REFERENCE["accumulated"]["inclusion"]


# What RFC 6962 says, word for word


def test_a_tree_that_grows_keeps_every_complete_subtree_and_nothing_else() -> None:
    tree = Tree(*(entry(index) for index in range(SIZES)))
    assert tree.nodes == {
        (level, index): reference_root(index << level, (index + 1) << level)
        for level in range(SIZES.bit_length())
        for index in range(SIZES >> level)
    }


def test_every_root_is_that_of_the_rfc() -> None:
    for size in range(SIZES + 1):
        assert TREE.root(size) == reference_root(0, size)


def test_every_inclusion_proof_is_that_of_the_rfc_and_holds() -> None:
    for size in range(1, SIZES + 1):
        for index in range(size):
            proof = prove_inclusion(TREE.at, index, size)
            assert proof == reference_path(index, 0, size)
            check_inclusion(leaf_hash(entry(index)), index, size, proof, TREE.root(size))


def test_every_consistency_proof_is_that_of_the_rfc_and_holds() -> None:
    for new in range(SIZES + 1):
        for old in range(new + 1):
            proof = prove_consistency(TREE.at, old, new)
            assert proof == (reference_proof(old, 0, new) if old else [])
            check_consistency(old, new, proof, TREE.root(old), TREE.root(new))


@given(st.integers(1, LARGE), st.data())
@settings(max_examples=60)
def test_larger_trees_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    whole = reference_root(0, size)
    assert TREE.root(size) == whole
    path, proof = prove_inclusion(TREE.at, index, size), prove_consistency(TREE.at, old, size)
    assert path == reference_path(index, 0, size)
    assert proof == reference_proof(old, 0, size)
    check_inclusion(leaf_hash(entry(index)), index, size, path, whole)
    check_consistency(old, size, proof, reference_root(0, old), whole)


# Damage


def test_every_damaged_inclusion_proof_is_refused() -> None:
    for size in range(1, DAMAGED + 1):
        whole = TREE.root(size)
        for index in range(size):
            leaf, proof = TREE.at(0, index), prove_inclusion(TREE.at, index, size)
            for wrong in damaged(proof):
                with pytest.raises(Tampered):
                    check_inclusion(leaf, index, size, wrong, whole)
            for wrong in resized(proof):
                with pytest.raises(Malformed, match="proof too"):
                    check_inclusion(leaf, index, size, wrong, whole)
            with pytest.raises(Tampered):
                check_inclusion(OTHER, index, size, proof, whole)
            with pytest.raises(Tampered):
                check_inclusion(leaf, index, size, proof, OTHER)
            for other in range(DAMAGED + 1):
                if other != index:
                    with pytest.raises(CryptoError):
                        check_inclusion(leaf, other, size, proof, whole)
                if other != size:
                    with pytest.raises(CryptoError):
                        check_inclusion(leaf, index, other, proof, TREE.root(other))


def test_every_damaged_consistency_proof_is_refused() -> None:
    for new in range(2, DAMAGED + 1):
        for old in range(1, new):
            proof, roots = prove_consistency(TREE.at, old, new), (TREE.root(old), TREE.root(new))
            for wrong in damaged(proof):
                with pytest.raises(Tampered):
                    check_consistency(old, new, wrong, *roots)
            for wrong in resized(proof):
                with pytest.raises(Malformed, match="proof too"):
                    check_consistency(old, new, wrong, *roots)
            for pair in ((OTHER, roots[1]), (roots[0], OTHER), roots[::-1]):
                with pytest.raises(Tampered):
                    check_consistency(old, new, proof, *pair)
            for other in range(DAMAGED + 1):
                if other != old:
                    with pytest.raises(CryptoError):
                        check_consistency(other, new, proof, TREE.root(other), roots[1])
                if other != new:
                    with pytest.raises(CryptoError):
                        check_consistency(old, other, proof, roots[0], TREE.root(other))


@pytest.mark.parametrize("place", range(8))
def test_a_log_that_changes_a_leaf_cannot_prove_that_it_only_grew(place: int) -> None:
    leaves = [entry(index) for index in range(13)]
    changed = Tree(*leaves[:place], b"another", *leaves[place + 1 :])
    for old in range(place + 1, 13):
        for tree in (TREE, changed):
            proof = prove_consistency(tree.at, old, 13)
            with pytest.raises(Tampered):
                check_consistency(old, 13, proof, TREE.root(old), changed.root())


def test_a_node_is_no_leaf() -> None:
    """Whoever shows two hashes as an entry does not show an entry of the tree."""
    pair = TREE.at(0, 0) + TREE.at(0, 1)
    with pytest.raises(Tampered):
        check_inclusion(leaf_hash(pair), 0, 1, [], TREE.root(2))


# Edges


def test_the_empty_tree_holds_no_leaf() -> None:
    assert merkle.root(TREE.at, 0) == EMPTY_ROOT == sha256(b"").digest()
    for index in (0, 1, -1):
        with pytest.raises(Malformed, match="no such leaf"):
            prove_inclusion(TREE.at, index, 0)
        with pytest.raises(Malformed, match="no such leaf"):
            check_inclusion(EMPTY_ROOT, index, 0, [], EMPTY_ROOT)


def test_every_tree_begins_with_the_empty_one_and_with_itself() -> None:
    for size in (1, 2, 7):
        assert prove_consistency(TREE.at, 0, size) == prove_consistency(TREE.at, size, size) == []
        check_consistency(0, size, [], EMPTY_ROOT, TREE.root(size))
        check_consistency(size, size, [], TREE.root(size), TREE.root(size))
    check_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)


@pytest.mark.parametrize(
    ("old", "new", "roots"),
    [
        (0, 3, (OTHER, TREE.root(3))),
        (0, 0, (OTHER, OTHER)),
        (0, 0, (EMPTY_ROOT, OTHER)),
        (0, 0, (OTHER, EMPTY_ROOT)),
        (3, 3, (OTHER, TREE.root(3))),
        (3, 3, (TREE.root(3), OTHER)),
    ],
)
def test_trees_of_one_size_have_one_root(old: int, new: int, roots: tuple[bytes, bytes]) -> None:
    with pytest.raises(Tampered, match="two trees of one size"):
        check_consistency(old, new, [], *roots)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 3), (3, 3)])
def test_what_needs_no_proof_takes_none(old: int, new: int) -> None:
    with pytest.raises(Malformed, match="proof too long"):
        check_consistency(old, new, [OTHER], TREE.root(old), TREE.root(new))


def test_places_outside_of_the_tree_are_refused() -> None:
    for index in (-1, 5, 6):
        with pytest.raises(Malformed, match="no such leaf"):
            prove_inclusion(TREE.at, index, 5)
        with pytest.raises(Malformed, match="no such leaf"):
            check_inclusion(OTHER, index, 5, [], OTHER)
    for old, new in ((6, 5), (-1, 5), (1, 0), (-1, -1)):
        with pytest.raises(Malformed, match="the new tree is smaller"):
            prove_consistency(TREE.at, old, new)
        with pytest.raises(Malformed, match="the new tree is smaller"):
            check_consistency(old, new, [], OTHER, OTHER)


@pytest.mark.parametrize("wrong", [OTHER[:-1], OTHER + b"\0", b""])
def test_a_step_of_another_length_is_refused_before_it_is_hashed(wrong: bytes) -> None:
    with pytest.raises(Malformed, match="63 hashes of 32 bytes"):
        check_inclusion(TREE.at(0, 0), 0, 3, [TREE.at(0, 1), wrong], TREE.root(3))
    with pytest.raises(Malformed, match="63 hashes of 32 bytes"):
        check_consistency(2, 3, [wrong], TREE.root(2), TREE.root(3))


def alike(level: int, index: int) -> bytes:
    """Return the nodes of a tree of which all leaves are equal: it may have any size."""
    assert 0 <= index << level < merkle.MAX_SIZE
    digest = leaf_hash(b"")
    for _ in range(level):
        digest = merkle.node_hash(digest, digest)
    return digest


@given(st.integers(1, merkle.MAX_SIZE), st.data())
@settings(max_examples=40)
def test_trees_of_any_size_have_proofs_that_hold(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, whole = prove_inclusion(alike, index, size), merkle.root(alike, size)
    check_inclusion(leaf_hash(b""), index, size, proof, whole)


@given(st.integers(1, 2**62), st.data())
@settings(max_examples=40)
def test_trees_of_up_to_two_to_the_62_have_proofs_that_they_grew(
    size: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, size))
    proof = prove_consistency(alike, old, size)
    check_consistency(old, size, proof, merkle.root(alike, old), merkle.root(alike, size))


def test_the_longest_proof_has_63_hashes() -> None:
    size = merkle.MAX_SIZE
    assert size == 2**63 - 1
    proof = prove_inclusion(alike, 0, size)
    assert len(proof) == merkle.MAX_PROOF == 63
    check_inclusion(leaf_hash(b""), 0, size, proof, merkle.root(alike, size))
    size, proof = 2**62, prove_consistency(alike, 3, 2**62)
    assert len(proof) == merkle.MAX_PROOF
    check_consistency(3, size, proof, merkle.root(alike, 3), merkle.root(alike, size))
    with pytest.raises(Malformed, match="63 hashes of 32 bytes"):
        check_inclusion(leaf_hash(b""), 0, 2**64, [OTHER] * 64, OTHER)
    with pytest.raises(Malformed, match="63 hashes of 32 bytes"):
        check_consistency(1, 2**64, [OTHER] * 64, OTHER, OTHER)
